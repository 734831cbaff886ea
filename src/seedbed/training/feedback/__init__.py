"""What training says of a batch and of each of its examples."""

from __future__ import annotations

from seedbed.training.feedback.detrend import detrended
from seedbed.training.feedback.reader import (
    CHEAP,
    FREE,
    NAMES,
    Memory,
    known_signals,
    train_and_read,
    without_instruction,
)

__all__ = [
    "CHEAP",
    "FREE",
    "NAMES",
    "Memory",
    "detrended",
    "known_signals",
    "train_and_read",
    "without_instruction",
]
