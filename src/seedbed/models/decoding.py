"""Writing with a Hugging Face model, many rows at once, each with settings of its own.

Why no `generate`: it has one sampling configuration for a whole batch, takes what is not said from
the checkpoint's `generation_config.json`, seeds one generator for all rows, and pads rows that
have ended until the last one ends. Here a row's settings are its own and all of them are said, a
row that has ended leaves the batch at once, and others join in its place.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad
from transformers import PreTrainedModel

from seedbed.errors import ModelError
from seedbed.models.batching import groups
from seedbed.models.growing import GrowingCache
from seedbed.models.rows import Row, Scribe
from seedbed.models.sampling import choose

More = Callable[[Sequence[Row]], Sequence[Row]]
"""What joins the rows that are under way; may be nothing."""

_PROMPT_TOKENS = 8192
"""Tokens of prompts, padding included, that are read at once: what they take in memory grows with
their number, and where rows are padded with the square of their length."""

_PADDING = 64
"""Tokens in front that are padding in all rows, from which cutting them off is worth a copy."""


@dataclass(slots=True, kw_only=True)
class _Batch:
    """Rows under way: `logits` [rows, vocabulary] float32 behind the last token of each, `mask`
    [rows, tokens] int64, and the keys and values of those tokens."""

    rows: list[Row]
    logits: Tensor
    mask: Tensor
    cache: GrowingCache


class Decoder:
    """A model that writes rows to their end."""

    def __init__(self, model: PreTrainedModel, scribe: Scribe) -> None:
        self._model = model
        self._scribe = scribe
        self._device = next(model.parameters()).device
        self._takes = inspect.signature(model.forward).parameters.keys()

    def close(self) -> None:
        """Let go of the weights."""
        del self._model

    @torch.inference_mode()
    def decode(self, rows: Sequence[Row], done: Callable[[Row], None], more: More) -> None:
        """Write rows, and what joins them, until none is under way.

        Args:
            rows: at least one.
            done: is told of each row as it ends; not of those that were abandoned.
            more: is asked after each token what is to join, where the model's cache allows it.

        Raises:
            ModelError: the model computes what is no number.
        """
        batch: _Batch | None = self._read(rows)
        while batch is not None:
            going = self._write(batch, done)
            joining = list(more(going.rows)) if going is not None and going.cache.joins else []
            batch = _joined(going, self._read(joining)) if going and joining else going

    def _read(self, rows: Sequence[Row]) -> _Batch:
        """Rows whose prompts are read."""
        cache = GrowingCache(self._model.config)
        if not cache.joins:
            return self._read_group(rows, cache)
        batch: _Batch | None = None
        for places in groups([len(row.ids) for row in rows], tokens=_PROMPT_TOKENS):
            part = self._read_group(
                [rows[place] for place in places], GrowingCache(self._model.config)
            )
            batch = part if batch is None else _joined(batch, part)
        assert batch is not None, "no rows to read"
        return batch

    def _read_group(self, rows: Sequence[Row], cache: GrowingCache) -> _Batch:
        width = max(len(row.ids) for row in rows)
        ids = torch.zeros(len(rows), width, dtype=torch.long)
        mask = torch.zeros(len(rows), width, dtype=torch.long)
        for place, row in enumerate(rows):
            ids[place, width - len(row.ids) :] = torch.tensor(row.ids)
            mask[place, width - len(row.ids) :] = 1
        ids, mask = ids.to(self._device), mask.to(self._device)
        logits = self._forward(ids, mask, cache)
        if bool(logits.isnan().any()):
            raise ModelError(
                "the model's logits are not numbers (NaN)",
                hint="Its weights are broken, or this precision is too small for it: "
                'try dtype = "float32".',
            )
        return _Batch(rows=list(rows), logits=logits, mask=mask, cache=cache)

    def _write(self, batch: _Batch, done: Callable[[Row], None]) -> _Batch | None:
        """One more token for every row; the rows that go on, or None."""
        tokens = self._choose(batch)
        for row in batch.rows:
            if row.reason is not None and not row.abandoned:
                done(row)
        stay = [place for place, row in enumerate(batch.rows) if not row.over]
        if not stay:
            return None
        if len(stay) < len(batch.rows):
            _leave(batch, torch.tensor(stay, device=self._device))
        ids = torch.tensor([[tokens[place]] for place in stay], device=self._device)
        batch.mask = pad(batch.mask, (0, 1), value=1)
        batch.logits = self._forward(ids, batch.mask, batch.cache)
        return batch

    def _choose(self, batch: _Batch) -> list[int]:
        """The next token of each row, written down."""
        scored = [place for place, row in enumerate(batch.rows) if row.scored]
        # The model's own chances, before temperature and penalties.
        chances = batch.logits[scored].log_softmax(-1) if scored else None
        tokens = choose(batch.logits, [row.draw for row in batch.rows])
        for place, (row, token) in enumerate(zip(batch.rows, tokens, strict=True)):
            own = chances[scored.index(place)] if chances is not None and row.scored else None
            self._scribe.write(row, token, own)
        return tokens

    def _forward(self, ids: Tensor, mask: Tensor, cache: GrowingCache) -> Tensor:
        """The logits behind the last token of each row, [rows, vocabulary], float32."""
        given: dict[str, Any] = {"attention_mask": mask}
        if "position_ids" in self._takes:
            positions = (mask.cumsum(-1) - 1).clamp(min=0)
            given["position_ids"] = positions[:, -ids.shape[1] :]
        if "logits_to_keep" in self._takes:
            given["logits_to_keep"] = 1
        # Renamed within transformers 5.
        given["cache" if "cache" in self._takes else "past_key_values"] = cache.inner
        run: Callable[..., Any] = self._model
        logits: Tensor = run(input_ids=ids, use_cache=True, **given).logits[:, -1].float()
        return logits


def _leave(batch: _Batch, places: Tensor) -> None:
    """Keep only the rows at these places, and no more padding than they need."""
    mask = batch.mask[places]
    start = int(mask.argmax(-1).min()) if batch.cache.joins else 0
    start = start if start >= _PADDING else 0
    batch.cache.select(places, start=start)
    batch.mask = mask[:, start:]
    batch.rows = [batch.rows[place] for place in places.tolist()]


def _joined(batch: _Batch, other: _Batch) -> _Batch:
    """Both together; the one with fewer tokens is padded in front."""
    width = max(batch.mask.shape[1], other.mask.shape[1])
    masks = [pad(part.mask, (width - part.mask.shape[1], 0)) for part in (batch, other)]
    batch.cache.join(other.cache)
    return _Batch(
        rows=batch.rows + other.rows,
        logits=torch.cat([batch.logits, other.logits]),
        mask=torch.cat(masks),
        cache=batch.cache,
    )
