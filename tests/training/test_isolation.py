"""What cannot be packed is found out before the first step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from tests.training.students import encoded, make_examples, make_student
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    BloomConfig,
    GPT2Config,
    Lfm2Config,
    MambaConfig,
)

from seedbed.errors import ConfigError
from seedbed.training.attention import NAME
from seedbed.training.isolation import check_isolation

SMALL: Any = {"hidden_size": 32, "num_hidden_layers": 2}
HEADS: Any = {"num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 48}


def write(folder: Path, config: Any, base: Path) -> Path:
    """A random model of a config, with the tokenizer of the base."""
    torch.manual_seed(0)
    build: Any = AutoModelForCausalLM.from_config
    build(config).save_pretrained(folder)
    tokenizer: Any = AutoTokenizer.from_pretrained(base)
    tokenizer.save_pretrained(folder)
    return folder


def test_a_plain_decoder_passes_and_stays_as_it_was(base: Path, tmp_path: Path) -> None:
    other = write(tmp_path, GPT2Config(n_embd=32, n_layer=2, n_head=4, vocab_size=400), base)
    for folder in (base, other):
        student = make_student(folder)
        check_isolation(student, encoded(student, make_examples(4)))
        assert student.model.config._attn_implementation == NAME


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "config",
    [
        MambaConfig(**SMALL, vocab_size=400, state_size=4),
        # Weights as large as trained ones: with small ones a convolution hardly matters.
        Lfm2Config(
            **SMALL,
            **HEADS,
            vocab_size=400,
            layer_types=["conv", "full_attention"],
            initializer_range=0.3,
        ),
        BloomConfig(hidden_size=32, n_layer=2, n_head=4, vocab_size=400),
    ],
    ids=["state space", "convolution", "positions in the attention"],
)
def test_what_looks_over_the_border_is_refused(config: Any, base: Path, tmp_path: Path) -> None:
    student = make_student(write(tmp_path, config, base))
    with pytest.raises(ConfigError, match=type(student.model).__name__):
        check_isolation(student, encoded(student, make_examples(4)))
