from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.request import urlopen

import aiohttp
import pytest

from seedbed.errors import ConfigError
from seedbed.models.practice import PracticeTeacher, Trouble, make, verify
from seedbed.models.practice.faults import Faults
from seedbed.models.practice.server import RunningServer, ServerOptions, start_server
from seedbed.prompts import load_prompts
from seedbed.records import Message, Request
from seedbed.streams import rng

PROMPTS = load_prompts("seedbed.recipes.skillmix")
DRAFT = PROMPTS.fill("draft", skills="adding_numbers", query_type="Planning", definition="d")


class Client:
    """Just enough of a client: one call, its status, its headers, and its JSON where it has any."""

    def __init__(self, session: aiohttp.ClientSession, running: RunningServer) -> None:
        self.session = session
        self.running = running

    async def post(
        self, text: str = DRAFT, *, key: str = "", **extra: Any
    ) -> tuple[int, dict[str, str], Any]:
        body = {"model": "practice", "messages": [{"role": "user", "content": text}]} | extra
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        url = f"{self.running.base_url}/chat/completions"
        async with self.session.post(url, json=body, headers=headers) as response:
            raw = await response.text()
            is_json = response.content_type == "application/json"
            try:
                found = json.loads(raw) if is_json else raw
            except json.JSONDecodeError:
                found = None
            return response.status, dict(response.headers), found

    async def text(self, text: str = DRAFT, **extra: Any) -> str:
        status, _, body = await self.post(text, **extra)
        assert status == 200, body
        return str(body["choices"][0]["message"]["content"])


def with_server(work: Callable[[Client], Awaitable[None]], **options: Any) -> None:
    async def main() -> None:
        async with (
            start_server(ServerOptions(**options)) as running,
            aiohttp.ClientSession() as session,
        ):
            await work(Client(session, running))

    asyncio.run(main())


def every(fault: str, **extra: Any) -> Faults:
    """Faults that hit the first request of every prompt."""
    settings: dict[str, Any] = {fault: 1.0} | extra
    return Faults(**settings)


def in_process(text: str, draw: int = 0) -> str:
    request = Request(messages=(Message("user", text),), draw=draw)
    return asyncio.run(PracticeTeacher().complete(request)).text


def test_the_socket_gives_the_same_answers_as_the_teacher_itself() -> None:
    expected = [in_process(DRAFT, draw) for draw in range(3)]

    async def work(client: Client) -> None:
        assert [await client.text() for _ in range(3)] == expected
        assert len(set(expected)) == 3
        assert await client.text(draw=1) == expected[1]
        assert await client.text(seed=2) == expected[2]
        assert await client.text(temperature=0) == expected[0]

    with_server(work)


def test_a_completion_has_the_shape_of_the_protocol() -> None:
    instruction, _ = make(["adding_numbers"], "", rng(1))

    async def work(client: Client) -> None:
        status, headers, body = await client.post(instruction, logprobs=True, top_logprobs=1)
        choice = body["choices"][0]
        assert status == 200
        assert headers["Content-Type"].startswith("application/json")
        assert body["object"] == "chat.completion"
        assert verify(instruction, choice["message"]["content"]) is True
        assert choice["finish_reason"] == "stop"
        tokens = choice["logprobs"]["content"]
        assert "".join(entry["token"] for entry in tokens) == choice["message"]["content"]
        assert tokens[0]["top_logprobs"][0]["logprob"] == 0
        usage = body["usage"]
        assert usage["completion_tokens"] == len(tokens)
        assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]

    with_server(work)


def test_limits_stops_and_schemas_go_through() -> None:
    schema: dict[str, Any] = {"properties": {"instruction": {}, "response": {}}}

    async def work(client: Client) -> None:
        for limit in ({"max_tokens": 4}, {"max_completion_tokens": 4}):
            _, _, body = await client.post(DRAFT, key="", **limit)
            assert body["choices"][0]["finish_reason"] == "length"
            assert body["usage"]["completion_tokens"] == 4
        assert "### Response" not in await client.text(stop="### Response")
        form = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
        assert json.loads(await client.text(response_format=form)).keys() == {
            "instruction",
            "response",
        }

    with_server(work)


