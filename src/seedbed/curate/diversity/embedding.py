"""A Hugging Face encoder as an embedding: the mean of its last layer over the words of a text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from seedbed.errors import ConfigError

if TYPE_CHECKING:
    from seedbed.curate.diversity.vectors import Embed, Matrix

TEXTS_AT_ONCE = 32
TOKENS = 512
"""Of one text; what is longer is cut."""


def hugging_face(path: str) -> Embed:
    """Load an encoder, such as a sentence-embedding model, from a folder or the hub.

    Mean pooling over the attention mask, which is what most sentence encoders were trained for; a
    model that wants its first token or a prefix is better wrapped in a callable of one's own.

    Raises:
        ConfigError: torch and transformers are not installed, or there is no such model.
    """
    try:
        import torch
        from transformers import AutoModel, AutoTokenizer
    except ImportError as error:
        raise ConfigError(
            f"embedding = {path!r} needs torch and transformers: {error}",
            hint="pip install 'seedbed[train]', or leave the setting out: TF-IDF needs nothing.",
        ) from error
    try:
        tokenizer = AutoTokenizer.from_pretrained(path)
        model = AutoModel.from_pretrained(path)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"embedding = {path!r}: no encoder can be loaded from it: {error}",
            hint="Expected a folder or hub id of a Hugging Face encoder with its tokenizer.",
        ) from error
    model.eval()

    def embed(texts: Sequence[str]) -> Matrix:
        """One row a text; texts of like length go together, so that padding costs little."""
        order = sorted(range(len(texts)), key=lambda at: len(texts[at]))
        rows: dict[int, torch.Tensor] = {}
        for start in range(0, len(order), TEXTS_AT_ONCE):
            places = order[start : start + TEXTS_AT_ONCE]
            batch = tokenizer(
                [texts[at] for at in places],
                padding=True,
                truncation=True,
                max_length=TOKENS,
                return_tensors="pt",
            )
            with torch.inference_mode():
                states = model(**batch).last_hidden_state.double()
            mask = batch["attention_mask"].unsqueeze(-1).double()
            means = (states * mask).sum(dim=1) / mask.sum(dim=1).clamp(min=1)
            rows |= dict(zip(places, means, strict=True))
        found: Matrix = torch.stack([rows[at] for at in range(len(texts))]).numpy()
        return found

    return embed
