"""Batches one by one, over a real socket: what is found again, refused, or unreadable."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from seedbed.errors import AccessDenied, Overloaded, RateLimited, RequestRejected
from seedbed.journal import Journal
from seedbed.models.batch import BATCH, BatchModel, BatchSettings
from seedbed.models.batch_api import Batch, BatchApi
from seedbed.models.batch_results import Job, OpenBatch, read_result
from seedbed.models.chat import ChatModel
from seedbed.models.credential import Credential
from seedbed.models.journaled import KIND
from seedbed.models.practice.batches import BatchFaults
from seedbed.models.practice.server import RunningServer, ServerOptions, start_server
from seedbed.models.settings import ChatSettings
from seedbed.records import JSON, Message, Request, digest

QUICK = BatchSettings(gather=0.02, poll=0.02)


def ask(text: str, draw: int = 0) -> Request:
    return Request(messages=(Message("user", f"{text}: sort 3, 1, 2."),), draw=draw)


@asynccontextmanager
async def opened(server: RunningServer, journal: Journal) -> AsyncIterator[BatchModel]:
    settings = ChatSettings(model="practice", base_url=server.base_url)
    chat = ChatModel(settings)
    async with (
        BatchApi(settings, credential=chat.credential) as api,
        BatchModel(api, journal=journal, name="practice", body=chat.body, settings=QUICK) as model,
    ):
        yield model


def test_a_batch_whose_id_was_lost_in_the_crash_is_found_by_its_mark(tmp_path: Path) -> None:
    requests = [ask("one"), ask("two")]
    keys = [digest(KIND, ["practice", request.to_json()]) for request in requests]
    question: JSON = ["practice", keys, 0]

    async def sent_and_killed(server: RunningServer, journal: Journal) -> None:
        settings = ChatSettings(model="practice", base_url=server.base_url)
        chat = ChatModel(settings)
        lines = [
            json.dumps({"custom_id": key, "body": json.loads(chat.body(request))}).encode()
            for key, request in zip(keys, requests, strict=True)
        ]
        async with (
            BatchApi(settings, credential=Credential(settings)) as api,
            journal.announced(BATCH, question),
        ):
            file = await api.upload(lines)
            await api.create(file, mark=digest(BATCH, question), window="24h")
            raise ZeroDivisionError

    async def work() -> None:
        async with start_server(ServerOptions()) as server:
            with Journal(tmp_path / "journal.db") as journal:
                with pytest.raises(ZeroDivisionError):
                    await sent_and_killed(server, journal)
                async with opened(server, journal) as model:
                    answers = await asyncio.gather(*map(model.complete, requests))
            assert all(answer.text for answer in answers)
            assert (server.stats.ok, server.stats.repeats) == (2, 0)

    asyncio.run(work())


def test_a_mark_that_the_server_does_not_know_was_never_sent(tmp_path: Path) -> None:
    async def work() -> None:
        async with start_server(ServerOptions()) as server:
            with Journal(tmp_path / "journal.db") as journal:
                with pytest.raises(ZeroDivisionError):
                    async with journal.announced(BATCH, ["practice", ["some key"], 0]):
                        raise ZeroDivisionError
                async with opened(server, journal) as model:
                    assert (await model.complete(ask("one"))).text
                assert journal.in_doubt(BATCH) == []

    asyncio.run(work())


def test_a_batch_that_fails_for_want_of_room_is_tried_again_later(tmp_path: Path) -> None:
    async def work() -> None:
        async with start_server(ServerOptions(batches=BatchFaults(failing=1))) as server:
            with Journal(tmp_path / "journal.db") as journal:
                async with opened(server, journal) as model:
                    with pytest.raises(RateLimited, match="token limit") as caught:
                        await model.complete(ask("one"))
                    assert not caught.value.maybe_paid
                    assert journal.in_doubt(KIND) == []
                    assert (await model.complete(ask("one"))).text

    asyncio.run(work())


def test_a_key_that_was_not_sent_ends_it(tmp_path: Path) -> None:
    async def work() -> None:
        async with start_server(ServerOptions(api_key="secret-secret-secret")) as server:
            with Journal(tmp_path / "journal.db") as journal:
                async with opened(server, journal) as model:
                    with pytest.raises(AccessDenied, match="401") as caught:
                        await model.complete(ask("one"))
                    assert "No key was sent" in caught.value.hint

    asyncio.run(work())


def test_many_requests_go_in_few_batches(tmp_path: Path) -> None:
    async def work() -> None:
        async with start_server(ServerOptions()) as server:
            with Journal(tmp_path / "journal.db") as journal:
                async with opened(server, journal) as model:
                    requests = [ask("many", draw) for draw in range(40)]
                    answers = await asyncio.gather(*map(model.complete, requests))
                assert len(answers) == 40
                assert len(list(journal.entries(BATCH))) == 1

    asyncio.run(work())


@pytest.mark.parametrize(
    ("status", "problems", "error"),
    [
        ("failed", ((2, "invalid_json_line", "Line 2 is wrong."),), RequestRejected),
        ("failed", ((1, "invalid_json_line", "Line 1 is wrong."),), Overloaded),
        ("failed", ((0, "token_limit_exceeded", "Too much."),), RateLimited),
        ("cancelled", (), Overloaded),
    ],
)
def test_why_a_request_has_no_result(
    status: str, problems: tuple[tuple[int, str, str], ...], error: type[Exception]
) -> None:
    async def work() -> None:
        seen = Batch(id="batch_1", status=status, problems=problems)
        batch = OpenBatch("batch_1", {"a": 1, "b": 2}, seen=seen, results={})
        job = Job("b", ask("one"), asyncio.get_running_loop().create_future())
        with pytest.raises(error, match="batch_1"):
            read_result(batch, job)

    asyncio.run(work())


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (
            {"response": {"status_code": 400, "body": {"error": {"message": "No."}}}},
            RequestRejected,
        ),
        ({"response": {"status_code": 500, "body": None}}, Overloaded),
        ({"response": {"status_code": "none", "body": None}}, Overloaded),
        ({"response": None, "error": {"code": "batch_expired", "message": "Late."}}, Overloaded),
        ({}, Overloaded),
    ],
)
def test_a_line_that_is_no_answer_is_an_error_of_ours(
    line: dict[str, JSON], error: type[Exception]
) -> None:
    async def work() -> None:
        seen = Batch(id="batch_1", status="completed")
        batch = OpenBatch("batch_1", {"a": 1}, seen=seen, results={"a": line})
        job = Job("a", ask("one"), asyncio.get_running_loop().create_future())
        with pytest.raises(error):
            read_result(batch, job)

    asyncio.run(work())
