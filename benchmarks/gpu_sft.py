"""SFT of Llama shapes with random weights on a GPU: our loop beside TRL at its strongest there.

    python benchmarks/gpu_sft.py --model 1b --model 8b [--lengths FILE] [--steps 12] [--peak 989]
    python benchmarks/gpu_sft.py --smoke            # a tiny shape on a CPU, to see that it runs

Printed is, for each loop: tokens per second that are not padding, TFLOP/s and the share of the
GPU's peak, and the most memory that was taken. A token takes 6·N + 6·L·d·s multiply-adds and adds
(N without the input embedding, L layers of width d, s tokens in its example; attention is causal).
What recomputation adds is not counted. The first `--warm` steps (compilation) are left out.

`--lengths` names a file with a JSON list of [prompt tokens, response tokens]; else they are drawn
as in `chats.py`. `--precision bf16_split` (14 bytes a parameter) is the default for 8B, which then
takes 105 GiB before activations: one H200. TRL's model is in fp32 with bf16 autocast, its own
default (16 bytes a parameter), or with `--trl-bf16` in pure bf16, which trains worse.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import torch
from benchmarks.chats import make_base

from seedbed.training.attention import NAME
from seedbed.training.encode import Encoded
from seedbed.training.loop import train_step
from seedbed.training.opening import load_tokenizer, open_student
from seedbed.training.precision import chosen, make_optimizer
from seedbed.training.settings import Precision, TrainSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A Llama: width, feed-forward width, layers, heads, key-value heads, vocabulary."""

    hidden: int
    inner: int
    layers: int
    heads: int
    kv_heads: int
    vocabulary: int

    def config(self, attention: str) -> Any:
        from transformers import LlamaConfig

        make: Any = LlamaConfig
        return make(
            vocab_size=self.vocabulary,
            hidden_size=self.hidden,
            intermediate_size=self.inner,
            num_hidden_layers=self.layers,
            num_attention_heads=self.heads,
            num_key_value_heads=self.kv_heads,
            max_position_embeddings=8192,
            rope_theta=500_000.0,
            tie_word_embeddings=False,
            attn_implementation=attention,
        )

    def flops(self, parameters: int, lengths: Sequence[int]) -> float:
        """Of one step on examples of these lengths."""
        counted = parameters - self.vocabulary * self.hidden
        attention = sum(length * length for length in lengths)
        return 6.0 * counted * sum(lengths) + 6.0 * self.layers * self.hidden * attention


SHAPES = {
    "1b": Shape(hidden=2048, inner=8192, layers=16, heads=32, kv_heads=8, vocabulary=128_256),
    "8b": Shape(hidden=4096, inner=14_336, layers=32, heads=32, kv_heads=8, vocabulary=128_256),
    "smoke": Shape(hidden=64, inner=128, layers=2, heads=4, kv_heads=2, vocabulary=4096),
}


@dataclass(slots=True)
class Timed:
    """Seconds and examples of each step."""

    seconds: list[float]
    lengths: list[list[int]]


def drawn(count: int, *, longest: int) -> list[tuple[int, int]]:
    """Prompt and response tokens as in `chats.py`."""
    rng = Random(0)
    pairs = []
    for _ in range(count):
        prompt = int(min(400, max(12, rng.lognormvariate(4.1, 0.7))))
        response = int(max(8, rng.lognormvariate(5.2, 0.8)))
        pairs.append((prompt, min(response, longest - prompt)))
    return pairs


def encoded(pairs: Sequence[tuple[int, int]], *, vocabulary: int, longest: int) -> list[Encoded]:
    """Random tokens with those lengths; the response is trained."""
    rng = Random(1)
    found = []
    for number, (prompt, response) in enumerate(pairs):
        size = min(prompt + response, longest)
        start = min(max(prompt, 1), size - 1)
        ids = [rng.randrange(4, vocabulary) for _ in range(size)]
        found.append(Encoded(id=str(number), ids=ids, spans=((start, size),)))
    return found


