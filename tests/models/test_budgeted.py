from __future__ import annotations

import asyncio
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.models.virtual_time import simulate

from seedbed.errors import (
    BudgetError,
    ConfigError,
    ModelError,
    RateLimited,
    RequestRejected,
    TimedOut,
)
from seedbed.models.budgeted import Budget, Budgeted
from seedbed.models.ledger import Caps, Spend
from seedbed.models.model import FakeModel
from seedbed.models.prices import PICO, Price, cost, worst_case
from seedbed.records import Completion, Message, Request, Sampling, Usage

PRICE = Price(input=1.0, output=2.0)
REQUEST = Request(messages=(Message("user", "Hi"),), sampling=Sampling(max_tokens=100))
WORST = worst_case(REQUEST)


def using(usage: Usage) -> FakeModel:
    async def answer(_: Request) -> Completion:
        await asyncio.sleep(1)
        return Completion(text="x", usage=usage)

    return FakeModel(answer)


def failing(error: ModelError) -> FakeModel:
    async def answer(_: Request) -> Completion:
        raise error

    return FakeModel(answer)


def test_what_a_call_took_is_settled() -> None:
    budget = Budget(Caps(dollars=1))
    usage = Usage(prompt_tokens=20, completion_tokens=10)
    simulate(Budgeted(using(usage), budget=budget, price=PRICE).complete(REQUEST))
    assert budget.ledger.spent == Spend.of(usage, PRICE)
    assert budget.ledger.spent.dollars == pytest.approx(40e-6)
    assert budget.ledger.reserved == Spend()


def test_an_unreported_usage_is_charged_at_its_worst_case() -> None:
    budget = Budget(Caps())
    usage = Usage(reported=False)
    simulate(Budgeted(using(usage), budget=budget, price=PRICE).complete(REQUEST))
    assert budget.ledger.spent == Spend.of(WORST, PRICE)


def test_an_attempt_in_doubt_is_charged_at_its_worst_case() -> None:
    budget = Budget(Caps())
    model = Budgeted(failing(TimedOut("no", maybe_paid=True)), budget=budget, price=PRICE)
    with pytest.raises(TimedOut):
        asyncio.run(model.complete(REQUEST))
    assert budget.ledger.spent == Spend.of(WORST, PRICE, doubtful=True)
    assert budget.ledger.spent.doubtful_dollars == budget.ledger.spent.dollars > 0


@pytest.mark.parametrize("error", [RateLimited("429"), RequestRejected("400")])
def test_a_definite_failure_costs_nothing(error: ModelError) -> None:
    budget = Budget(Caps())
    with pytest.raises(type(error)):
        asyncio.run(Budgeted(failing(error), budget=budget, price=PRICE).complete(REQUEST))
    assert budget.ledger.spent == budget.ledger.reserved == Spend()


def test_a_cancelled_call_is_in_doubt() -> None:
    budget = Budget(Caps())

    async def main() -> None:
        model = Budgeted(using(Usage(prompt_tokens=1)), budget=budget, price=PRICE)
        task = asyncio.create_task(model.complete(REQUEST))
        await asyncio.sleep(0.5)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    simulate(main())
    assert budget.ledger.spent.doubtful_calls == 1
    assert budget.ledger.reserved == Spend()


def test_calls_wait_while_those_in_flight_may_give_some_back() -> None:
    worst = cost(WORST, PRICE)
    budget = Budget(Caps(dollars=1.5 * worst / PICO))
    model = Budgeted(using(Usage(prompt_tokens=1, completion_tokens=1)), budget=budget, price=PRICE)

    async def main() -> float:
        await asyncio.gather(*(model.complete(REQUEST) for _ in range(4)))
        return asyncio.get_running_loop().time()

    assert simulate(main()) == pytest.approx(1004, abs=0.01)
    assert budget.ledger.spent.calls == 4


@pytest.mark.parametrize(
    ("caps", "named"),
    [
        (Caps(calls=3), "calls"),
        (Caps(tokens=3 * (WORST.prompt_tokens + WORST.completion_tokens)), "tokens"),
        (Caps(dollars=3 * cost(WORST, PRICE) / PICO), "dollars"),
    ],
)
def test_every_cap_stops_the_run_and_says_how_to_go_on(caps: Caps, named: str) -> None:
    budget = Budget(caps)
    model = Budgeted(using(WORST), budget=budget, price=PRICE)

    async def main() -> list[Completion | BaseException]:
        calls = (model.complete(REQUEST) for _ in range(8))
        return await asyncio.gather(*calls, return_exceptions=True)

    answers = simulate(main())
    errors = [answer for answer in answers if isinstance(answer, BudgetError)]
    assert len(answers) - len(errors) == 3
    assert named in str(errors[0])
    assert f"budget.{named}" in errors[0].hint


