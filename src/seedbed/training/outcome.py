"""What training tells while it goes on, and when it has ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from seedbed.training.encode import Encoded
from seedbed.training.loop import Step
from seedbed.training.student import Student

StepFunction = Callable[[Student, Sequence[Encoded]], Step]
"""Makes one optimizer step; `loop.train_step`, or something that also reads signals."""

Choice = Callable[[Sequence[dict[str, Any]]], dict[str, Any]]
"""Picks the best of the rows of `epochs.jsonl`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainProgress:
    """Where training stands, after a step; `seconds` and `tokens` are of all sessions."""

    step: int
    steps: int
    epoch: int
    epochs: int
    loss: float
    held_out_loss: float | None
    tokens_per_second: float
    seconds: float
    seconds_left: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """How training ended; `best` is the chosen checkpoint's folder, None before an epoch's end."""

    status: Literal["done", "interrupted"]
    folder: Path
    best: Path | None
    manifest: dict[str, Any]


def lowest_loss(epochs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The epoch with the lowest held-out loss, the earliest of equals; the last without one."""
    measured = [row for row in epochs if row["held_out_loss"] is not None]
    return min(measured, key=lambda row: row["held_out_loss"]) if measured else epochs[-1]
