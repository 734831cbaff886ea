"""A model that is never asked the same thing twice."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from seedbed.errors import Overloaded, TimedOut
from seedbed.journal import Journal
from seedbed.models.announced import Announced
from seedbed.models.journaled import (
    KIND,
    Journaled,
    completion_from_json,
    completion_to_json,
)
from seedbed.models.model import FakeModel
from seedbed.records import (
    Completion,
    Message,
    Request,
    Sampling,
    TokenLogprob,
    Usage,
    digest,
)

REQUEST = Request(messages=(Message("user", "Why?"),))

RICH = Completion(
    text="é\u2028\n\x00",
    finish_reason="length",
    usage=Usage(prompt_tokens=7, completion_tokens=5, cached_tokens=3, reported=False, doubtful=2),
    logprobs=(TokenLogprob("é", -0.5, (("é", -0.5), ("e", -1.25))), TokenLogprob("\n", -1e-9)),
    note="cut",
)


def numbered(calls: list[Request]) -> Callable[[Request], Awaitable[Completion]]:
    """Another answer to every call, so that a second call would show."""

    async def answer(request: Request) -> Completion:
        calls.append(request)
        await asyncio.sleep(0)
        return replace(RICH, text=f"answer {len(calls)}")

    return answer


def announced(answer: Callable[[Request], Awaitable[Completion]], journal: Journal) -> Journaled:
    return Journaled(Announced(FakeModel(answer), journal), journal)


def test_a_completion_survives_json_whole() -> None:
    for completion in (RICH, Completion(text="")):
        assert (
            completion_from_json(json.loads(json.dumps(completion_to_json(completion))))
            == completion
        )


def test_a_replay_is_the_same_completion_with_the_key_of_its_entry(tmp_path: Path) -> None:
    calls: list[Request] = []
    answers = []
    for _ in range(2):
        with Journal(tmp_path / "j.db") as journal:
            model = Journaled(FakeModel(numbered(calls)), journal)
            answers.append(asyncio.run(model.complete(REQUEST)))
            keys = [entry.key for entry in journal.entries(KIND)]
    assert len(calls) == 1
    assert answers[0] == answers[1] == replace(RICH, text="answer 1", key=keys[0])
    assert keys == [digest(KIND, ["fake", REQUEST.to_json()])]


def test_two_askers_at_once_share_one_call(tmp_path: Path) -> None:
    calls: list[Request] = []

    async def run() -> list[Completion]:
        with Journal(tmp_path / "j.db") as journal:
            model = Journaled(FakeModel(numbered(calls)), journal)
            return await asyncio.gather(*(model.complete(REQUEST) for _ in range(5)))

    answers = asyncio.run(run())
    assert len(calls) == 1
    assert len(set(answers)) == 1


@pytest.mark.parametrize(
    "other",
    [
        replace(REQUEST, draw=1),
        replace(REQUEST, schema={"type": "object"}),
        replace(REQUEST, messages=(Message("system", "Why?"),)),
        replace(REQUEST, messages=(Message("user", "Why? "),)),
        replace(REQUEST, sampling=Sampling(temperature=0.5)),
        replace(REQUEST, sampling=Sampling(top_p=0.5)),
        replace(REQUEST, sampling=Sampling(max_tokens=7)),
        replace(REQUEST, sampling=Sampling(stop=("x",))),
        replace(REQUEST, sampling=Sampling(top_logprobs=0)),
        replace(REQUEST, sampling=Sampling(frequency_penalty=0.1)),
        replace(REQUEST, sampling=Sampling(presence_penalty=0.1)),
    ],
)
def test_whatever_shapes_an_answer_is_part_of_the_key(tmp_path: Path, other: Request) -> None:
    calls: list[Request] = []
    with Journal(tmp_path / "j.db") as journal:
        model = Journaled(FakeModel(numbered(calls)), journal)
        keys = {asyncio.run(model.complete(request)).key for request in (REQUEST, other, REQUEST)}
    assert calls == [REQUEST, other]
    assert len(keys) == 2


def test_another_model_is_another_answer(tmp_path: Path) -> None:
    calls: list[Request] = []
    with Journal(tmp_path / "j.db") as journal:
        for name in ("one", "two", "one"):
            model = Journaled(FakeModel(numbered(calls), name=name), journal)
            assert model.name == name
            asyncio.run(model.complete(REQUEST))
    assert len(calls) == 2


@pytest.mark.parametrize(
    ("error", "doubts"), [(Overloaded("busy"), 0), (TimedOut("late", maybe_paid=True), 1)]
)
def test_an_error_settles_nothing(tmp_path: Path, error: Exception, doubts: int) -> None:
    async def fail(request: Request) -> Completion:
        raise error

    calls: list[Request] = []
    with Journal(tmp_path / "j.db") as journal:
        with pytest.raises(type(error)):
            asyncio.run(announced(fail, journal).complete(REQUEST))
        assert list(journal.entries(KIND)) == []
        assert len(journal.in_doubt(KIND)) == doubts
        answer = asyncio.run(Journaled(FakeModel(numbered(calls)), journal).complete(REQUEST))
        assert journal.in_doubt(KIND) == []
    assert answer.text == "answer 1"


def test_an_announced_call_is_one_entry(tmp_path: Path) -> None:
    calls: list[Request] = []
    with Journal(tmp_path / "j.db") as journal:
        asyncio.run(announced(numbered(calls), journal).complete(REQUEST))
        [entry] = journal.entries(KIND)
    assert entry.sent == 1
