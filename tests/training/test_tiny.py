"""Tiny students: ordinary folders, the same for the same arguments, that read any text."""

from __future__ import annotations

from pathlib import Path

import pytest
from transformers import AutoModelForCausalLM, AutoTokenizer

from seedbed.errors import ConfigError
from seedbed.training.tiny import TinyShape, make_tiny

TEXTS = ["Sort the numbers 3, 12, 7.", "Answer: 3, 7, 12", "Count the words.", "Answer: 3"] * 5
SMALL = TinyShape(hidden=32, layers=1, heads=2, vocabulary=300)


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_same_arguments_make_the_same_files(tmp_path: Path) -> None:
    first, again, other = (
        make_tiny(TEXTS, tmp_path / name, seed=seed, shape=SMALL)
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    assert content(first) == content(again)
    assert content(first)["model.safetensors"] != content(other)["model.safetensors"]
    assert content(first)["tokenizer.json"] == content(other)["tokenizer.json"]


def test_it_is_an_ordinary_folder_with_a_template_of_role_tokens(tmp_path: Path) -> None:
    folder = make_tiny(TEXTS, tmp_path / "tiny", seed=1, shape=SMALL)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder)
    turns = [{"role": "user", "content": "Hé?"}, {"role": "assistant", "content": "日本 3"}]
    text = tokenizer.apply_chat_template(turns, tokenize=False)
    assert text == "<|user|>Hé?<|assistant|>日本 3<|end|>"
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    assert tokenizer.decode(ids) == text
    assert max(ids) < model.config.vocab_size
    assert model.config.eos_token_id == ids[-1]
    asked = tokenizer.apply_chat_template(turns[:1], tokenize=False, add_generation_prompt=True)
    assert text.startswith(str(asked))


def test_no_texts_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there are none") as caught:
        make_tiny(["", "  "], tmp_path / "tiny", seed=1)
    assert "seedbed run" in caught.value.hint
