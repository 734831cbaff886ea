"""Asking a judge: what is read, what is counted as lost, and the order of the outputs."""

from __future__ import annotations

import asyncio
import math

import pytest

from seedbed.evaluate.judge import Judge, agreement, forecast_judging, switched, token_chances
from seedbed.forecast import Range
from seedbed.models.model import FakeModel
from seedbed.records import Completion, Message, Request, TokenLogprob, Usage

PAID = Usage(prompt_tokens=100, completion_tokens=1, picodollars=3_000_000_000)


def question(text: str) -> Request:
    return Request(messages=(Message("user", text),))


def score(completion: Completion) -> int | None:
    return int(completion.text) if completion.text.isdigit() else None


def listed(*top: tuple[str, float], token: str = "m") -> Completion:
    return Completion(text=token, logprobs=(TokenLogprob(token, -0.1, top),))


def test_judgments_come_in_order_and_what_cannot_be_read_is_counted() -> None:
    answers = {
        "a": Completion(text="7", usage=PAID),
        "b": Completion(text="no score", usage=PAID),
        "c": Completion(text="9", finish_reason="refused", usage=PAID),
        "d": Completion(text="3", usage=PAID),
    }

    async def reply(request: Request) -> Completion:
        text = request.messages[0].content
        await asyncio.sleep(0.02 if text == "a" else 0)
        return answers[text]

    async def work() -> tuple[Judge, list[int | None]]:
        judge = Judge(FakeModel(reply, name="gpt-4"))
        values = [each.value async for each in judge.ask_all(map(question, answers), score)]
        return judge, values

    judge, values = asyncio.run(work())
    assert values == [7, None, None, 3]
    assert (judge.name, judge.asked, judge.failed, judge.failure_rate) == ("gpt-4", 4, 2, 0.5)
    assert judge.dollars == pytest.approx(0.012)
    assert judge.notes() == (
        "2 of 4 judgments (50.0%) could not be read and are left out of every average.",
    )


def test_a_judge_whose_price_nobody_knows_has_no_dollars() -> None:
    async def reply(_: Request) -> Completion:
        return Completion(text="1", usage=Usage(prompt_tokens=1, completion_tokens=1))

    async def work() -> Judge:
        judge = Judge(FakeModel(reply))
        await judge.ask(question("x"), score)
        return judge

    judge = asyncio.run(work())
    assert judge.dollars is None
    assert judge.notes() == ()


def test_chances_are_shared_among_the_tokens_that_count() -> None:
    completion = listed(("m", -0.1), ("M", -2.4), ("The", -9.0))
    shares = token_chances(completion, ("m", "M"))
    assert shares is not None
    assert shares[0] == pytest.approx(math.exp(-0.1) / (math.exp(-0.1) + math.exp(-2.4)), abs=1e-15)
    assert sum(shares) == pytest.approx(1)


def test_a_token_that_is_not_listed_has_no_chance_and_near_misses_do_not_count() -> None:
    assert token_chances(listed(("M", -3.0), (" m", -0.2), ("m.", -0.4)), ("m", "M")) == (0.0, 1.0)
    assert token_chances(listed((" m", -0.2), ("The", -2.0)), ("m", "M")) is None
    assert token_chances(Completion(text="m"), ("m", "M")) is None


def test_chances_do_not_underflow() -> None:
    assert token_chances(listed(("m", -2000.0), ("M", -2000.0)), ("m", "M")) == (0.5, 0.5)


def test_the_order_depends_on_the_instruction_and_the_seed_alone() -> None:
    texts = [f"instruction {number}" for number in range(400)]
    first = [switched(text) for text in texts]
    assert first == [switched(text) for text in texts]
    assert 140 < sum(first) < 260
    assert first != [switched(text, seed=1) for text in texts]


def test_agreement_is_about_the_winner() -> None:
    assert agreement([(1.9, 1.6), (1.2, 1.4), (1.1, 1.9), (1.5, 1.5)]) == 0.75
    assert agreement([(1.5, 1.6)]) == 0
    assert agreement([]) is None


def test_a_forecast_adds_up_prompts() -> None:
    stage = forecast_judging("alpaca_eval", [(Range(10, 20), 1), (Range(5, 6), 1)])
    assert stage.name == "alpaca_eval"
    assert stage.calls == Range(2, 2)
    assert stage.prompt_tokens == Range(15, 26)
    assert stage.completion_tokens == Range(2, 2)
    long = forecast_judging("x", [(Range(1, 1), 2048)], completion_tokens=Range(100, 300))
    assert long.completion_tokens == Range(100, 300)