def test_what_earlier_sessions_spent_counts() -> None:
    budget = Budget(Caps(calls=5), spent=Spend(calls=5))
    with pytest.raises(BudgetError, match="5 of 5"):
        simulate(Budgeted(using(WORST), budget=budget, price=None).complete(REQUEST))


def test_a_cap_in_dollars_without_a_price_is_an_error_before_any_call() -> None:
    with pytest.raises(ConfigError, match="no price is known") as caught:
        Budgeted(using(WORST), budget=Budget(Caps(dollars=1)), price=None)
    assert "price = {" in caught.value.hint


@pytest.mark.parametrize("caps", [Caps(dollars=-1), Caps(tokens=-1), Caps(dollars=float("nan"))])
def test_an_impossible_cap_is_refused(caps: Caps) -> None:
    with pytest.raises(ConfigError, match="budget"):
        Budget(caps)


def test_a_usage_above_its_bound_is_charged_and_remembered() -> None:
    budget = Budget(Caps(tokens=3000))
    hidden = Usage(prompt_tokens=WORST.prompt_tokens + 1000, completion_tokens=10)
    model = Budgeted(using(hidden), budget=budget, price=None)
    simulate(model.complete(REQUEST))
    assert budget.ledger.spent.tokens == hidden.prompt_tokens + 10
    with pytest.raises(BudgetError, match="take 12"):
        simulate(_many(model, 2))


async def _many(model: Budgeted, count: int) -> None:
    for _ in range(count):
        await model.complete(REQUEST)


def test_two_models_share_one_budget() -> None:
    budget = Budget(Caps(calls=1))
    first, second = (Budgeted(using(WORST), budget=budget, price=None) for _ in range(2))
    simulate(first.complete(REQUEST))
    with pytest.raises(BudgetError):
        simulate(second.complete(REQUEST))


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    calls=st.integers(1, 30),
    cap=st.integers(0, 40),
    by=st.sampled_from(["dollars", "tokens", "calls"]),
)
def test_no_cap_is_ever_passed(seed: int, calls: int, cap: int, by: str) -> None:
    """Random costs, durations, failures and cancellations; looked at after every step."""
    rng = Random(seed)
    worst = Spend.of(WORST, PRICE)
    caps = {
        "dollars": Caps(dollars=cap * worst.dollars / 4),
        "tokens": Caps(tokens=cap * worst.tokens // 4),
        "calls": Caps(calls=cap // 2),
    }[by]
    budget = Budget(caps)

    def check() -> None:
        spent = budget.ledger.spent
        total = spent + budget.ledger.reserved
        assert caps.dollars is None or total.dollars <= caps.dollars + 1e-12
        assert caps.tokens is None or total.tokens <= caps.tokens
        assert caps.calls is None or total.calls <= caps.calls
        assert min(budget.ledger.reserved.calls, spent.calls) >= 0

    async def answer(_: Request) -> Completion:
        check()
        await asyncio.sleep(rng.random())
        check()
        luck = rng.random()
        if luck < 0.2:
            raise TimedOut("no", maybe_paid=True)
        if luck < 0.4:
            raise RateLimited("no")
        usage = Usage(
            prompt_tokens=rng.randint(1, WORST.prompt_tokens),
            completion_tokens=rng.randint(0, WORST.completion_tokens),
            reported=luck < 0.9,
        )
        return Completion(text="x", usage=usage)

    async def main() -> None:
        model = Budgeted(FakeModel(answer), budget=budget, price=PRICE)
        tasks = [asyncio.create_task(model.complete(REQUEST)) for _ in range(calls)]
        for task in tasks:
            if rng.random() < 0.2:
                asyncio.get_running_loop().call_later(2 * rng.random(), task.cancel)
        await asyncio.gather(*tasks, return_exceptions=True)

    simulate(main())
    check()
    assert budget.ledger.reserved == Spend()


def test_a_waiter_cancelled_just_as_it_is_granted_gives_its_reservation_back() -> None:
    one = Spend.of(WORST, PRICE)

    async def main() -> Spend:
        budget = Budget(Caps(calls=1))
        await budget.reserve(one)
        waiter = asyncio.create_task(budget.reserve(one))
        await asyncio.sleep(0)
        budget.settle(one, Spend())
        waiter.cancel()
        await asyncio.gather(waiter, return_exceptions=True)
        return budget.ledger.reserved

    assert simulate(main()) == Spend()
