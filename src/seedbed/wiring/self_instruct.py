"""Self-Instruct: its table of the config, its seeds, its forecast."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence

from seedbed.config_recipes import SelfInstructTable
from seedbed.curate.review import all_of
from seedbed.datasets import sample
from seedbed.forecast import Forecast
from seedbed.models.metered import Metered
from seedbed.models.model import Model
from seedbed.plan import RunPlan
from seedbed.recipes.self_instruct import Accepted, Params, Seed, self_instruct
from seedbed.recipes.self_instruct import forecast as forecasts
from seedbed.recipes.self_instruct.presets import configured
from seedbed.recipes.self_instruct.seeds import seeds_of, shipped_seeds
from seedbed.records import JSON, Example, Instruction
from seedbed.session import Session
from seedbed.wiring.reading import seed_tasks
from seedbed.wiring.wiring import Wiring


def wanted(plan: RunPlan) -> int:
    return plan.config.count or 1000


def params(plan: RunPlan) -> Params:
    """The preset with what the config changes of it."""
    table = plan.config.self_instruct
    return asking(plan, table, count=wanted(plan), lag=table.lag)


def asking(plan: RunPlan, table: SelfInstructTable, *, count: int, lag: int) -> Params:
    return configured(
        table.preset,
        count=count,
        seed=plan.config.seed,
        lag=lag,
        window=plan.window,
        rounds=table.rounds,
        threshold=table.threshold,
        tokenizer=table.tokenizer,
        temperature=table.temperature,
        most_instances=table.most_instances,
        conflict=table.conflict,
        truncated=table.truncated,
        rules=table.rules,
        capitalize=table.capitalize,
        classification_only=table.classification_only,
        scores=table.scores,
    )


def seeds(plan: RunPlan, notes: list[str]) -> tuple[Seed, ...]:
    """The user's seed tasks, or ours."""
    if not plan.config.seeds.path:
        return shipped_seeds()
    found = seed_tasks(plan, plan.config.seeds)
    notes.append(str(found.report))
    tasks: Sequence[Example | Instruction] = found.tasks
    if plan.config.seeds.sample is not None:
        tasks = sample(tasks, plan.config.seeds.sample, seed=plan.config.seed)
    return seeds_of(tasks, classification=found.classification)


def forecast(plan: RunPlan) -> Forecast:
    practice = plan.config.teacher.model == "practice"
    lengths = forecasts.PRACTICE if practice else forecasts.TEACHER
    stages = forecasts.forecast(plan.prompts, params(plan), lengths, seeds=seeds(plan, []))
    return {"examples": stages}


def settings(plan: RunPlan) -> Mapping[str, str]:
    made = params(plan)
    return {
        "preset": plan.config.self_instruct.preset,
        "largest ROUGE-L": f"{made.bootstrap.threshold} ({made.bootstrap.tokenizer} tokens)",
        "lag": str(made.lag),
    }


def accepted_to_json(found: Accepted) -> dict[str, JSON]:
    """A row of the pool: what was accepted, from which demonstrations, and how near the rest is."""
    instruction, origin = found.instruction, found.instruction.origin
    row: dict[str, JSON] = {
        "id": instruction.id,
        "instruction": instruction.text,
        "round": origin.round,
        "draw": origin.draw,
        "parents": list(origin.parents),
        "calls": list(origin.calls),
    }
    if found.mean is not None:
        row |= {"most_similar": [list(pair) for pair in found.nearest], "mean": found.mean}
    return row


async def grow(
    plan: RunPlan, session: Session, teacher: Model, judge: Model
) -> AsyncIterator[Example]:
    session.counts |= {"seeds": 0, "instructions": 0}
    tasks = seeds(plan, session.notes)
    session.counts["seeds"] = len(tasks)

    def accept(found: Accepted) -> None:
        session.counts["instructions"] += 1
        session.files.note(accepted_to_json(found))

    async for example in self_instruct(
        tasks,
        model=Metered(teacher, session.tally("examples")),
        prompts=plan.prompts,
        review=all_of(),
        drop=session.drop,
        accept=accept,
        params=params(plan),
    ):
        yield example


WIRING = Wiring(
    wanted=wanted,
    forecast=forecast,
    settings=settings,
    grow=grow,
    unit="new instructions",
)
