"""From a recipe's name in the config to what a run needs of it; one file for each recipe."""

from __future__ import annotations

from importlib import import_module

from seedbed.forecast import Forecast
from seedbed.plan import RunPlan
from seedbed.wiring.wiring import Wiring

RECIPES = ("skillmix", "self_instruct", "evol_instruct", "sedi", "directed")


def wiring_of(recipe: str) -> Wiring:
    """The recipe's own, imported when it is asked for: a run needs one, and starts sooner."""
    found: Wiring = import_module(f"seedbed.wiring.{recipe}").WIRING
    return found


def forecast_of(plan: RunPlan) -> Forecast:
    """What a run will take: for each of its stages, prompt by prompt."""
    return wiring_of(plan.config.recipe).forecast(plan)
