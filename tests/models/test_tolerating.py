from __future__ import annotations

import asyncio

import pytest

from seedbed.errors import AccessDenied, RequestRejected
from seedbed.models.model import FakeModel
from seedbed.models.tolerating import Tolerating
from seedbed.records import Completion, Message, Request


def request(text: str) -> Request:
    return Request(messages=(Message("user", text),))


async def picky(asked: Request) -> Completion:
    """Rejects what says "bad"."""
    if asked.messages[0].content == "bad":
        raise RequestRejected("HTTP 400: too long")
    return Completion(text="fine")


def ask(model: Tolerating, *texts: str) -> list[Completion]:
    async def main() -> list[Completion]:
        return [await model.complete(request(text)) for text in texts]

    return asyncio.run(main())


def test_a_rejected_request_is_a_value() -> None:
    good, bad, after = ask(Tolerating(FakeModel(picky)), "good", "bad", "good")
    assert (bad.text, bad.finish_reason, bad.note) == ("", "rejected", "HTTP 400: too long")
    assert bad.usage.prompt_tokens == bad.usage.completion_tokens == 0
    assert good.text == after.text == "fine"


def test_a_server_that_rejects_everything_stops_the_run() -> None:
    with pytest.raises(RequestRejected, match="first 3 requests") as caught:
        ask(Tolerating(FakeModel(picky), patience=3), "bad", "bad", "bad")
    assert caught.value.hint


def test_after_one_success_any_number_of_rejections_is_borne() -> None:
    answers = ask(Tolerating(FakeModel(picky), patience=3), "good", *["bad"] * 20)
    assert [one.finish_reason for one in answers[1:]] == ["rejected"] * 20


def test_other_errors_pass() -> None:
    async def denied(_: Request) -> Completion:
        raise AccessDenied("HTTP 401")

    with pytest.raises(AccessDenied):
        ask(Tolerating(FakeModel(denied)), "good")
