"""The composition root: the only place that wires models, journal, recipe and files together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path

from seedbed.card import dataset_card
from seedbed.describe import card_facts
from seedbed.endpoint import Endpoint, model_name, open_model
from seedbed.errors import ConfigError, SeedbedError, StorageError
from seedbed.files import write_text
from seedbed.journal import Journal
from seedbed.models.budgeted import Budget
from seedbed.models.ledger import Caps
from seedbed.models.model import Model
from seedbed.models.spending import spent_in
from seedbed.plan import RunPlan, plan_run, price_of
from seedbed.projections import Projections
from seedbed.session import Outcome, Progress, Session
from seedbed.wiring import WIRINGS

GRACE = 120.0
"""Seconds that calls in flight get to settle when a run is stopped: they are paid for."""

TICK = 0.25
"""Seconds between two looks at the progress."""

Watch = Callable[[Progress], None]


async def grow(
    config: RunPlan | Path | str,
    *,
    watch: Watch | None = None,
    stop: asyncio.Event | None = None,
    skills_only: bool = False,
) -> Outcome:
    """Make a run's data, or go on where it stopped: the journal decides what is asked.

    Args:
        config: a config file, or a plan made from one.
        watch: is told how far the run is, a few times a second.
        stop: set it to end the run early; calls in flight settle first, for up to `GRACE` seconds.
        skills_only: make `skills.json` and stop there.

    Returns:
        What was made and what it took; `status` says whether it is all that was asked for.

    Raises:
        SeedbedError: the run cannot go on. What was settled is kept, and the files show it.
    """
    plan = config if isinstance(config, RunPlan) else plan_run(Path(config))
    wiring = WIRINGS[plan.config.recipe]
    plan.folder.make()
    with Journal(plan.folder.journal) as journal, Projections(plan.folder) as projections:
        budget = _budget(plan, journal)
        session = Session(
            plan=plan,
            journal=journal,
            ledger=budget.ledger,
            files=projections,
            earlier=plan.folder.read_manifest(),
            forecast=wiring.forecast(plan),
            wanted=wiring.wanted(plan),
        )
        session.begin()
        try:
            finished = await _grow(plan, session, journal, budget, watch, stop, skills_only)
        except (SeedbedError, asyncio.CancelledError):
            with suppress(StorageError):
                _publish(session, finished=False, skills_only=skills_only)
            raise
        return _publish(session, finished=finished, skills_only=skills_only)


async def _grow(
    plan: RunPlan,
    session: Session,
    journal: Journal,
    budget: Budget,
    watch: Watch | None,
    stop: asyncio.Event | None,
    skills_only: bool,
) -> bool:
    """Work until the recipe ends (True) or `stop` is set (False); calls in flight settle first."""
    async with AsyncExitStack() as stack:
        tables = [plan.config.teacher] + ([plan.config.judge] if plan.config.judge else [])
        opened = [open_model(table, journal=journal, budget=budget) for table in tables]
        endpoints = [await stack.enter_async_context(endpoint) for endpoint in opened]
        teacher, judge = endpoints[0], endpoints[-1]
        work = asyncio.create_task(
            _work(plan, session, teacher.model, judge.model, skills_only=skills_only)
        )
        stopping = asyncio.create_task((stop or asyncio.Event()).wait())
        ticking = asyncio.create_task(_tick(session, endpoints, watch))
        try:
            await asyncio.wait((work, stopping), return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                work.result()
            return work.done()
        finally:
            for endpoint in endpoints:
                endpoint.stop()
            for task in (work, stopping):
                task.cancel()
            await asyncio.gather(work, stopping, return_exceptions=True)
            await journal.drain(GRACE)
            ticking.cancel()


async def _work(
    plan: RunPlan, session: Session, teacher: Model, judge: Model, *, skills_only: bool
) -> None:
    wiring = WIRINGS[plan.config.recipe]
    if skills_only:
        if wiring.skills is None:
            raise ConfigError(
                f"the recipe {plan.config.recipe} has no stage that makes skills",
                hint="`seedbed run` makes its data.",
            )
        await wiring.skills(plan, session, teacher)
        return
    async for example in wiring.grow(plan, session, teacher, judge):
        session.keep(example)


async def _tick(session: Session, endpoints: list[Endpoint], watch: Watch | None) -> None:
    while watch is not None:
        in_flight = sum(endpoint.throttled.in_flight for endpoint in endpoints)
        level = sum(endpoint.throttled.limit for endpoint in endpoints)
        watch(session.progress(in_flight=in_flight, level=level))
        await asyncio.sleep(TICK)


def _publish(session: Session, *, finished: bool, skills_only: bool) -> Outcome:
    outcome = session.end(finished=finished, skills_only=skills_only)
    folder = session.plan.folder
    if folder.examples.exists():
        settings = WIRINGS[session.plan.config.recipe].settings(session.plan)
        write_text(folder.card, dataset_card(card_facts(outcome, settings=settings)))
    return outcome


def _budget(plan: RunPlan, journal: Journal) -> Budget:
    """The caps of all sessions together, with what earlier ones spent."""
    config = plan.config
    tables = [config.teacher] + ([config.judge] if config.judge is not None else [])
    prices = {model_name(table): price_of(table) for table in tables}
    caps = Caps(
        dollars=config.budget.dollars, tokens=config.budget.tokens, calls=config.budget.calls
    )
    return Budget(caps, spent=spent_in(journal, prices))
