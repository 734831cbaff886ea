"""Seedbed grows instruction-tuning data and never pays twice for a call.

The public names; each is imported when it is first used, so that importing the package is instant.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seedbed.datasets import read_dataset
    from seedbed.errors import SeedbedError
    from seedbed.journal import Journal
    from seedbed.models.model import FakeModel, Model
    from seedbed.plan import RunPlan, plan_run
    from seedbed.records import Drop, Example, Instruction
    from seedbed.run import grow
    from seedbed.session import Outcome, Progress

_HOMES = {
    "Drop": "records",
    "Example": "records",
    "FakeModel": "models.model",
    "Instruction": "records",
    "Journal": "journal",
    "Model": "models.model",
    "Outcome": "session",
    "Progress": "session",
    "RunPlan": "plan",
    "SeedbedError": "errors",
    "grow": "run",
    "plan_run": "plan",
    "read_dataset": "datasets",
}

__all__ = [
    "Drop",
    "Example",
    "FakeModel",
    "Instruction",
    "Journal",
    "Model",
    "Outcome",
    "Progress",
    "RunPlan",
    "SeedbedError",
    "grow",
    "plan_run",
    "read_dataset",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'seedbed' has no attribute {name!r}")
    return getattr(import_module(f"seedbed.{_HOMES[name]}"), name)
