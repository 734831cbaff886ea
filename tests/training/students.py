"""A base model of a few thousand parameters, made on the spot, and examples to tune it on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from seedbed.journal import Journal
from seedbed.records import Example, Instruction
from seedbed.training.encode import Encoded
from seedbed.training.online import OnlineStudent
from seedbed.training.opening import open_student
from seedbed.training.settings import TrainSettings
from seedbed.training.student import Student

torch.set_num_threads(1)

CHAT = (
    "{%- for message in messages -%}"
    "{{ '<|' + message.role + '|>' + message.content }}"
    "{%- if message.role == 'assistant' -%}{{ eos_token }}{%- endif -%}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{ '<|assistant|>' }}{%- endif -%}"
)
"""A chat template that ends with the end-of-text token, as TRL's own masks expect."""

SPECIAL = [
    "<|end|>", "<|user|>", "<|assistant|>", "<|im_start|>", "<|im_end|>",
    "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>",
]  # fmt: skip

WORDS = tuple(
    word
    for line in ("sort the list of red green blue", "numbers then count how many are even")
    for word in line.split()
)


def make_examples(count: int, *, longest: int = 30, seed: int = 0) -> list[Example]:
    """Examples of different lengths, every one of them different."""
    rng = Random(seed)

    def text(words: int) -> str:
        return " ".join(rng.choice(WORDS) for _ in range(words))

    return [
        Example(
            instruction=Instruction(text=f"Task {number}: {text(rng.randint(2, longest))}"),
            response=f"{text(rng.randint(2, longest))}.",
        )
        for number in range(count)
    ]


def make_base(folder: Path, *, chat_template: str | None = CHAT, **sizes: Any) -> Path:
    """Write a random Llama with a tokenizer trained on the spot, in Hugging Face's layout."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(
        [f"{e.instruction.text} {e.response}" for e in make_examples(50)], trainer
    )
    wrap: Any = PreTrainedTokenizerFast
    fast = wrap(tokenizer_object=tokenizer, eos_token="<|end|>", pad_token="<|end|>")
    fast.chat_template = chat_template
    fast.save_pretrained(folder)
    torch.manual_seed(0)
    shape: Any = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 512,
        "tie_word_embeddings": False,
    }
    shape |= sizes
    shape.setdefault("vocab_size", len(fast))
    config = LlamaConfig(eos_token_id=fast.eos_token_id, **shape)
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def make_student(base: Path, *, total: int | None = 100, **settings: object) -> Student:
    """A student for tests: no warm-up, everything on the CPU in fp32."""
    given: Any = {"warmup": 0.0, "device": "cpu", "max_length": 256} | settings
    return open_student(base, settings=TrainSettings(**given), total=total)


def encoded(student: Student, examples: Sequence[Example]) -> Sequence[Encoded]:
    """The examples in tokens, all of them."""
    encoding = student.encode(examples)
    assert not encoding.dropped
    return encoding.kept


ONLINE: dict[str, Any] = {
    "learning_rate": 1e-3,
    "schedule": "constant",
    "warmup": 0.0,
    "device": "cpu",
    "max_length": 256,
}


def online_batches(count: int) -> list[list[Example]]:
    """Batches of four examples."""
    examples = make_examples(4 * count, seed=3)
    return [examples[start : start + 4] for start in range(0, len(examples), 4)]


def online_student(base: Path, journal: Journal, **options: Any) -> OnlineStudent:
    """A student whose checkpoints lie beside the journal; options of either class."""
    given: Any = {"signals": ("loss", "grad_norm", "head_grad_norm"), "checkpoint_every": 3}
    for name in ("signals", "checkpoint_every", "keep", "reference", "total"):
        if name in options:
            given[name] = options.pop(name)
    return OnlineStudent(
        base,
        settings=TrainSettings(**(ONLINE | options)),
        journal=journal,
        folder=journal.path.parent / "student",
        **given,
    )
