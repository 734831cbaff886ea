"""One session of `seedbed eval`: what is asked goes through journal and budget, like any run's."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from seedbed.endpoint import Endpoint, model_name, open_model
from seedbed.evaluate.answers import Student
from seedbed.evaluate.judge import Judge
from seedbed.evaluate.measurement import Result, write_result
from seedbed.files import make_folder
from seedbed.journal import Journal
from seedbed.measuring.benchmarks import Ready, ready
from seedbed.measuring.plan import EvalPlan
from seedbed.models.budgeted import Budget
from seedbed.models.ledger import Caps, Spend
from seedbed.models.spending import spent_in
from seedbed.plan import price_of
from seedbed.stopping import until_stopped

TICK = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class EvalProgress:
    """How far it is: turns answered and judgments made of the present benchmark, replayed ones too.

    `spend` is of all sessions; `priced` says whether the price of every model is known; `trouble`
    says why nothing comes back, while nothing does.
    """

    benchmark: str
    answered: int
    turns: int
    judged: int
    judgments: int
    unread: int
    in_flight: int
    trouble: str
    spend: Spend
    priced: bool
    cap_dollars: float | None
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EvalOutcome:
    """What was measured; `finished` is False where it was stopped before the end."""

    results: tuple[Result, ...]
    files: tuple[Path, ...]
    finished: bool
    spend: Spend


Watch = Callable[[EvalProgress], None]


@dataclass(slots=True)
class _Now:
    """The benchmark under way, and its counters."""

    bench: Ready
    student: Student
    judge: Judge | None


class _Session:
    """Runs the benchmarks one after the other and writes each result as soon as it is there."""

    def __init__(self, plan: EvalPlan, benches: list[Ready]) -> None:
        self.plan = plan
        self.benches = benches
        self.results: list[Result] = []
        self.files: list[Path] = []
        self.now: _Now | None = None
        self.began = time.monotonic()

    async def work(self, endpoints: list[Endpoint]) -> None:
        for bench in self.benches:
            judge = Judge(endpoints[1].model) if len(endpoints) > 1 else None
            self.now = _Now(bench, Student(endpoints[0].model), judge)
            result = await bench.run(self.now.student, judge)
            self.files.append(write_result(result, self.plan.folder))
            self.results.append(result)

    def progress(self, endpoints: list[Endpoint], budget: Budget) -> EvalProgress | None:
        if self.now is None:
            return None
        bench, student, judge = self.now.bench, self.now.student, self.now.judge
        return EvalProgress(
            benchmark=bench.name,
            answered=student.answered + student.rejected,
            turns=bench.turns,
            judged=judge.asked if judge else 0,
            judgments=bench.judgments,
            unread=judge.failed if judge else 0,
            in_flight=sum(endpoint.throttled.in_flight for endpoint in endpoints),
            trouble=next((said for one in endpoints if (said := one.said)), ""),
            spend=budget.ledger.spent,
            priced=self.plan.priced,
            cap_dollars=self.plan.budget.dollars,
            seconds=time.monotonic() - self.began,
        )


async def measure(
    plan: EvalPlan, *, watch: Watch | None = None, stop: asyncio.Event | None = None
) -> EvalOutcome:
    """Measure a student on all benchmarks of a plan but `knowledge`, or go on where it stopped.

    Args:
        plan: what is measured, and where it goes.
        watch: is told how far it is, a few times a second.
        stop: set it to end early; calls in flight settle first, for up to two minutes.

    Raises:
        SeedbedError: it cannot go on. What was settled is kept in the journal, and results that
            were finished are written.
    """
    benches = [ready(plan, name) for name in plan.asked]
    make_folder(plan.folder)
    with Journal(plan.folder / "journal.db") as journal:
        budget = _budget(plan, journal)
        session = _Session(plan, benches)
        finished = await _watched(session, journal, budget, watch, stop or asyncio.Event())
        return EvalOutcome(
            results=tuple(session.results),
            files=tuple(session.files),
            finished=finished,
            spend=budget.ledger.spent,
        )


async def _watched(
    session: _Session,
    journal: Journal,
    budget: Budget,
    watch: Watch | None,
    stop: asyncio.Event,
) -> bool:
    """Work to the end (True) or until `stop` is set (False)."""
    async with AsyncExitStack() as stack:
        home = session.plan.subject.home
        endpoints = [
            await stack.enter_async_context(
                open_model(table, journal=journal, budget=budget, home=home)
            )
            for table in session.plan.tables
        ]
        return await until_stopped(
            session.work(endpoints),
            _tick(session, endpoints, budget, watch),
            stop=stop,
            endpoints=endpoints,
            journal=journal,
        )


async def _tick(
    session: _Session, endpoints: list[Endpoint], budget: Budget, watch: Watch | None
) -> None:
    while True:
        now = session.progress(endpoints, budget)
        if watch is not None and now is not None:
            watch(now)
        await asyncio.sleep(TICK)


def _budget(plan: EvalPlan, journal: Journal) -> Budget:
    """The caps of all sessions together, with what earlier ones spent."""
    home = plan.subject.home
    prices = {model_name(table, home=home): price_of(table) for table in plan.tables}
    wish = plan.budget
    caps = Caps(dollars=wish.dollars, tokens=wish.tokens, calls=wish.calls)
    return Budget(caps, spent=spent_in(journal, prices))
