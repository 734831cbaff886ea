"""A model of the config inside its wrappers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from seedbed.config_tables import ModelTable
from seedbed.in_process import check_in_process, in_process, name_in_process, queue_of
from seedbed.journal import Journal
from seedbed.models.allowances import Allowances
from seedbed.models.announced import Announced
from seedbed.models.batch import BatchModel, BatchSettings
from seedbed.models.batch_api import BatchApi
from seedbed.models.budgeted import Budget, Budgeted
from seedbed.models.chat import ChatModel
from seedbed.models.journaled import Journaled
from seedbed.models.ledger import Caps
from seedbed.models.model import FakeModel, Model
from seedbed.models.outage import Outage
from seedbed.models.retrying import Patience, Retrying
from seedbed.models.settings import ChatSettings
from seedbed.models.throttled import Limits, Throttled
from seedbed.models.tolerating import Tolerating
from seedbed.plan import RunPlan, price_of
from seedbed.records import Completion, Request

if TYPE_CHECKING:
    from seedbed.models.practice import PracticeTeacher


def models_of(plan: RunPlan) -> list[ModelTable]:
    """The teacher, and the judge where there is another one that the run asks."""
    judge = plan.config.judge
    return [plan.config.teacher] + ([judge] if judge is not None and plan.config.judges else [])


def check(plan: RunPlan, *, keys: bool) -> None:
    """Find before anything is made what would stop the first call: settings, prices, keys.

    Raises:
        ConfigError: a model cannot be asked as the config has it.
    """
    for table in models_of(plan):
        Budgeted(
            FakeModel(_never, name=table.model),
            budget=Budget(Caps(dollars=plan.config.budget.dollars)),
            price=price_of(table),
        )
        if table.kind == "server":
            settings = chat_settings(table)
            if keys:
                ChatModel(settings)
        elif table.kind != "practice":
            check_in_process(table, home=plan.home, installed=keys)


async def _never(request: Request) -> Completion:
    raise AssertionError("a model that only stands for its name was asked")


@runtime_checkable
class Batching(Protocol):
    """A model that makes batches of what it is asked."""

    def stop(self) -> None:
        """Begin nothing more of what waits."""

    @property
    def said(self) -> str:
        """What it waits for, in a few words; empty where nobody needs to know."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A model with all its wrappers, and the one that knows what is in flight."""

    model: Model
    throttled: Throttled
    retrying: Retrying
    budget: Budget
    batching: Batching | None = None

    @property
    def said(self) -> str:
        """Why nothing comes back: trouble, or what takes its time (a batch, a model that is being
        loaded); else empty."""
        if trouble := self.retrying.trouble:
            return f"calls fail, trying on: {trouble}"
        return self.batching.said if self.batching else ""

    def stop(self) -> None:
        """Send nothing any more; calls in flight come to their end."""
        if self.batching is not None:
            self.batching.stop()
        self.retrying.stop()
        self.throttled.stop()
        self.budget.stop()


@asynccontextmanager
async def open_model(
    table: ModelTable,
    *,
    journal: Journal,
    budget: Budget,
    home: Path = Path(),
    choices: int = 1,
) -> AsyncIterator[Endpoint]:
    """A model of the config inside its wrappers; here their order is fixed.

    Journaled outside of Retrying: an answer is remembered once, however many tries it took.
    Budgeted inside of Retrying and Throttled: every try is reserved and settled by itself, since
    one that timed out may have been charged, and what waits, for another try or for its turn,
    holds no money back. Announced innermost: what has not been sent is not in doubt.

    Args:
        home: what the path of a local model is relative to.
        choices: as in `ChatSettings`; for checks only.
    """
    allowances = Allowances()
    async with AsyncExitStack() as stack:
        sent: Model
        batching: Batching | None = None
        if table.kind == "practice":
            sent = Announced(_practice(table), journal)
        elif table.kind != "server":
            held = await stack.enter_async_context(in_process(table, home=home))
            batching = held if isinstance(held, Batching) else None
            sent = Announced(held, journal)
        else:
            settings = replace(chat_settings(table), choices=choices)
            chat = ChatModel(settings, allowances=allowances)
            if table.mode == "batch":
                sent = batching = await stack.enter_async_context(_batches(table, chat, journal))
            else:
                sent = Announced(await stack.enter_async_context(chat), journal)
        budgeted = Budgeted(sent, budget=budget, price=price_of(table))
        patience = _patience(table)
        outage = Outage(after=patience.outage_after)
        throttled = Throttled(budgeted, limits=_limits(table), allowances=allowances, outage=outage)
        retrying = Retrying(throttled, patience=patience, outage=outage)
        model = Tolerating(Journaled(retrying, journal))
        yield Endpoint(model, throttled, retrying, budget, batching)


@asynccontextmanager
async def _batches(
    table: ModelTable, chat: ChatModel, journal: Journal
) -> AsyncIterator[BatchModel]:
    """A server's batch API; what it sends is announced as it is sent."""
    made = table.batch
    settings = BatchSettings(
        requests=made.requests, gather=made.gather, poll=made.poll, window=made.window
    )
    async with (
        BatchApi(chat_settings(table), credential=chat.credential) as api,
        BatchModel(
            api, journal=journal, name=chat.name, body=chat.body, settings=settings
        ) as model,
    ):
        yield model


def _patience(table: ModelTable) -> Patience:
    patience = Patience(attempts=table.attempts, seconds=table.patience)
    # A batch that fails is many requests that fail at once, and no outage.
    return replace(patience, outage_after=2**31) if table.mode == "batch" else patience


def chat_settings(table: ModelTable) -> ChatSettings:
    return ChatSettings(
        model=table.model,
        base_url=table.url,
        api_key_env=table.key_variable,
        api_key_command=table.api_key_command,
        extra_body=dict(table.extra),
        omit=tuple(table.omit),
        timeout=table.timeout,
        connect_timeout=table.connect_timeout,
        max_completion_tokens=table.max_completion_tokens,
        json_schema=table.json_schema,
        seed_from_draw=table.send_seed,
        max_connections=table.max_in_flight,
        label=table.name,
    )


def _limits(table: ModelTable) -> Limits:
    if table.mode == "batch":
        return Limits(max_in_flight=table.batch.requests, steady=True)
    known = table.kind in ("hf", "gguf", "vllm")
    if known and (most := queue_of(table)) is not None:
        return Limits(max_in_flight=min(most, table.max_in_flight), steady=True)
    return Limits(
        max_in_flight=table.max_in_flight,
        start=min(32, table.max_in_flight),
        requests_per_minute=table.requests_per_minute,
        tokens_per_minute=table.tokens_per_minute,
        steady=known,
    )


def _practice(table: ModelTable) -> PracticeTeacher:
    from seedbed.models.practice import PracticeTeacher, Trouble

    return PracticeTeacher(trouble=Trouble(**table.trouble.model_dump()))


def model_name(table: ModelTable, *, home: Path = Path()) -> str:
    """What the journal calls the model of a table."""
    if table.kind == "server":
        return chat_settings(table).name
    return _practice(table).name if table.kind == "practice" else name_in_process(table, home=home)
