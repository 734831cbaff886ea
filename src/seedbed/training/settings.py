"""How a student is tuned, and the recipes of three papers as presets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal

from seedbed.errors import ConfigError
from seedbed.records import JSON

Schedule = Literal["cosine", "linear", "constant"]
Decayed = Literal["all", "matrices"]
Precision = Literal["auto", "fp32", "bf16", "bf16_split", "pure_bf16"]
SavedDtype = Literal["base", "fp32", "bf16"]
Keep = Literal["all", "best"]
Parallel = Literal["ddp", "fsdp"]

_CHOICES: Mapping[str, tuple[str, ...]] = {
    "schedule": ("cosine", "linear", "constant"),
    "decayed": ("all", "matrices"),
    "precision": ("auto", "fp32", "bf16", "bf16_split", "pure_bf16"),
    "saved_dtype": ("base", "fp32", "bf16"),
    "keep": ("all", "best"),
    "parallel": ("ddp", "fsdp"),
}

_LEAST: Mapping[str, float] = {
    "learning_rate": 0.0,
    "epochs": 1,
    "batch_examples": 1,
    "max_length": 8,
    "warmup": 0.0,
    "weight_decay": 0.0,
    "epsilon": 0.0,
    "clip": 0.0,
    "seed": 0,
    "micro_tokens": 0,
    "lora_rank": 0,
    "lora_alpha": 0.0,
    "lora_dropout": 0.0,
    "held_out": 0.0,
    "state_steps": 0,
    "state_seconds": 0.0,
}


_COSTS = frozenset(
    ("micro_tokens", "checkpointing", "device", "parallel", "state_steps", "state_seconds", "keep")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainSettings:
    """How a student is tuned. The defaults are Instruct-SkillMix's recipe.

    What decides the result:
        learning_rate: the peak of the schedule.
        epochs: passes over the examples; the cosine and the linear schedule span all of them.
        batch_examples: examples in one optimizer step, over all devices together.
        max_length: tokens of prompt and response together; longer ones are cut.
        schedule: "cosine" and "linear" fall to 0, "constant" does not need to know an end.
        warmup: linear from 0. Below 1 a share of all steps (rounded up), else a number of steps.
        weight_decay, decayed: of "all" parameters (torch's AdamW as it comes) or of "matrices"
            only, not of norms and biases (Hugging Face's Trainer).
        betas, epsilon: AdamW's.
        clip: largest norm of the gradient; 0 never clips.
        seed: of the order of examples, of the held-out choice, of new weights and dropout.
        drop_last: leave out the last batch of an epoch where it is not full. It is other
            examples in each epoch. Without it that step is made with fewer examples.
        template: "" is the tokenizer's own, else a name of `templates.NAMED`.
        lora_rank, lora_alpha, lora_dropout, lora_targets: rank 0 tunes all weights. No targets
            means every linear layer but the head.
        held_out, held_out_file: a share of the examples (below 1) or a number of them, or a
            dataset of its own, on which the best epoch is chosen. 0 and no file: the last is best.

    What decides the cost:
        precision: see `precision.py`; "auto" is fp32 on a CPU and bf16 with fp32 weights on CUDA.
        micro_tokens: tokens in one forward pass, except that one longer example still passes. 0 is
            4,096, and 1,024 on a CPU, whose caches then hold a pass (measured: 10 % faster).
        checkpointing: compute activations twice and keep few of them.
        device: "auto", or a name for `torch.device`.
        parallel: what several processes of torchrun share: data ("ddp"), or weights too ("fsdp").
        state_steps, state_seconds: how often the state for resuming is saved, beside every
            epoch's end; 0 means never.
        keep: checkpoints of "all" epochs, or of the "best" one only.
        saved_dtype: of checkpoints; "base" is that of the base model's own files.

    Raises:
        ConfigError: a value that is not allowed.
    """

    learning_rate: float = 2e-5
    epochs: int = 15
    batch_examples: int = 64
    max_length: int = 1024
    schedule: Schedule = "cosine"
    warmup: float = 0.03
    weight_decay: float = 0.01
    decayed: Decayed = "all"
    betas: tuple[float, float] = (0.9, 0.999)
    epsilon: float = 1e-8
    clip: float = 0.0
    seed: int = 42
    drop_last: bool = False
    template: str = ""
    lora_rank: int = 0
    lora_alpha: int = 16
    lora_dropout: float = 0.0
    lora_targets: tuple[str, ...] = ()
    held_out: float = 0.0
    held_out_file: str = ""
    precision: Precision = "auto"
    micro_tokens: int = 0
    checkpointing: bool = False
    device: str = "auto"
    parallel: Parallel = "ddp"
    state_steps: int = 0
    state_seconds: float = 300.0
    keep: Keep = "all"
    saved_dtype: SavedDtype = "base"

    def __post_init__(self) -> None:
        values = asdict(self)
        for name, allowed in _CHOICES.items():
            if values[name] not in allowed:
                raise ConfigError(
                    f"{name} = {values[name]!r}: expected one of: {', '.join(allowed)}"
                )
        for name, least in _LEAST.items():
            if not values[name] >= least:
                raise ConfigError(f"{name} = {values[name]!r}: expected at least {least:g}")
        if not all(0 <= beta < 1 for beta in self.betas):
            raise ConfigError(f"betas = {self.betas}: expected two numbers from 0 to below 1")
        if self.lora_rank and self.precision in ("bf16_split", "pure_bf16"):
            raise ConfigError(
                f'precision = "{self.precision}" with LoRA: the adapter is small',
                hint='With lora_rank use precision = "bf16": its own weights stay in fp32.',
            )

    @property
    def deciding(self) -> dict[str, JSON]:
        """The settings that decide what comes out; the others decide what it takes."""
        return {name: value for name, value in self.to_json().items() if name not in _COSTS}

    def to_json(self) -> dict[str, JSON]:
        """All settings, as they stand in a manifest."""
        return asdict(self) | {"betas": list(self.betas), "lora_targets": list(self.lora_targets)}


SKILLMIX = TrainSettings(drop_last=True, template="alpaca", held_out=100)
"""Instruct-SkillMix (Kaur et al. 2024): its scripts, its released model's card, and torchtune.

From there: lr 2e-5, 3 % warm-up, cosine to 0 over the full 15 epochs, batch 64 (the released
Llama-3-8B: 128), max length 1024, no packing across the batch, loss on the response, AdamW with
torch's defaults (weight decay 0.01 on everything), seed 42, the Alpaca prompt, 100 held-out
examples to choose the epoch. Assumed: a last batch that is not full is left out (it follows from
the card's 465 steps) and no clipping (torchtune's recipe does not unless told).
Not followed: weights and optimizer in pure bf16, and the mean of micro-batch means as the loss.
"""

ALPACA = TrainSettings(
    epochs=3,
    batch_examples=128,
    max_length=512,
    weight_decay=0.0,
    decayed="matrices",
    clip=1.0,
    template="alpaca",
)
"""Stanford Alpaca, 7B: batch 128, lr 2e-5, 3 epochs, 512 tokens, 3 % warm-up, cosine, no decay.

Assumed: clipping at 1, which is the default of the Hugging Face Trainer that it was made with.
"""

WIZARDLM = TrainSettings(
    epochs=3,
    max_length=2048,
    warmup=2,
    weight_decay=0.0,
    decayed="matrices",
    clip=1.0,
    template="wizardlm",
)
"""WizardLM, LLaMA-7B: lr 2e-5, 3 epochs, 2048 tokens, batch 64, 2 steps of warm-up, cosine.

Assumed: no weight decay and clipping at 1, the Trainer's defaults; the notes of the release do
not name them.
"""

TINY = TrainSettings(
    learning_rate=5e-3,
    epochs=9,
    batch_examples=8,
    max_length=512,
    warmup=0.05,
    weight_decay=0.1,
    decayed="matrices",
    betas=(0.9, 0.95),
    clip=1.0,
)
"""For a tiny student that starts from random weights, on a CPU.

Ours, chosen on 4,000 practice examples of 16 skills: with 0.4 million parameters, batches of 8 and
a high rate learn to copy soonest, and reach 67 % (k = 1) and 43 % (k = 2) in 210 CPU seconds.
"""

PRESETS: Mapping[str, TrainSettings] = {
    "skillmix": SKILLMIX,
    "alpaca": ALPACA,
    "wizardlm": WIZARDLM,
    "tiny": TINY,
}


def preset(name: str) -> TrainSettings:
    """The settings of a name.

    Raises:
        ConfigError: there is none of it.
    """
    if name not in PRESETS:
        raise ConfigError(
            f"preset {name!r}: there is no such one", hint=f"There are: {', '.join(PRESETS)}."
        )
    return PRESETS[name]