def random_model(shape: Shape, attention: str, *, device: torch.device, dtype: torch.dtype) -> Any:
    """The shape with random weights, made where it will be."""
    from transformers import LlamaForCausalLM

    make: Any = LlamaForCausalLM
    torch.manual_seed(0)
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with device:
            return make(shape.config(attention))
    finally:
        torch.set_default_dtype(before)


def ours(shape: Shape, batches: Sequence[list[Encoded]], options: argparse.Namespace) -> Timed:
    """`train_step` as `seedbed train` calls it."""
    device = torch.device(options.device)
    wanted: Precision = options.precision or ("bf16_split" if shape.hidden > 2048 else "auto")
    settings = TrainSettings(
        schedule="constant",
        warmup=0,
        precision=wanted,
        micro_tokens=options.micro_tokens,
        device=options.device,
    )
    precision = chosen(settings.precision, device)
    model = random_model(shape, NAME, device=device, dtype=torch.float32)
    if options.checkpointing:
        checkpoint_layers(model)
    if options.compile:
        for layer in model.model.layers:
            layer.compile(dynamic=True)
    with tempfile.TemporaryDirectory() as folder:
        small = make_base(Path(folder), vocabulary=512, hidden_size=64)
        student = open_student(small, settings=settings)  # for all but its weights
    student.model = model
    student.optimizer = make_optimizer(model, settings, precision=precision)
    timed = Timed([], [])
    for batch in batches:
        begin = _now(device)
        train_step(student, batch)
        timed.seconds.append(_now(device) - begin)
        timed.lengths.append([len(example) for example in batch])
    return timed


def checkpoint_layers(model: Any) -> None:
    """Keep each layer's input only."""
    from functools import partial

    from torch.utils.checkpoint import checkpoint
    from transformers.modeling_layers import GradientCheckpointingLayer

    layers: list[Any] = [m for m in model.modules() if isinstance(m, GradientCheckpointingLayer)]
    for layer in layers:
        layer.gradient_checkpointing = True
        layer._gradient_checkpointing_func = partial(checkpoint, use_reentrant=False)


