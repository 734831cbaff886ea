"""What a journal says was spent, in earlier sessions and for nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from seedbed.errors import ModelError, Overloaded, TimedOut
from seedbed.journal import Journal
from seedbed.models.announced import Announced
from seedbed.models.journaled import Journaled
from seedbed.models.ledger import Spend
from seedbed.models.model import FakeModel
from seedbed.models.prices import Price, worst_case
from seedbed.models.spending import request_from_json, spend_of, spent_in
from seedbed.records import Completion, Message, Request, Sampling, Usage

REQUEST = Request(messages=(Message("user", "Why?"),), sampling=Sampling(max_tokens=500))
USAGE = Usage(prompt_tokens=1000, completion_tokens=200, cached_tokens=600)
PRICE = Price(input=2.0, output=10.0, cached_input=0.5)
WORST = Spend.of(worst_case(REQUEST), PRICE, doubtful=True)
PAID = Spend.of(USAGE, PRICE)

Answer = Callable[[Request], Awaitable[Completion]]


async def paid(request: Request) -> Completion:
    return Completion(text="a", usage=USAGE)


async def late(request: Request) -> Completion:
    raise TimedOut("late", maybe_paid=True)


async def busy(request: Request) -> Completion:
    raise Overloaded("busy")


def ask(
    journal: Journal, answer: Answer, *, request: Request = REQUEST, name: str = "teacher"
) -> None:
    """One try, as one session would make it; its error is the next one's matter."""
    model = Journaled(Announced(FakeModel(answer, name=name), journal), journal)
    with suppress(ModelError):
        asyncio.run(model.complete(request))


def spent(path: Path, prices: dict[str, Price | None]) -> Spend:
    with Journal(path) as journal:
        return spent_in(journal, prices)


def test_a_new_journal_has_spent_nothing(tmp_path: Path) -> None:
    assert spent(tmp_path / "j.db", {"teacher": PRICE}) == Spend()


def test_settled_calls_cost_what_they_took(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    with Journal(path) as journal:
        for draw in range(3):
            ask(journal, paid, request=replace(REQUEST, draw=draw))
        ask(journal, paid)
    total = spent(path, {"teacher": PRICE})
    assert total == PAID + PAID + PAID
    assert (total.calls, total.tokens, total.cached_tokens) == (3, 3600, 1800)
    assert total.dollars == pytest.approx(3 * (400 * 2 + 600 * 0.5 + 200 * 10) / 1e6)
    assert total.doubtful_calls == 0


@pytest.mark.parametrize(
    ("tries", "expected"),
    [
        ([busy, busy], Spend()),
        ([late], WORST),
        ([late, late], WORST + WORST),
        ([late, busy], WORST),
        ([late, paid], WORST + PAID),
        ([busy, late, busy, late, paid, paid], WORST + WORST + PAID),
    ],
)
def test_a_try_that_may_have_been_charged_is_booked_at_its_worst(
    tmp_path: Path, tries: list[Answer], expected: Spend
) -> None:
    path = tmp_path / "j.db"
    for answer in tries:
        with Journal(path) as journal:
            ask(journal, answer)
    assert spent(path, {"teacher": PRICE}) == expected


def test_each_model_has_its_price_and_one_without_costs_no_money(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    with Journal(path) as journal:
        for name in ("teacher", "judge", "other"):
            ask(journal, paid, name=name)
    total = spent(path, {"teacher": PRICE, "judge": Price(input=0.0, output=1.0), "other": None})
    assert total.calls == 3
    assert total.picodollars == PAID.picodollars + 200 * 1_000_000
    assert spent(path, {}) == replace(total, picodollars=0)


def test_what_was_paid_stays_what_was_paid_whatever_it_costs_now() -> None:
    paid = replace(USAGE, picodollars=123)
    assert spend_of(Completion(text="", usage=paid), PRICE).picodollars == 123
    assert spend_of(Completion(text="", usage=paid), None).picodollars == 123
    assert spend_of(Completion(text="", usage=USAGE), PRICE) == PAID


@pytest.mark.parametrize(
    "request_",
    [
        REQUEST,
        Request(
            messages=(Message("system", "é"), Message("user", ""), Message("assistant", "x")),
            sampling=Sampling(
                temperature=0.1,
                top_p=0.2,
                max_tokens=3,
                frequency_penalty=0.4,
                presence_penalty=0.5,
                stop=("a", "b"),
                top_logprobs=6,
            ),
            schema={"type": "object", "properties": {"a": {"type": "string"}}},
            draw=7,
        ),
    ],
)
def test_a_request_survives_the_journal(request_: Request) -> None:
    assert request_from_json(request_.to_json()) == request_
