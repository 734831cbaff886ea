"""Choosing tokens from logits: greedy, or drawn with a number that belongs to the row alone.

A row draws one number per token from a generator that its request seeds, and takes the token in
whose stretch of the cumulative distribution it falls. So which requests share a batch has no
influence on what is drawn (but for the rounding of the logits themselves).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

import torch
from torch import Tensor

from seedbed.records import Request, Sampling, digest

_GREEDY = 1e-4
"""Below this temperature the likeliest token has all the probability that floats can tell."""


@dataclass(slots=True)
class Draw:
    """How one row is drawn: its settings, its random numbers, what it has written so far."""

    sampling: Sampling
    rng: Random
    written: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, request: Request) -> Draw:
        """Seeded by the whole request with its draw."""
        return cls(request.sampling, Random(int(digest("draw", request.to_json())[:16], 16)))

    @property
    def greedy(self) -> bool:
        return self.sampling.temperature < _GREEDY

    @property
    def penalised(self) -> bool:
        return bool(self.sampling.frequency_penalty or self.sampling.presence_penalty)


def choose(logits: Tensor, rows: Sequence[Draw]) -> list[int]:
    """The next token of each row.

    Args:
        logits: [rows, vocabulary], float32; changed where a row has penalties.
    """
    for place, row in enumerate(rows):
        if row.penalised and row.written:
            _penalise(logits[place], row)
    chosen = logits.argmax(-1).tolist()
    drawn = [place for place, row in enumerate(rows) if not row.greedy]
    if drawn:
        picked = _draw(logits[drawn], [rows[place] for place in drawn])
        for place, token in zip(drawn, picked, strict=True):
            chosen[place] = token
    return [int(token) for token in chosen]


def _penalise(logits: Tensor, row: Draw) -> None:
    """OpenAI's penalties: for each time that a token was written, and once for that it was."""
    tokens, counts = torch.tensor(row.written, device=logits.device).unique(return_counts=True)
    sampling = row.sampling
    logits[tokens] -= counts * sampling.frequency_penalty + sampling.presence_penalty


def _draw(logits: Tensor, rows: Sequence[Draw]) -> list[int]:
    heat = torch.tensor([row.sampling.temperature for row in rows], device=logits.device)
    chances = (logits / heat.unsqueeze(-1)).softmax(-1)
    if chances.device.type == "mps":  # which has no float64
        chances = chances.cpu()
    for place, row in enumerate(rows):
        if row.sampling.top_p < 1:
            _keep_top(chances[place], row.sampling.top_p)
    stretches = chances.cumsum(-1, dtype=torch.float64)
    points = torch.tensor(
        [[row.rng.random()] for row in rows], dtype=torch.float64, device=stretches.device
    )
    found = torch.searchsorted(stretches, points * stretches[:, -1:], right=True)
    return [int(token) for token in found.clamp(max=logits.shape[-1] - 1).squeeze(-1).tolist()]


def _keep_top(chances: Tensor, top_p: float) -> None:
    """Leave only the likeliest tokens that reach `top_p` together."""
    ordered, places = chances.sort(descending=True)
    before = ordered.cumsum(-1) - ordered
    chances[places[before >= top_p]] = 0.0
