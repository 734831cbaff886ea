"""Hard caps on dollars, tokens and calls, which calls in flight cannot pass either."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import replace
from math import inf

from seedbed.errors import BudgetError, ConfigError, ModelError, Stopped
from seedbed.models.ledger import Caps, Ledger, Spend
from seedbed.models.model import Model
from seedbed.models.prices import Price, picodollars, worst_case
from seedbed.records import Completion, Request, Usage


class Budget:
    """The caps of a run, shared by all its models, and the ledger that holds them.

    Args:
        caps: the limits, over all sessions of the run.
        spent: what earlier sessions of the run spent.

    Raises:
        ConfigError: a cap is negative or endless.
    """

    def __init__(self, caps: Caps, *, spent: Spend | None = None) -> None:
        for cap, value in (
            ("dollars", caps.dollars),
            ("tokens", caps.tokens),
            ("calls", caps.calls),
        ):
            if value is not None and not 0 <= value < inf:
                raise ConfigError(f"budget.{cap} = {value}: expected 0 or more")
        self.caps = caps
        self.ledger = Ledger(spent=spent or Spend())
        self._picodollars = None if caps.dollars is None else picodollars(caps.dollars)
        self._waiting: deque[tuple[asyncio.Future[BudgetError | Stopped | None], Spend]] = deque()

    async def reserve(self, worst: Spend) -> None:
        """Wait, first come, first served, until `worst` fits below every cap.

        Raises:
            BudgetError: it does not fit, and no call in flight could change that.
        """
        answer: asyncio.Future[BudgetError | Stopped | None] = (
            asyncio.get_running_loop().create_future()
        )
        self._waiting.append((answer, worst))
        self._serve()
        try:
            refusal = await answer
        except asyncio.CancelledError:
            granted = answer.done() and not answer.cancelled() and answer.result() is None
            self.settle(worst if granted else Spend(), Spend())
            raise
        if refusal:
            raise refusal

    def stop(self) -> None:
        """Let nothing more be sent; calls in flight are still settled."""
        while self._waiting:
            answer, _ = self._waiting.popleft()
            if not answer.done():
                answer.set_result(Stopped("the run is ending; this request was not sent"))

    def settle(self, reserved: Spend, spent: Spend) -> None:
        """Give a reservation back and book what was really spent."""
        self.ledger.reserved -= reserved
        self.ledger.spent += spent
        self._serve()

    def _serve(self) -> None:
        """Grant or refuse those who wait, the first first, until one has to go on waiting."""
        while self._waiting:
            answer, worst = self._waiting[0]
            if not answer.done():
                cap = self._passed(worst)
                if cap and self.ledger.reserved.calls:
                    return
                if cap:
                    answer.set_result(self._refusal(cap, worst))
                else:
                    self.ledger.reserved += worst
                    answer.set_result(None)
            self._waiting.popleft()

    def _passed(self, worst: Spend) -> str:
        """The cap that could be passed if `worst` were spent too; "" if none."""
        total = self.ledger.spent + self.ledger.reserved + worst
        if self._picodollars is not None and total.picodollars > self._picodollars:
            return "dollars"
        if self.caps.tokens is not None and total.tokens > self.caps.tokens:
            return "tokens"
        if self.caps.calls is not None and total.calls > self.caps.calls:
            return "calls"
        return ""

    def _refusal(self, cap: str, worst: Spend) -> BudgetError:
        spent = self.ledger.spent
        said = {
            "dollars": (
                f"${spent.dollars:.6f} of ${self.caps.dollars} is spent",
                f"${spent.doubtful_dollars:.6f}",
                f"cost ${worst.dollars:.6f}",
            ),
            "tokens": (
                f"{spent.tokens} of {self.caps.tokens} tokens are spent",
                f"{spent.doubtful_tokens}",
                f"take {worst.tokens}",
            ),
            "calls": (
                f"{spent.calls} of {self.caps.calls} calls are made",
                f"{spent.doubtful_calls}",
                "be one more",
            ),
        }
        state, doubtful, next_call = said[cap]
        doubt = (
            f" ({doubtful} of it in doubt: calls that broke off)" if spent.doubtful_calls else ""
        )
        return BudgetError(
            f"the cap on {cap} is reached: {state}{doubt}, and the next call could {next_call}",
            hint=f"Raise `budget.{cap}` and run again: everything is kept, and nothing that was "
            "answered is paid twice.",
        )


class Budgeted:
    """Reserves a call's worst case before it is sent and settles what it really took after.

    Each attempt is a call of its own here, so this wrapper belongs inside `Retrying`: an attempt
    that timed out may have been charged, and a wait between attempts holds no reservation. An
    attempt whose fate is unknown (also one that was cancelled) is settled at its worst case and
    booked as doubtful; one that surely failed costs nothing. A completion without believable
    usage is charged at its worst case too.

    A cap can only be passed by what `worst_case` cannot bound (a hidden prompt of the provider's,
    a server that ignores `max_tokens`); such an excess is added to every later reservation.

    Args:
        model: what is asked.
        budget: the caps, and what is spent of them.
        price: what this model costs; None where no price is known.

    Raises:
        ConfigError: there is a cap in dollars and no price.
    """

    def __init__(self, model: Model, /, *, budget: Budget, price: Price | None) -> None:
        if budget.caps.dollars is not None and price is None:
            raise ConfigError(
                f"budget.dollars = {budget.caps.dollars}: no price is known for the model "
                f"{model.name}",
                hint="Give the model's table a price, in dollars per million tokens: "
                "price = { input = 2.5, output = 10.0 } (0 for a server of your own); or cap "
                "`budget.tokens` instead.",
            )
        self._model = model
        self._budget = budget
        self._price = price
        self._excess_prompt = 0
        self._excess_completion = 0

    @property
    def name(self) -> str:
        return self._model.name

    async def complete(self, request: Request, /) -> Completion:
        """Answer one request within the caps.

        Raises:
            BudgetError: this request could pass a cap, and no call in flight could change that.
            ModelError: whatever the model raises.
        """
        worst = self._worst_case(request)
        reserved = Spend.of(worst, self._price)
        await self._budget.reserve(reserved)
        settled = None
        try:
            completion = await self._model.complete(request)
            settled = self._charged(completion.usage, worst)
        except ModelError as error:
            settled = None if error.maybe_paid else Spend()
            raise
        finally:
            if settled is None:
                settled = Spend.of(worst, self._price, doubtful=True)
            self._budget.settle(reserved, settled)
        paid = settled.picodollars if self._price else None
        return replace(completion, usage=replace(completion.usage, picodollars=paid))

    def _worst_case(self, request: Request) -> Usage:
        bound = worst_case(request)
        return replace(
            bound,
            prompt_tokens=bound.prompt_tokens + self._excess_prompt,
            completion_tokens=bound.completion_tokens + self._excess_completion,
        )

    def _charged(self, usage: Usage, worst: Usage) -> Spend:
        """What a completion really took; by how much that passed its bound is remembered."""
        if not usage.reported:
            return Spend.of(worst, self._price)
        self._excess_prompt += max(0, usage.prompt_tokens - worst.prompt_tokens)
        self._excess_completion += max(0, usage.completion_tokens - worst.completion_tokens)
        return Spend.of(usage, self._price)
