"""Keys and values of a batch that grows by a token at a time, without a copy for each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache, PreTrainedConfig
from transformers.cache_utils import DynamicLayer

_ROOM = 64
"""Tokens by which a buffer grows at least."""


class GrowingCache:
    """Transformers' dynamic cache, with its plain layers replaced by growing ones.

    Layers of other kinds (sliding windows, states of linear attention) stay as they are.
    """

    def __init__(self, config: PreTrainedConfig) -> None:
        self.inner = DynamicCache(config=config)
        layers: list[Any] = self.inner.layers
        grow: Callable[[], DynamicLayer] = _GrowingLayer
        self.inner.layers = [grow() if type(layer) is DynamicLayer else layer for layer in layers]

    def select(self, rows: Tensor) -> None:
        """Keep only these rows, in this order."""
        for layer in self.inner.layers:
            reorder: Any = layer.reorder_cache
            reorder(rows)


class _GrowingLayer(DynamicLayer):
    """Keys and values, [rows, heads, tokens, size], at the front of buffers with room to spare."""

    _buffers: tuple[Tensor, Tensor] | None = None

    def update(
        self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any
    ) -> tuple[Tensor, Tensor]:
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        had, new = self.get_seq_length(), key_states.shape[-2]
        if self._buffers is None:
            self._buffers = (_room(key_states, had + new), _room(value_states, had + new))
        elif had + new > self._buffers[0].shape[-2]:
            self._buffers = (_grown(self._buffers[0], had), _grown(self._buffers[1], had))
        self.keys, self.values = (
            _put(buffer, states, had)
            for buffer, states in zip(self._buffers, (key_states, value_states), strict=True)
        )
        return self.keys, self.values

    def reorder_cache(self, beam_idx: torch.LongTensor) -> None:
        if self._buffers is not None:
            had = self.get_seq_length()
            keys, values = (buffer[beam_idx] for buffer in self._buffers)
            self._buffers = (keys, values)
            self.keys, self.values = keys[..., :had, :], values[..., :had, :]


def _room(states: Tensor, tokens: int) -> Tensor:
    rows, heads, _, size = states.shape
    return states.new_empty(rows, heads, tokens + _ROOM, size)


def _grown(buffer: Tensor, had: int) -> Tensor:
    larger = _room(buffer, 2 * had)
    larger[..., :had, :] = buffer[..., :had, :]
    return larger


def _put(buffer: Tensor, states: Tensor, start: int) -> Tensor:
    """Write states behind the first `start` tokens; a view of all that is there now."""
    end = start + states.shape[-2]
    buffer[..., start:end, :] = states
    return buffer[..., :end, :]
