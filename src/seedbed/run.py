"""The composition root: the only place that wires models, journal, recipe and files together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from seedbed.card import dataset_card
from seedbed.config import DatasetTable, ModelTable
from seedbed.curate.leaks import guard
from seedbed.curate.review import all_of, mended
from seedbed.datasets import ReadSettings, read_dataset, sample
from seedbed.describe import card_facts
from seedbed.errors import SeedbedError, StorageError
from seedbed.files import write_text
from seedbed.journal import Journal
from seedbed.models.allowances import Allowances
from seedbed.models.announced import Announced
from seedbed.models.budgeted import Budget, Budgeted
from seedbed.models.chat import ChatModel
from seedbed.models.journaled import Journaled
from seedbed.models.ledger import Caps
from seedbed.models.metered import Metered
from seedbed.models.model import Model
from seedbed.models.practice import PracticeTeacher, Trouble
from seedbed.models.retrying import Patience, Retrying
from seedbed.models.settings import ChatSettings
from seedbed.models.spending import spent_in
from seedbed.models.throttled import Limits, Throttled
from seedbed.models.tolerating import Tolerating
from seedbed.plan import RunPlan, plan_run, price_of
from seedbed.projections import Projections
from seedbed.recipes.skillmix import skillmix
from seedbed.recipes.skillmix.extract import (
    asker,
    query_types_from_teacher,
    skills_from_examples,
    skills_from_teacher,
)
from seedbed.recipes.skillmix.presence import skill_presence
from seedbed.recipes.skillmix.skillset import SkillSet, load_skills
from seedbed.records import Example, Review
from seedbed.session import Outcome, Progress, Session

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
    plan.folder.make()
    with Journal(plan.folder.journal) as journal, Projections(plan.folder) as projections:
        budget = _budget(plan, journal)
        session = Session(
            plan=plan,
            journal=journal,
            ledger=budget.ledger,
            files=projections,
            earlier=plan.folder.read_manifest(),
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
        tables = [plan.config.teacher, plan.config.judge or plan.config.teacher]
        opened = [open_model(table, journal=journal, budget=budget) for table in tables]
        teacher, judge = [await stack.enter_async_context(endpoint) for endpoint in opened]
        work = asyncio.create_task(
            _work(plan, session, teacher.model, judge.model, skills_only=skills_only)
        )
        stopping = asyncio.create_task((stop or asyncio.Event()).wait())
        ticking = asyncio.create_task(_tick(session, teacher, watch))
        try:
            await asyncio.wait((work, stopping), return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                work.result()
            return work.done()
        finally:
            for endpoint in (teacher, judge):
                endpoint.stop()
            for task in (work, stopping):
                task.cancel()
            await asyncio.gather(work, stopping, return_exceptions=True)
            await journal.drain(GRACE)
            ticking.cancel()


async def _tick(session: Session, teacher: Endpoint, watch: Watch | None) -> None:
    while watch is not None:
        throttled = teacher.throttled
        watch(session.progress(in_flight=throttled.in_flight, level=throttled.limit))
        await asyncio.sleep(TICK)


def _publish(session: Session, *, finished: bool, skills_only: bool) -> Outcome:
    outcome = session.end(finished=finished, skills_only=skills_only)
    folder = session.plan.folder
    if folder.examples.exists():
        write_text(folder.card, dataset_card(card_facts(outcome)))
    return outcome


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A model with all its wrappers, and the one that knows what is in flight."""

    model: Model
    throttled: Throttled
    retrying: Retrying

    def stop(self) -> None:
        """Send nothing any more; calls in flight come to their end."""
        self.retrying.stop()
        self.throttled.stop()


@asynccontextmanager
async def open_model(
    table: ModelTable, *, journal: Journal, budget: Budget
) -> AsyncIterator[Endpoint]:
    """A model of the config inside its wrappers; here their order is fixed.

    Journaled outside of Retrying: an answer is remembered once, however many tries it took.
    Budgeted inside of Retrying: every try is reserved and settled by itself, since one that timed
    out may have been charged, and a wait between tries holds no money back. Throttled sees the
    server as it is. Announced innermost: what waits for its turn has not been sent.
    """
    allowances = Allowances()
    async with AsyncExitStack() as stack:
        asked: Model
        if table.in_process:
            asked = PracticeTeacher(trouble=Trouble(**table.trouble.model_dump()))
        else:
            chat = ChatModel(chat_settings(table), allowances=allowances)
            asked = await stack.enter_async_context(chat)
        announced = Announced(asked, journal)
        throttled = Throttled(announced, limits=_limits(table), allowances=allowances)
        budgeted = Budgeted(throttled, budget=budget, price=price_of(table))
        patience = Patience(attempts=table.attempts, seconds=table.patience)
        retrying = Retrying(budgeted, patience=patience)
        model = Tolerating(Journaled(retrying, journal))
        yield Endpoint(model=model, throttled=throttled, retrying=retrying)


