"""Supervised fine-tuning of a student on examples, and what training says of them.

PyTorch is imported when something of it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from seedbed.training.settings import PRESETS, TrainSettings

if TYPE_CHECKING:
    from seedbed.training.finetuning import finetune
    from seedbed.training.outcome import Trained, TrainProgress

__all__ = ["PRESETS", "TrainProgress", "TrainSettings", "Trained", "finetune"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'seedbed.training' has no attribute {name!r}")
    return getattr(import_module("seedbed.training.finetuning"), name)