def test_a_refusal_is_a_content_filter_with_its_words() -> None:
    async def work(client: Client) -> None:
        _, _, body = await client.post()
        choice = body["choices"][0]
        assert choice["finish_reason"] == "content_filter"
        assert choice["message"]["content"] is None
        assert choice["message"]["refusal"]

    with_server(work, trouble=Trouble(refused=1))


@pytest.mark.parametrize(
    ("extra", "status"),
    [
        ({"messages": []}, 400),
        ({"messages": "hello"}, 400),
        ({"temperature": 3}, 400),
        ({"n": 2}, 400),
        ({"stream": True}, 400),
        ({"max_tokens": 0}, 400),
        ({"model": "gpt-4"}, 404),
        ({"some_extension": 1, "user": "me"}, 200),
    ],
)
def test_bad_requests_are_refused_with_a_message(extra: dict[str, Any], status: int) -> None:
    async def work(client: Client) -> None:
        found, _, body = await client.post(**extra)
        assert found == status
        assert "choices" in body or body["error"]["message"]

    with_server(work)


def test_a_wrong_key_is_a_401() -> None:
    async def work(client: Client) -> None:
        assert [(await client.post(key=key))[0] for key in ("", "wrong", "right")] == [
            401,
            401,
            200,
        ]

    with_server(work, api_key="right")


def test_models_and_stats_are_listed() -> None:
    async def work(client: Client) -> None:
        base = client.running.base_url
        async with client.session.get(f"{base}/models") as response:
            assert [entry["id"] for entry in (await response.json())["data"]] == ["practice"]
        _, _, body = await client.post()
        async with client.session.get(f"{base.removesuffix('/v1')}/stats") as response:
            assert await response.json() == {
                "total": 1, "ok": 1, "spoiled": 0, "failed": 0, "in_flight": 0, "peak": 1,
                "distinct": 1, "repeats": 0,
                "prompt_tokens": body["usage"]["prompt_tokens"],
                "completion_tokens": body["usage"]["completion_tokens"],
            }  # fmt: skip

    with_server(work)


def test_stats_count_repeats_of_a_prompt_and_the_peak() -> None:
    async def work(client: Client) -> None:
        await asyncio.gather(*(client.post(draw=draw) for draw in (1, 2, 3, 3)))
        stats = client.running.stats
        assert (stats.ok, stats.distinct, stats.repeats) == (4, 3, 1)
        assert (stats.peak, stats.in_flight) == (4, 0)

    with_server(work, trouble=Trouble(latency=0.1))


def test_errors_of_the_dials_arrive_as_429_and_500_and_keep_the_draw() -> None:
    expected = in_process(DRAFT)

    async def work(client: Client) -> None:
        assert [(await client.post())[0] for _ in range(2)] == [429, 500]
        assert await client.text() == expected

    with_server(work, trouble=Trouble(rate_limited=1, failed=1))


@pytest.mark.parametrize(
    ("fault", "status"),
    [("rate_limited", 429), ("retry_later", 429), ("failed", 500), ("not_found", 404)],
)
def test_faulty_statuses_come_once_and_then_the_first_answer(fault: str, status: int) -> None:
    expected = in_process(DRAFT)

    async def work(client: Client) -> None:
        found, headers, _ = await client.post()
        assert found == status
        assert headers.get("Retry-After") == ("7" if fault == "retry_later" else None)
        assert await client.text() == expected
        assert (client.running.stats.failed, client.running.stats.ok) == (1, 1)

    with_server(work, faults=every(fault, retry_after=7))


@pytest.mark.parametrize(
    ("fault", "looks_wrong"),
    [
        ("html", lambda body: "<h1>" in body),
        ("truncated_json", lambda body: body is None),
        ("empty_choices", lambda body: body["choices"] == []),
        ("null_content", lambda body: body["choices"][0]["message"]["content"] is None),
        ("wrong_usage", lambda body: body["usage"]["prompt_tokens"] < 0),
    ],
)
def test_faulty_bodies_come_with_a_200(fault: str, looks_wrong: Callable[[Any], bool]) -> None:
    expected = in_process(DRAFT, 1 if fault == "wrong_usage" else 0)

    async def work(client: Client) -> None:
        status, _, body = await client.post()
        assert status == 200
        assert looks_wrong(body)
        assert await client.text() == expected
        stats = client.running.stats
        assert stats.ok + stats.spoiled + stats.failed == stats.total == 2

    with_server(work, faults=every(fault))