def chat_settings(table: ModelTable) -> ChatSettings:
    return ChatSettings(
        model=table.model,
        base_url=table.url,
        api_key_env=table.key_variable,
        extra_body=dict(table.extra),
        timeout=table.timeout,
        connect_timeout=table.connect_timeout,
        max_completion_tokens=table.max_completion_tokens,
        json_schema=table.json_schema,
        seed_from_draw=table.send_seed,
        max_connections=table.max_in_flight,
        label=table.name,
    )


def _limits(table: ModelTable) -> Limits:
    return Limits(
        max_in_flight=table.max_in_flight,
        start=min(32, table.max_in_flight),
        requests_per_minute=table.requests_per_minute,
        tokens_per_minute=table.tokens_per_minute,
    )


def _budget(plan: RunPlan, journal: Journal) -> Budget:
    """The caps of all sessions together, with what earlier ones spent."""
    config = plan.config
    tables = [config.teacher] + ([config.judge] if config.judge is not None else [])
    prices = {model_name(table): price_of(table) for table in tables}
    caps = Caps(
        dollars=config.budget.dollars, tokens=config.budget.tokens, calls=config.budget.calls
    )
    return Budget(caps, spent=spent_in(journal, prices))


def model_name(table: ModelTable) -> str:
    """What the journal calls the model of a table."""
    if table.in_process:
        return PracticeTeacher(trouble=Trouble(**table.trouble.model_dump())).name
    return chat_settings(table).name


async def _work(
    plan: RunPlan, session: Session, teacher: Model, judge: Model, *, skills_only: bool
) -> None:
    """Both stages of the recipe, or the first alone."""
    pool = await _pool(plan, session, Metered(teacher, session.tally("skills")))
    if skills_only:
        return
    mode = plan.config.skillmix.leaks
    reviews: list[Review] = [mended(lambda example: guard(example, mode=mode))]
    if plan.config.skillmix.presence_judge:
        judging = Metered(judge, session.tally("presence judge"))
        reviews.append(skill_presence(judging, plan.prompts))
    async for example in skillmix(
        pool,
        model=Metered(teacher, session.tally("examples")),
        prompts=plan.prompts,
        review=all_of(*reviews),
        drop=session.drop,
        params=plan.params,
    ):
        session.keep(example)


async def _pool(plan: RunPlan, session: Session, model: Model) -> SkillSet:
    """Stage one: the user's file, the run's own if a person has edited it, or paid extraction."""
    table = plan.config.skills
    if table.path:
        pool = load_skills(plan.path(table.path))
    elif session.skills_edited:
        pool = load_skills(plan.folder.skills)
        session.notes.append("skills.json was edited by hand: it is used as it is.")
    elif table.dataset is not None:
        pool = await skills_from_examples(
            _sampled(plan, table.dataset, session),
            model=model,
            prompts=plan.prompts,
            params=plan.extract_params,
        )
    else:
        pool = await skills_from_teacher(
            model=model, prompts=plan.prompts, params=plan.extract_params
        )
    if not pool.query_types:
        ask = asker(model, plan.prompts, plan.extract_params.sampling)
        types = await query_types_from_teacher(ask, plan.extract_params)
        pool = replace(pool, query_types=types)
    session.keep_pool(pool, write=not session.skills_edited)
    return pool


def _sampled(plan: RunPlan, table: DatasetTable, session: Session) -> list[Example]:
    """The examples of the user's dataset that stage one looks at; what was unreadable is noted."""
    settings = ReadSettings(
        format=table.format,
        instruction=table.instruction,
        input=table.input,
        response=table.response,
        on_bad_line=table.on_bad_line,
    )
    remote = table.path.startswith("hf:")
    source = read_dataset(table.path if remote else plan.path(table.path), settings=settings)
    examples = sample(source, table.sample, seed=plan.config.seed)
    session.notes.append(str(source.report))
    return examples
