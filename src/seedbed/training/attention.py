"""Attention over a row of several examples, none of which sees another.

`transformers` calls a registered function for every decoder that it knows, and hands it whatever
else was given to the model: here the `segments` of the row. On a CPU, and on a GPU in fp32, each
segment is one causal call of PyTorch's own attention; on a GPU in half precision the row is one
call of its variable-length flash kernel, which has no counterpart on a CPU.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from inspect import signature
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface

from seedbed.errors import ConfigError

NAME = "seedbed_segments"
"""What a model's `attn_implementation` has to be."""


@dataclass(frozen=True, slots=True)
class Segments:
    """Where the examples of a row begin and end.

    `bounds` are (start, end) positions in order and without gaps; `cumulative` is int32 on the
    model's device: 0 and every end.
    """

    bounds: tuple[tuple[int, int], ...]
    cumulative: Tensor

    @property
    def longest(self) -> int:
        return max(end - start for start, end in self.bounds)


def segments_of(lengths: Sequence[int], *, device: torch.device) -> Segments:
    """The segments of a row in which examples of these lengths follow one another."""
    ends = [0]
    for length in lengths:
        ends.append(ends[-1] + length)
    return Segments(tuple(pairwise(ends)), torch.tensor(ends, dtype=torch.int32, device=device))


def attend(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    segments: Segments | None = None,
    scaling: float | None = None,
    dropout: float = 0.0,
    sliding_window: int | None = None,
    softcap: float | None = None,
    **others: Any,
) -> tuple[Tensor, None]:
    """Causal attention inside each segment.

    Args:
        query: [1, heads, positions, head size]; `key` and `value` may have fewer heads.
        segments: of the row; without them each row of the batch is one segment.

    Returns:
        [1, positions, heads, head size], as `transformers` wants it, and no weights.

    Raises:
        ConfigError: the architecture asks for something that is not there.
    """
    if others.get("s_aux") is not None or key.shape[2] != query.shape[2]:
        raise ConfigError(
            "this architecture's attention (with sinks, or with a cache) cannot be packed",
            hint="Only plain causal decoders can be tuned.",
        )
    if segments is None:
        segments = Segments(((0, query.shape[2]),), torch.empty(0))
    elif query.is_cuda and query.dtype != torch.float32 and not (softcap or dropout):
        return _flash(query, key, value, segments, scaling, sliding_window), None
    found = [
        _causal(
            query[:, :, start:end],
            key[:, :, start:end],
            value[:, :, start:end],
            scaling=scaling,
            dropout=dropout,
            window=sliding_window,
            softcap=softcap,
        )
        for start, end in segments.bounds
    ]
    return torch.cat(found, dim=2).transpose(1, 2), None


def _causal(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    *,
    scaling: float | None,
    dropout: float,
    window: int | None,
    softcap: float | None,
) -> Tensor:
    length = query.shape[2]
    if softcap:
        return _capped(query, key, value, scaling=scaling, window=window, softcap=softcap)
    narrow = window is not None and window < length
    return scaled_dot_product_attention(
        query,
        key,
        value,
        attn_mask=_seen(length, window, query.device) if narrow else None,
        dropout_p=dropout,
        is_causal=not narrow,
        scale=scaling,
        enable_gqa=True,
    )


def _capped(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    *,
    scaling: float | None,
    window: int | None,
    softcap: float,
) -> Tensor:
    """Gemma-2's attention, whose scores are bent by tanh: no kernel of PyTorch does that."""
    repeats = query.shape[1] // key.shape[1]
    key, value = key.repeat_interleave(repeats, 1), value.repeat_interleave(repeats, 1)
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    scores = torch.tanh(query @ key.transpose(2, 3) * scale / softcap) * softcap
    seen = _seen(query.shape[2], window, query.device)
    weights = scores.masked_fill(~seen, float("-inf")).softmax(-1, dtype=torch.float32)
    return weights.to(value.dtype) @ value


def _seen(length: int, window: int | None, device: torch.device) -> Tensor:
    """[length, length], True where the position of a row may look at the one of a column."""
    place = torch.arange(length, device=device)
    distance = place[:, None] - place[None, :]
    return (distance >= 0) & (distance < (length if window is None else window))


def _flash(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    segments: Segments,
    scaling: float | None,
    window: int | None,
) -> Tensor:
    """The whole row in one call of the flash kernel that comes with PyTorch (2.10 and later)."""
    from torch.nn.attention.varlen import varlen_attn

    options: dict[str, Any] = {"scale": scaling}
    if "enable_gqa" in _flash_parameters():
        options["enable_gqa"] = True
    else:
        repeats = query.shape[1] // key.shape[1]
        key, value = key.repeat_interleave(repeats, 1), value.repeat_interleave(repeats, 1)
    if "window_size" in _flash_parameters():
        options["window_size"] = (-1 if window is None else window - 1, 0)
    else:
        options["is_causal"] = True  # 2.10: no windows yet
    flat = (part[0].transpose(0, 1).contiguous() for part in (query, key, value))
    ends, longest = segments.cumulative, segments.longest
    kernel: Callable[..., Any] = varlen_attn
    found = kernel(*flat, ends, ends, longest, longest, **options)
    return torch.as_tensor(found)[None]


@cache
def _flash_parameters() -> frozenset[str]:
    from torch.nn.attention.varlen import varlen_attn

    return frozenset(signature(varlen_attn).parameters)


AttentionInterface.register(NAME, attend)
