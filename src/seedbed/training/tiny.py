"""A student small enough to be tuned on a laptop: a Llama with random weights, made from texts.

It knows nothing, not even a language, so what it can do after tuning it has from the examples. It
is for trying the loop and for comparing datasets, not for use.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from seedbed.errors import ConfigError

if TYPE_CHECKING:
    from transformers import LlamaConfig, PreTrainedTokenizerFast

USER, ASSISTANT, END, PAD = "<|user|>", "<|assistant|>", "<|end|>", "<|pad|>"

TEMPLATE = (
    "{%- for message in messages -%}"
    f"{{{{ '{USER}' if message.role == 'user' else '{ASSISTANT}' if message.role == 'assistant'"
    " else '' }}"
    "{{ message.content }}"
    f"{{%- if message.role == 'assistant' -%}}{{{{ '{END}' }}}}{{%- endif -%}}"
    "{%- endfor -%}"
    f"{{%- if add_generation_prompt -%}}{{{{ '{ASSISTANT}' }}}}{{%- endif -%}}"
)
"""The chat template of tiny students: roles are tokens, and only an answer has an end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TinyShape:
    """The size of a tiny student; 0.4 million parameters with the defaults.

    vocabulary: tokens at most; fewer where the texts have no more pieces that recur.
    length: the longest text it can read, in tokens.
    """

    hidden: int = 96
    layers: int = 3
    heads: int = 4
    vocabulary: int = 1024
    length: int = 1024


def make_tiny(
    texts: Iterable[str], folder: Path, *, seed: int, shape: TinyShape | None = None
) -> Path:
    """Write a random student whose tokenizer is made for `texts`, and return its folder.

    The tokenizer is byte-level BPE, so it can read and write any text; of texts like those that it
    was made from it needs the fewest tokens. The folder is an ordinary one in Hugging Face's
    layout: config, weights, tokenizer, chat template. The same arguments make the same files.

    Args:
        texts: what the student will read and write.
        folder: is made; files of the same names in it are replaced.
        seed: of the weights.
        shape: its size.

    Raises:
        ConfigError: there are no texts, or the folder cannot be written.
    """
    import torch
    from transformers import LlamaForCausalLM

    from seedbed.training.opening import without_bars

    shape = shape or TinyShape()
    tokenizer = _tokenizer(texts, shape)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = LlamaForCausalLM(_config(len(tokenizer), tokenizer.eos_token_id, shape))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with without_bars():
            model.save_pretrained(folder)
            tokenizer.save_pretrained(folder)
    except OSError as error:
        raise ConfigError(
            f"{folder}: the tiny student cannot be written: {error.strerror or error}",
            hint="Choose another folder with --out.",
        ) from error
    return folder


def _tokenizer(texts: Iterable[str], shape: TinyShape) -> PreTrainedTokenizerFast:
    """Numbers and common words become tokens of their own: easier to copy than letters."""
    from tokenizers import Tokenizer, decoders, pre_tokenizers
    from tokenizers.models import BPE
    from tokenizers.trainers import BpeTrainer
    from transformers import PreTrainedTokenizerFast

    bytes_ = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trained = Tokenizer(BPE())
    trained.pre_tokenizer = bytes_
    trained.decoder = decoders.ByteLevel()
    trainer = BpeTrainer(
        vocab_size=shape.vocabulary,
        special_tokens=[PAD, USER, ASSISTANT, END],
        initial_alphabet=sorted(bytes_.alphabet()),
        show_progress=False,
    )
    if not (known := [text for text in texts if text.strip()]):
        raise ConfigError(
            "a tiny student is made from the texts that it will read, and there are none",
            hint="Make the examples first: `seedbed run CONFIG`.",
        )
    trained.train_from_iterator(known, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=trained,
        pad_token=PAD,
        eos_token=END,
        additional_special_tokens=[USER, ASSISTANT],
        chat_template=TEMPLATE,
        clean_up_tokenization_spaces=False,
        model_max_length=shape.length,
    )


def _config(vocabulary: int, end: int, shape: TinyShape) -> LlamaConfig:
    from transformers import LlamaConfig

    return LlamaConfig(
        vocab_size=8 * math.ceil(vocabulary / 8),
        hidden_size=shape.hidden,
        intermediate_size=8 * round(shape.hidden * 2.75 / 8),
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.heads,
        max_position_embeddings=shape.length,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=end,
        pad_token_id=0,
    )