def test_a_body_ends_in_the_middle_and_has_been_written() -> None:
    async def work(client: Client) -> None:
        with pytest.raises(aiohttp.ClientPayloadError):
            await client.post()
        stats = client.running.stats
        assert (stats.spoiled, stats.failed) == (1, 0)
        assert stats.completion_tokens > 0
        assert await client.text() == expected

    expected = in_process(DRAFT)
    with_server(work, faults=every("cut_off"))


def test_a_connection_is_cut() -> None:
    async def work(client: Client) -> None:
        with pytest.raises(aiohttp.ClientConnectionError):
            await client.post()
        assert await client.text()
        assert client.running.stats.failed == 1

    with_server(work, faults=Faults(reset=1))


def test_a_hanging_server_can_be_left() -> None:
    async def work(client: Client) -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.post(), 0.1)
        assert await client.text()

    with_server(work, faults=Faults(hang=1))


def test_a_fault_falls_to_its_share_of_prompts_and_comes_as_often_as_asked() -> None:
    faults = Faults(failed=0.2, html=0.1, attempts=2)
    kinds = [faults.at(f"prompt {number}", 0) for number in range(2000)]
    assert 340 < kinds.count("failed") < 460
    assert 150 < kinds.count("html") < 250
    assert [faults.at(f"prompt {number}", 1) for number in range(2000)] == kinds
    assert {faults.at(f"prompt {number}", 2) for number in range(2000)} == {""}


def test_impossible_faults_are_errors() -> None:
    with pytest.raises(ConfigError, match="add up"):
        Faults(failed=0.7, hang=0.7)
    with pytest.raises(ConfigError, match="html"):
        Faults(html=2)


def test_a_request_limit_shows_in_headers_and_then_refuses() -> None:
    async def work(client: Client) -> None:
        found = [await client.post() for _ in range(4)]
        assert [status for status, _, _ in found] == [200, 200, 200, 429]
        left = [headers["x-ratelimit-remaining-requests"] for _, headers, _ in found]
        assert left == ["2", "1", "0", "0"]
        assert found[0][1]["x-ratelimit-limit-requests"] == "3"
        assert 0 < float(found[3][1]["Retry-After"]) <= 20

    with_server(work, requests_per_minute=3)


def test_too_many_at_once_are_refused() -> None:
    async def work(client: Client) -> None:
        found = await asyncio.gather(*(client.post(draw=draw) for draw in range(5)))
        assert sorted(status for status, _, _ in found) == [200, 200, 429, 429, 429]

    with_server(work, max_in_flight=2, trouble=Trouble(latency=0.3))


def test_a_port_in_use_is_an_error_that_names_it() -> None:
    async def main() -> None:
        async with start_server(ServerOptions()) as running:
            port = int(running.base_url.removesuffix("/v1").rpartition(":")[2])
            with pytest.raises(ConfigError, match=str(port)):
                async with start_server(ServerOptions(), port=port):
                    pass

    asyncio.run(main())


def test_the_blocking_server_announces_itself_and_ends_on_an_interrupt() -> None:
    code = (
        "from seedbed.models.practice.server import ServerOptions, serve\n"
        "import sys\n"
        "def announce(running): sys.stdout.write(running.base_url + '\\n'); sys.stdout.flush()\n"
        "serve(port=0, options=ServerOptions(), announce=announce)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        with urlopen(f"{url}/models", timeout=120) as response:
            assert json.load(response)["object"] == "list"
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=120) == 0


def test_the_server_listens_on_this_machine_only() -> None:
    async def work(client: Client) -> None:
        assert client.running.base_url.startswith("http://127.0.0.1:")

    with_server(work)
