"""Keys and values of a batch: they grow by a token at a time without a copy for each, and rows
leave and join."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad
from transformers import DynamicCache, PreTrainedConfig
from transformers.cache_utils import DynamicLayer

_ROOM = 64
"""Tokens by which a buffer grows at least."""


class GrowingCache:
    """Transformers' dynamic cache, with its plain layers replaced by growing ones.

    Layers of other kinds (sliding windows, states of linear attention) stay as they are; rows can
    leave such a cache, but none can join.
    """

    def __init__(self, config: PreTrainedConfig) -> None:
        self.inner = DynamicCache(config=config)
        layers: list[Any] = self.inner.layers
        grow: Callable[[], DynamicLayer] = _GrowingLayer
        self.inner.layers = [grow() if type(layer) is DynamicLayer else layer for layer in layers]
        # Without layers it makes plain ones as they come: an architecture that names none.
        self.joins = bool(layers) and all(type(layer) is DynamicLayer for layer in layers)

    def select(self, rows: Tensor, *, start: int) -> None:
        """Keep only these rows, in this order, and of a cache that joins the tokens from `start`.

        Args:
            rows: places, int64.
            start: tokens in front that are padding in all of these rows.
        """
        for layer in self.inner.layers:
            if isinstance(layer, _GrowingLayer):
                layer.keep(rows, start)
            else:
                reorder: Any = layer.reorder_cache
                reorder(rows)

    def join(self, other: GrowingCache) -> None:
        """Put the rows of another cache behind these; the shorter one is padded in front."""
        for mine, theirs in zip(self.inner.layers, other.inner.layers, strict=True):
            if isinstance(mine, _GrowingLayer) and isinstance(theirs, _GrowingLayer):
                mine.join(theirs)


class _GrowingLayer(DynamicLayer):
    """Keys and values, [rows, heads, tokens, size], at the front of buffers with room to spare."""

    _buffers: tuple[Tensor, ...] = ()

    def update(
        self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any
    ) -> tuple[Tensor, Tensor]:
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        had, new = self.get_seq_length(), key_states.shape[-2]
        states = (key_states, value_states)
        if not self._buffers:
            self._buffers = tuple(_room(part, new + _ROOM) for part in states)
        elif had + new > self._buffers[0].shape[-2]:
            self._buffers = tuple(_grown(part, had, 2 * had + new) for part in self._buffers)
        for buffer, part in zip(self._buffers, states, strict=True):
            buffer[..., had : had + new, :] = part
        self._show(had + new)
        return self._seen()

    def keep(self, rows: Tensor, start: int) -> None:
        if self._buffers:
            length = self.get_seq_length() - start
            self._buffers = tuple(buffer[rows, :, start:] for buffer in self._buffers)
            self._show(length)

    def join(self, other: _GrowingLayer) -> None:
        parts = [(mine, theirs) for mine, theirs in zip(self._seen(), other._seen(), strict=True)]
        length = max(self.get_seq_length(), other.get_seq_length())
        self._buffers = tuple(
            torch.cat([_padded(mine, length), _padded(theirs, length)]) for mine, theirs in parts
        )
        self._show(length)

    def _show(self, length: int) -> None:
        self.keys, self.values = (buffer[..., :length, :] for buffer in self._buffers)

    def _seen(self) -> tuple[Tensor, Tensor]:
        length = self.get_seq_length()
        keys, values = (buffer[..., :length, :] for buffer in self._buffers)
        return keys, values


def _room(states: Tensor, tokens: int) -> Tensor:
    rows, heads, _, size = states.shape
    return states.new_empty(rows, heads, tokens, size)


def _grown(buffer: Tensor, had: int, tokens: int) -> Tensor:
    larger = _room(buffer, tokens + _ROOM)
    larger[..., :had, :] = buffer[..., :had, :]
    return larger


def _padded(states: Tensor, length: int) -> Tensor:
    """Filled up with zeros in front; a mask hides them."""
    return pad(states, (0, 0, length - states.shape[-2], 0))
