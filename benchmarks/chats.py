"""Synthetic chats and a base model of 7 million parameters, for what measures training.

Tokens per chat: mean 326, median 268, 90 % below 606, 99 % below 970; nearly three quarters of them
in the response. Real instruction data is about as uneven (Alpaca's responses a little more so).
"""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

from seedbed.records import Example, Instruction

ONSETS = ("b", "br", "d", "f", "g", "gr", "k", "l", "m", "n", "p", "pl", "r", "s", "st", "t", "v")
NUCLEI = ("a", "e", "i", "o", "u", "ai", "ea", "ou")
ENDS = ("", "n", "r", "s", "t", "l", "nd", "m")

CHAT = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' }}"
    "{% if m['role'] == 'assistant' %}{% generation %}{{ m['content'] + eos_token }}"
    "{% endgeneration %}{% else %}{{ m['content'] + eos_token + '\n' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def words(count: int, *, seed: int) -> list[str]:
    """Words of one to four syllables, each only once."""
    rng = Random(seed)
    found: dict[str, None] = {}
    while len(found) < count:
        syllables = (
            rng.choice(ONSETS) + rng.choice(NUCLEI) for _ in range(rng.choice((1, 2, 2, 3, 3, 4)))
        )
        found["".join(syllables) + rng.choice(ENDS)] = None
    return list(found)


def chats(count: int, *, seed: int = 0) -> list[Example]:
    """Instructions and responses of words drawn as in a language: the common ones often."""
    rng = Random(seed)
    vocabulary = words(12_000, seed=1)
    weights = [1 / (rank + 5) for rank in range(len(vocabulary))]
    totals = list(_sums(weights))

    def text(middle: float, spread: float, low: int, high: int) -> str:
        size = int(min(high, max(low, rng.lognormvariate(middle, spread))))
        return " ".join(rng.choices(vocabulary, cum_weights=totals, k=size))

    return [
        Example(
            instruction=Instruction(text=f"{number} {text(3.75, 0.8, 5, 300)}"),
            response=text(4.95, 0.8, 5, 700),
        )
        for number in range(count)
    ]


def _sums(weights: list[float]) -> Any:
    total = 0.0
    for weight in weights:
        total += weight
        yield total


def make_base(folder: Path, *, vocabulary: int = 8192, **sizes: Any) -> Path:
    """A Llama with random weights and a byte-pair tokenizer made from chats, as a folder."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=["<|pad|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    raw.train_from_iterator([chat.response for chat in chats(1500, seed=2)], trainer)
    wrap: Any = PreTrainedTokenizerFast
    tokenizer = wrap(tokenizer_object=raw, eos_token="<|im_end|>", pad_token="<|pad|>")
    tokenizer.chat_template = CHAT
    tokenizer.save_pretrained(folder)
    shape: Any = {
        "hidden_size": 256,
        "intermediate_size": 768,
        "num_hidden_layers": 4,
        "num_attention_heads": 8,
        "num_key_value_heads": 4,
        "max_position_embeddings": 2048,
        "tie_word_embeddings": False,
    }
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer), eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id, **(shape | sizes),
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder
