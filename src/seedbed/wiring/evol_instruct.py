"""Evol-Instruct: its table of the config, its seeds, its forecast, its rates of success."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace

from seedbed.curate.review import all_of
from seedbed.datasets import sample
from seedbed.forecast import JUDGE, Forecast, Range
from seedbed.models.metered import Metered
from seedbed.models.model import Model
from seedbed.plan import RunPlan
from seedbed.recipes.evol_instruct import evol_instruct
from seedbed.recipes.evol_instruct.forecast import JUDGE as EQUALITY
from seedbed.recipes.evol_instruct.forecast import (
    PRACTICE,
    TEACHER,
    expected_examples,
    forecast_evolution,
    seed_sizes,
)
from seedbed.recipes.evol_instruct.params import Params
from seedbed.recipes.evol_instruct.presets import PRESETS
from seedbed.recipes.evol_instruct.rates import Rates
from seedbed.recipes.self_instruct.seeds import shipped_seeds
from seedbed.records import Drop, Dropped, Example, Instruction
from seedbed.session import Session
from seedbed.wiring.reading import seed_tasks
from seedbed.wiring.wiring import Wiring


def wanted(plan: RunPlan) -> int | None:
    return plan.config.count


def params(plan: RunPlan) -> Params:
    """The preset with what the config changes of it."""
    table = plan.config.evol_instruct
    made = replace(
        PRESETS[table.preset], count=wanted(plan), seed=plan.config.seed, window=plan.window
    )
    elimination = made.elimination
    if table.equality_judge is not None:
        elimination = replace(elimination, equality=table.equality_judge)
    if table.most_words is not None:
        growth = replace(elimination.growth, words_in_all=table.most_words)
        elimination = replace(elimination, growth=growth)
    return replace(
        made,
        elimination=elimination,
        rounds=made.rounds if table.rounds is None else table.rounds,
        operations=made.operations if table.operations is None else tuple(table.operations),
        originals=made.originals if table.originals is None else table.originals,
    )


def seeds(plan: RunPlan, notes: list[str]) -> tuple[Example | Instruction, ...]:
    """The user's data, or another run's, or the seed tasks that ship with Self-Instruct."""
    table = plan.config.seeds
    if not table.path:
        return tuple(example for seed in shipped_seeds() for example in seed.examples)
    found = seed_tasks(plan, table)
    notes.append(str(found.report))
    if table.sample is None:
        return found.tasks
    return tuple(sample(found.tasks, table.sample, seed=plan.config.seed))


def forecast(plan: RunPlan) -> Forecast:
    practice = plan.config.teacher.model == "practice"
    made = params(plan)
    stages = forecast_evolution(
        plan.prompts,
        made,
        PRACTICE if practice else TEACHER,
        seeds=seed_sizes(seeds(plan, []), made),
    )
    judging = {JUDGE: stages[EQUALITY]} if EQUALITY in stages else {}
    return {"examples": stages["rewrite"] + stages["answer"]} | judging


def settings(plan: RunPlan) -> Mapping[str, str]:
    made = params(plan)
    return {
        "preset": plan.config.evol_instruct.preset,
        "rounds": str(made.rounds),
        "operations": ", ".join(made.operations),
        "equality judge": "on" if made.elimination.equality else "off",
    }


def expected(plan: RunPlan) -> Range:
    made = params(plan)
    return expected_examples(made, seed_sizes(seeds(plan, []), made))


async def grow(
    plan: RunPlan, session: Session, teacher: Model, judge: Model
) -> AsyncIterator[Example]:
    rates = Rates()

    def drop(item: Dropped, objection: Drop) -> None:
        rates.drop(item, objection)
        session.drop(item, objection)
        session.extras["rates"] = rates.to_json()

    given = seeds(plan, session.notes)
    session.counts["seeds"] = len(given)
    made = params(plan)
    judging = session.tally(JUDGE) if made.elimination.equality else session.tally("examples")
    async for example in evol_instruct(
        given,
        model=Metered(teacher, session.tally("examples")),
        judge=Metered(judge, judging),
        prompts=plan.prompts,
        review=all_of(),
        drop=drop,
        params=made,
    ):
        rates.keep(example)
        session.extras["rates"] = rates.to_json()
        yield example


WIRING = Wiring(
    wanted=wanted,
    forecast=forecast,
    settings=settings,
    expected=expected,
    grow=grow,
    unit="examples",
)
