"""The composition root: the only place that wires models, journal, recipe and files together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, suppress
from itertools import count
from pathlib import Path

from seedbed.card import dataset_card
from seedbed.checking import check_once, needed
from seedbed.describe import card_facts
from seedbed.endpoint import Endpoint, check, model_name, models_of, open_model
from seedbed.errors import ConfigError, JournalError, SeedbedError
from seedbed.files import write_text
from seedbed.journal import Journal
from seedbed.models.budgeted import Budget
from seedbed.models.ledger import Caps
from seedbed.models.model import Model
from seedbed.models.spending import spent_in
from seedbed.plan import RunPlan, plan_run, price_of
from seedbed.projections import Projections
from seedbed.records import JSON
from seedbed.session import Outcome, Progress, Session
from seedbed.stopping import until_stopped
from seedbed.wiring import wiring_of

TICK = 0.25
"""Seconds between two looks at the progress."""

WRITTEN = 20
"""Looks at the progress between two times that it is written into the manifest."""

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
        stop: set it to end the run early; calls in flight settle first, for up to two minutes.
        skills_only: make `skills.json` and stop there.

    Returns:
        What was made and what it took; `status` says whether it is all that was asked for.

    Raises:
        SeedbedError: the run cannot go on. What was settled is kept, and the files show it.
    """
    plan = config if isinstance(config, RunPlan) else plan_run(Path(config))
    wiring = wiring_of(plan.config.recipe)
    check(plan, keys=True)
    earlier, notes = _earlier(plan)
    plan.folder.make()
    with Journal(plan.folder.journal) as journal, Projections(plan.folder) as projections:
        budget = budget_of(plan, journal)
        session = Session(
            plan=plan,
            journal=journal,
            ledger=budget.ledger,
            files=projections,
            earlier=earlier,
            notes=notes,
            forecast=wiring.forecast(plan),
            wanted=wiring.wanted(plan),
        )
        session.begin()
        try:
            finished = await _grow(plan, session, journal, budget, watch, stop, skills_only)
        except (SeedbedError, asyncio.CancelledError):
            with suppress(SeedbedError):
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
        tables = models_of(plan)
        await _check(plan, session, journal, budget)
        opened = [
            open_model(table, journal=journal, budget=budget, home=plan.home) for table in tables
        ]
        endpoints = [await stack.enter_async_context(endpoint) for endpoint in opened]
        teacher, judge = endpoints[0], endpoints[-1]
        try:
            return await until_stopped(
                _work(plan, session, teacher.model, judge.model, skills_only=skills_only),
                _tick(session, endpoints, watch),
                stop=stop or asyncio.Event(),
                endpoints=endpoints,
                journal=journal,
            )
        finally:
            _show(session, endpoints, watch)


async def _check(plan: RunPlan, session: Session, journal: Journal, budget: Budget) -> None:
    """Ask a few tiny questions of each server that is not known, before the first real spending.

    Raises:
        ModelError: it ignores what no run can do without.
    """
    for table in models_of(plan):
        if table.check and table.kind == "server" and table.model != "practice":
            only = needed(table, plan.config)
            session.notes += await check_once(table, journal=journal, budget=budget, only=only)


async def _work(
    plan: RunPlan, session: Session, teacher: Model, judge: Model, *, skills_only: bool
) -> None:
    wiring = wiring_of(plan.config.recipe)
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
    """Show the progress often, and write it down now and then for those who look at the folder."""
    for tick in count():
        _show(session, endpoints, watch)
        await asyncio.sleep(TICK)
        if tick % WRITTEN == WRITTEN - 1:
            session.write_progress()


def _show(session: Session, endpoints: list[Endpoint], watch: Watch | None) -> None:
    if watch is not None:
        in_flight = sum(endpoint.throttled.in_flight for endpoint in endpoints)
        level = sum(endpoint.throttled.limit for endpoint in endpoints)
        trouble = next((said for endpoint in endpoints if (said := endpoint.said)), "")
        watch(session.progress(in_flight=in_flight, level=level, trouble=trouble))


def _earlier(plan: RunPlan) -> tuple[Mapping[str, JSON], list[str]]:
    """What the last session left behind; notes if that cannot be read, or is of another run.

    Raises:
        JournalError: calls were paid for in this folder, and the journal that knows them is gone.
    """
    try:
        earlier = plan.folder.read_manifest()
    except ConfigError as error:
        return {}, [f"{error}; it is made anew."]
    paid = earlier["spend"]["calls"] if earlier else 0
    if paid and not plan.folder.journal.exists():
        raise JournalError(
            f"{plan.folder.journal}: gone, and with it the answers of {paid:,} paid calls",
            hint="Restore it. To pay anew: move manifest.json away, or give the run another "
            "folder with --out.",
        )
    return earlier, _replaced(plan, earlier)


def _replaced(plan: RunPlan, earlier: Mapping[str, JSON]) -> list[str]:
    """A note where the folder holds the examples of another recipe or seed."""
    if not earlier or not earlier["counts"].get("kept"):
        return []
    before, now = (earlier["recipe"], earlier["seed"]), (plan.config.recipe, plan.config.seed)
    if before == now:
        return []
    return [
        f"The folder held a run of the recipe {before[0]!r} with seed {before[1]}; this one is of "
        f"{now[0]!r} with seed {now[1]}. The earlier answers stay in the journal: with its config "
        "as it was, the earlier dataset is made again from them. To keep both datasets, give each "
        "run a folder of its own with --out."
    ]


def _publish(session: Session, *, finished: bool, skills_only: bool) -> Outcome:
    outcome = session.end(finished=finished, skills_only=skills_only)
    folder = session.plan.folder
    if folder.examples.exists():
        settings = wiring_of(session.plan.config.recipe).settings(session.plan)
        write_text(folder.card, dataset_card(card_facts(outcome, settings=settings)))
    return outcome


def budget_of(plan: RunPlan, journal: Journal) -> Budget:
    """The caps of all sessions together, with what earlier ones spent."""
    config = plan.config
    prices = {model_name(table, home=plan.home): price_of(table) for table in models_of(plan)}
    caps = Caps(
        dollars=config.budget.dollars, tokens=config.budget.tokens, calls=config.budget.calls
    )
    return Budget(caps, spent=spent_in(journal, prices))
