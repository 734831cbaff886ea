"""Counting what a stage asked for and got."""

from __future__ import annotations

import asyncio
import json

import pytest

from seedbed.errors import Overloaded
from seedbed.models.metered import Metered, Tally
from seedbed.models.model import FakeModel
from seedbed.records import Completion, FinishReason, Message, Request, Usage

REQUEST = Request(messages=(Message("user", "q"),))


def test_completions_are_counted_with_their_tokens_and_ends() -> None:
    answers = iter(
        Completion(
            text="a",
            finish_reason=finish,
            usage=Usage(
                prompt_tokens=10,
                completion_tokens=3,
                cached_tokens=4,
                doubtful=doubtful,
                picodollars=5 * 10**11,
            ),
        )
        for finish, doubtful in _ENDS
    )

    async def answer(request: Request) -> Completion:
        return next(answers)

    tally = Tally()
    model = Metered(FakeModel(answer, name="teacher"), tally)
    assert model.name == "teacher"

    async def run() -> list[Completion]:
        return [await model.complete(REQUEST) for _ in _ENDS]

    assert [completion.text for completion in asyncio.run(run())] == ["a"] * 4
    assert tally == Tally(
        calls=4,
        prompt_tokens=40,
        completion_tokens=12,
        cached_tokens=16,
        doubtful=2,
        picodollars=2 * 10**12,
        finish_reasons={"stop": 2, "length": 1, "refused": 1},
    )
    content = json.loads(json.dumps(tally.to_json()))
    assert content["dollars"] == 2.0
    assert content["calls"] == 4
    assert list(content["finish_reasons"]) == ["length", "refused", "stop"]


_ENDS: list[tuple[FinishReason, int]] = [("stop", 0), ("length", 2), ("stop", 0), ("refused", 0)]


def test_what_fails_is_not_counted() -> None:
    async def fail(request: Request) -> Completion:
        raise Overloaded("no")

    tally = Tally()
    with pytest.raises(Overloaded):
        asyncio.run(Metered(FakeModel(fail), tally).complete(REQUEST))
    assert tally == Tally()
