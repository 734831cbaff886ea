"""SeDi-Instruct: its table of the config, its student, what it tells of batches and seeds."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace

from seedbed.curate.diversity import Composition, Embed
from seedbed.curate.review import all_of
from seedbed.forecast import Forecast
from seedbed.models.metered import Metered
from seedbed.models.model import Model
from seedbed.plan import RunPlan
from seedbed.recipes.sedi import Params, sedi
from seedbed.recipes.sedi.params import Steering, relaxed
from seedbed.recipes.self_instruct import Accepted, Seed
from seedbed.recipes.self_instruct import forecast as forecasts
from seedbed.records import BatchSignals, Example
from seedbed.session import Session
from seedbed.streams import rng
from seedbed.training.feedback import FREE
from seedbed.wiring.self_instruct import accepted_to_json, asking, seeds
from seedbed.wiring.steered import Told
from seedbed.wiring.student import Pupil
from seedbed.wiring.wiring import Wiring

REFERENCES = 64
"""Seed examples that the signals on a reference set are of."""


def wanted(plan: RunPlan) -> int:
    return plan.config.count or 1000


def params(plan: RunPlan) -> Params:
    """What the config's tables say, as the recipe takes it."""
    table, seed = plan.config.sedi, plan.config.seed
    asked = asking(plan, table, count=wanted(plan), lag=table.asks_ahead)
    return Params(
        count=wanted(plan),
        asking=relaxed(
            asked,
            threshold=table.threshold,
            machine=table.machine_demonstrations,
            asks_ahead=table.asks_ahead,
        ),
        composition=Composition(
            size=plan.config.student.settings.batch_examples,
            compose=table.batches,
            balance=table.balance,
            pick=table.pick,
            clusters=table.clusters,
            lookahead=table.lookahead,
            patience=table.patience,
            seed=seed,
        ),
        steering=Steering(
            signal=table.signal,
            prefer=table.prefer,
            detrend=table.detrend,
            every=table.every,
            attractive_batches=table.attractive_batches,
            instructions_per_batch=table.instructions_per_batch,
            example_signal=table.example_signal,
            retire=table.retire,
            least_offspring=table.least_offspring,
            least_seeds=table.least_seeds,
            lag=table.lag,
            seed=seed,
        ),
    )


def forecast(plan: RunPlan) -> Forecast:
    """Self-Instruct's forecast for as many examples; the student costs no calls."""
    practice = plan.config.teacher.model == "practice"
    lengths = forecasts.PRACTICE if practice else forecasts.TEACHER
    asked = params(plan).asking
    low, high = (1.0, 1.0) if asked.instances is None else (1.0, lengths.written.high)
    instructions = replace(asked, count=max(1, round(wanted(plan) / low)))
    fewest = replace(asked, count=max(1, round(wanted(plan) / high)))
    tasks = seeds(plan, [])
    return {
        "examples": forecasts.between(
            *(
                forecasts.forecast(plan.prompts, each, lengths, seeds=tasks)
                for each in (fewest, instructions)
            )
        )
    }


def settings(plan: RunPlan) -> Mapping[str, str]:
    table, made = plan.config.sedi, params(plan)
    signal = f"{table.prefer} {table.signal}" if table.listens else table.prefer
    return {
        "method": "a reconstruction",
        "asks as": f"Self-Instruct, {table.preset}",
        "largest ROUGE-L": f"{table.threshold} ({made.asking.bootstrap.tokenizer} tokens)",
        "batches": f"{table.batches}, {made.composition.size} examples",
        "attractive": signal,
        "seeds move every": f"{table.every} batches" if table.prefer != "none" else "never",
        "lag": str(table.lag),
        "student": plan.config.student.base if table.listens else "none",
    }


def caution(plan: RunPlan) -> str:
    """Seeds that move with the last batch, or never, shape no example."""
    table, size = plan.config.sedi, params(plan).composition.size
    batches = wanted(plan) // size
    if table.prefer == "none" or batches > table.every:
        return ""
    return (
        f"{wanted(plan):,} examples are {batches:,} batches of {size:,}, and the seeds move after "
        f"every {table.every}: too late here to shape an example. Ask for more, or lower "
        "[sedi] every or [student] batch_examples."
    )


def signals(plan: RunPlan) -> tuple[str, ...]:
    """What the student is asked for: what is free, and what the config names."""
    table = plan.config.sedi
    named = (table.signal, table.example_signal)
    return tuple(dict.fromkeys([*FREE, *(name for name in named if name)]))


def embedding(plan: RunPlan) -> Embed | None:
    name = plan.config.sedi.embedding
    if not name:
        return None
    from seedbed.curate.diversity.embedding import hugging_face

    folder = plan.path(name)
    return hugging_face(str(folder) if folder.is_dir() else name)


async def grow(
    plan: RunPlan, session: Session, teacher: Model, judge: Model
) -> AsyncIterator[Example]:
    session.counts |= {"seeds": 0, "pool": 0}
    tasks = seeds(plan, session.notes)
    session.counts["seeds"] = len(tasks)
    told = Told(plan, session, seeds=tasks)

    def accept(found: Accepted) -> None:
        session.counts["pool"] += 1
        session.files.note(accepted_to_json(found))

    pupil = Pupil(
        plan,
        session,
        signals=signals(plan),
        texts=lambda: answered(tasks),
        reference=references(tasks, plan.config.seed),
    )
    with pupil:
        listens = plan.config.sedi.listens
        if listens:
            await pupil.begin()
        async for example in sedi(
            tasks,
            model=Metered(teacher, session.tally("examples")),
            prompts=plan.prompts,
            feedback=pupil.feedback if listens else Silent().feedback,
            review=all_of(),
            drop=session.drop,
            accept=accept,
            note=told.note,
            params=params(plan),
            embed=embedding(plan),
        ):
            yield example
        told.end()


def answered(tasks: Sequence[Seed]) -> list[Example]:
    return [example for task in tasks for example in task.examples]


def references(tasks: Sequence[Seed], seed: int) -> list[Example]:
    """Examples of the seeds for the signals on a reference set, the same at every start."""
    known = answered(tasks)
    return rng("sedi reference", seed).sample(known, min(REFERENCES, len(known)))


class Silent:
    """Stands where a student is not asked: trains nothing and says nothing."""

    def __init__(self) -> None:
        self._steps = 0

    async def feedback(self, batch: Sequence[Example]) -> BatchSignals:
        self._steps += 1
        return BatchSignals(step=self._steps, batch={}, examples=tuple({} for _ in batch))


WIRING = Wiring(
    wanted=wanted,
    forecast=forecast,
    settings=settings,
    grow=grow,
    caution=caution,
)
