"""From a recipe's name in the config to what a run needs of it; one file for each recipe."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass

from seedbed.forecast import Forecast, Range
from seedbed.models.model import Model
from seedbed.plan import RunPlan
from seedbed.records import Example
from seedbed.session import Session
from seedbed.wiring import directed, evol_instruct, sedi, self_instruct, skillmix


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
    """

    wanted: Callable[[RunPlan], int | None]
    forecast: Callable[[RunPlan], Forecast]
    settings: Callable[[RunPlan], Mapping[str, str]]
    grow: Callable[[RunPlan, Session, Model, Model], AsyncIterator[Example]]
    unit: str = "examples"
    skills: Callable[[RunPlan, Session, Model], Awaitable[object]] | None = None
    expected: Callable[[RunPlan], Range] | None = None


WIRINGS: Mapping[str, Wiring] = {
    "skillmix": Wiring(
        wanted=skillmix.wanted,
        forecast=skillmix.forecast,
        settings=skillmix.settings,
        grow=skillmix.grow,
        skills=skillmix.skills,
    ),
    "self_instruct": Wiring(
        wanted=self_instruct.wanted,
        forecast=self_instruct.forecast,
        settings=self_instruct.settings,
        grow=self_instruct.grow,
        unit="new instructions",
    ),
    "evol_instruct": Wiring(
        wanted=evol_instruct.wanted,
        forecast=evol_instruct.forecast,
        settings=evol_instruct.settings,
        expected=evol_instruct.expected,
        grow=evol_instruct.grow,
        unit="examples",
    ),
    "sedi": Wiring(
        wanted=sedi.wanted,
        forecast=sedi.forecast,
        settings=sedi.settings,
        grow=sedi.grow,
    ),
    "directed": Wiring(
        wanted=skillmix.wanted,
        forecast=directed.forecast,
        settings=directed.settings,
        grow=directed.grow,
        skills=skillmix.skills,
    ),
}


def forecast_of(plan: RunPlan) -> Forecast:
    """What a run will take: for each of its stages, prompt by prompt."""
    return WIRINGS[plan.config.recipe].forecast(plan)