def trl(shape: Shape, batches: Sequence[list[Encoded]], options: argparse.Namespace) -> Timed:
    """SFTTrainer with bfd packing and FlexAttention (SDPA on a CPU, where that has no backward)."""
    from datasets import Dataset
    from transformers import TrainerCallback
    from trl.trainer.sft_config import SFTConfig
    from trl.trainer.sft_trainer import SFTTrainer

    device = torch.device(options.device)
    attention = "flex_attention" if device.type == "cuda" else "sdpa"
    dtype = torch.bfloat16 if options.trl_bf16 else torch.float32
    model = random_model(shape, attention, device=device, dtype=dtype)
    rows = [
        {
            "input_ids": list(one.ids),
            "completion_mask": [int(place >= one.spans[0][0]) for place in range(len(one))],
        }
        for batch in batches
        for one in batch
    ]
    marks: list[float] = []

    class Clock(TrainerCallback):
        def on_step_begin(self, *_: Any, **__: Any) -> None:
            marks.append(_now(device))

        def on_step_end(self, *_: Any, **__: Any) -> None:
            marks.append(_now(device))

    row_tokens = options.longest
    rows_a_step = max(round(sum(map(len, batches[0])) / row_tokens), 1)
    rows_a_pass = max(min(options.micro_tokens // row_tokens, rows_a_step), 1)
    known = SFTConfig.__dataclass_fields__
    recompute = "activation_checkpointing"
    changes = {recompute if recompute in known else "gradient_checkpointing": options.checkpointing}
    with tempfile.TemporaryDirectory() as folder:
        base = make_base(Path(folder) / "base", vocabulary=512, hidden_size=64)
        config = SFTConfig(
            output_dir=folder,
            report_to="none",
            use_cpu=device.type == "cpu",
            bf16=device.type == "cuda",
            disable_tqdm=True,
            save_strategy="no",
            max_length=row_tokens,
            packing=True,
            packing_strategy="bfd",
            completion_only_loss=True,
            per_device_train_batch_size=rows_a_pass,
            gradient_accumulation_steps=max(rows_a_step // rows_a_pass, 1),
            num_train_epochs=1,
            learning_rate=2e-5,
            **changes,
        )
        trainer = SFTTrainer(
            model=model,
            args=config,
            train_dataset=Dataset.from_list(rows),
            processing_class=load_tokenizer(base),
        )
        trainer.add_callback(Clock())
        trainer.train()
    seconds = [end - begin for begin, end in zip(marks[::2], marks[1::2], strict=True)]
    lengths = [length for batch in batches for length in map(len, batch)]
    share = math.ceil(len(lengths) / max(len(seconds), 1))
    parts = [lengths[start : start + share] for start in range(0, len(lengths), share)]
    return Timed(seconds[: len(parts)], parts)


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


LOOPS: dict[str, Callable[..., Timed]] = {"ours": ours, "TRL packing": trl}


def report(name: str, shape_name: str, timed: Timed, options: argparse.Namespace) -> str:
    """One row of the table; TRL's steps hold about, not exactly, the tokens of ours."""
    shape = SHAPES[shape_name]
    seconds = sum(timed.seconds[options.warm :])
    lengths = [length for step in timed.lengths[options.warm :] for length in step]
    flops = shape.flops(parameters_of(shape), lengths) / seconds
    memory = torch.cuda.max_memory_allocated() / 2**30 if torch.cuda.is_available() else 0.0
    return (
        f"| {shape_name} | {name} | {sum(lengths) / seconds:,.0f} | {flops / 1e12:.1f} "
        f"| {flops / 1e12 / options.peak:.1%} | {memory:.1f} |"
    )


def parameters_of(shape: Shape) -> int:
    head = shape.hidden // shape.heads
    attention = shape.hidden * head * 2 * (shape.heads + shape.kv_heads)
    block = attention + 3 * shape.hidden * shape.inner + 2 * shape.hidden
    return shape.layers * block + 2 * shape.vocabulary * shape.hidden + shape.hidden


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", action="append", choices=("1b", "8b"), default=None)
    parser.add_argument("--lengths", type=Path, default=None)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--warm", type=int, default=3)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--longest", type=int, default=1024)
    parser.add_argument("--micro-tokens", type=int, default=8192)
    parser.add_argument("--precision", default=None)
    parser.add_argument("--checkpointing", action="store_true")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--trl-bf16", action="store_true")
    parser.add_argument("--only", choices=tuple(LOOPS), default=None)
    parser.add_argument("--peak", type=float, default=989.0, help="TFLOP/s of bf16")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--smoke", action="store_true")
    options = parser.parse_args()
    if options.smoke:
        options.device, options.steps, options.warm, options.batch = "cpu", 3, 1, 8
        options.micro_tokens, options.longest = 1024, 512
    names = ["smoke"] if options.smoke else options.model or ["1b"]
    print("| model | loop | tokens/s | TFLOP/s | of peak | peak GiB |\n|---|---|---|---|---|---|")
    for name in names:
        shape = SHAPES[name]
        count = options.steps * options.batch
        pairs = drawn(count, longest=options.longest)
        if options.lengths:
            given = json.loads(options.lengths.read_text(encoding="utf-8"))
            pairs = [tuple(given[place % len(given)]) for place in range(count)]
        examples = encoded(pairs, vocabulary=shape.vocabulary, longest=options.longest)
        batches = [
            examples[start : start + options.batch] for start in range(0, count, options.batch)
        ]
        for loop in [options.only] if options.only else list(LOOPS):
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
                torch.cuda.reset_peak_memory_stats()
            print(report(loop, name, LOOPS[loop](shape, batches, options), options), flush=True)


if __name__ == "__main__":
    main()
