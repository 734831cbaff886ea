"""What a run needs of a recipe."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass

from seedbed.forecast import Forecast, Range
from seedbed.models.model import Model
from seedbed.plan import RunPlan
from seedbed.records import Example
from seedbed.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """How a run uses a recipe.

    Args:
        wanted: how many examples (or instructions, where the recipe counts those) are asked for;
            None where it goes on to the end of its seeds.
        forecast: what the run will take, before any call.
        unit: what is counted.
        settings: what the dataset card says of its settings.
        grow: the examples, in order; drops and counts go to the session. It gets the teacher and
            the judge, which may be the same model.
        skills: its first stage alone, where it has one that stands alone.
        expected: how many examples its seeds are likely to give, where they set a bound.
        caution: what of the config cannot work as it is meant to, for `plan` to say; else "".
    """

    wanted: Callable[[RunPlan], int | None]
    forecast: Callable[[RunPlan], Forecast]
    settings: Callable[[RunPlan], Mapping[str, str]]
    grow: Callable[[RunPlan, Session, Model, Model], AsyncIterator[Example]]
    unit: str = "examples"
    skills: Callable[[RunPlan, Session, Model], Awaitable[object]] | None = None
    expected: Callable[[RunPlan], Range] | None = None
    caution: Callable[[RunPlan], str] = lambda plan: ""
