"""The check before spending finds what a server of our own ignores on purpose, over a socket."""

from __future__ import annotations

import asyncio
import json
import socket
from pathlib import Path
from random import Random
from typing import Any

import pytest
from aiohttp import web
from tests.runs import lines
from tests.training.students import make_base

from seedbed.checking import NEEDED, check_model, failing
from seedbed.cli import main
from seedbed.config import parse_model
from seedbed.errors import ModelError
from seedbed.journal import Journal
from seedbed.models.budgeted import Budget
from seedbed.models.ledger import Caps
from seedbed.models.practice.server import ServerOptions, start_server
from seedbed.models.probes import Finding
from seedbed.run import grow

WORDS = (
    "the", "fox", "saw", "a", "red", "bird", "near", "our", "old", "river", "while", "rain", "fell",
    "on", "every", "quiet", "stone",
)  # fmt: skip


class Faulty:
    """A server that obeys everything but what it is told to ignore."""

    def __init__(self, *ignores: str) -> None:
        self.ignores = set(ignores)
        self.asked: list[dict[str, Any]] = []
        self._first_heat: float | None = None

    async def chat(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.asked.append(body)
        if "n" in body and "refuses n" in self.ignores:
            return web.json_response({"error": {"message": "n: not supported"}}, status=400)
        count = 1 if "n" in self.ignores else body.get("n", 1)
        return web.json_response(self._answer(body, count))

    def _answer(self, body: dict[str, Any], count: int) -> dict[str, Any]:
        prompt = " ".join(
            message["content"]
            for message in body["messages"]
            if message["role"] != "system" or "system" not in self.ignores
        )
        written = [self._stopped(body, self._words(body, prompt)) for _ in range(count)]
        choices = [self._choice(body, index, words) for index, words in enumerate(written)]
        usage = {
            "prompt_tokens": len(prompt.split()),
            "completion_tokens": sum(map(len, written)),
        }
        return {"choices": choices} | ({} if "usage" in self.ignores else {"usage": usage})

    def _words(self, body: dict[str, Any], prompt: str) -> list[str]:
        heat = 0.0 if "sampling" in self.ignores else body["temperature"]
        self._first_heat = heat if self._first_heat is None else self._first_heat
        if "later settings" in self.ignores:
            heat = self._first_heat
        seed = None if "seed" in self.ignores else body.get("seed")
        rng = Random(prompt if not heat else seed)
        words = [rng.choice(WORDS) for _ in range(15)]
        return words if "max_tokens" in self.ignores else words[: body["max_tokens"]]

    def _stopped(self, body: dict[str, Any], words: list[str]) -> list[str]:
        stops = [] if "stop" in self.ignores else body.get("stop", [])
        ends = [n for n, word in enumerate(words) if any(stop in word for stop in stops)]
        return words[: ends[0]] if ends else words

    def _choice(self, body: dict[str, Any], index: int, words: list[str]) -> dict[str, Any]:
        text, reason = " ".join(words), "length" if len(words) < 15 else "stop"
        if "response_format" in body and "json_schema" not in self.ignores:
            text = json.dumps({"sentence": text})
        scored = body.get("logprobs") and "logprobs" not in self.ignores
        entries = [{"token": word, "logprob": -1.0, "top_logprobs": []} for word in words]
        return {
            "index": index,
            "message": {"role": "assistant", "content": text},
            "finish_reason": reason,
            "logprobs": {"content": entries} if scored else None,
        }


def found(tmp_path: Path, *ignores: str) -> dict[str, Finding]:
    async def work() -> list[Finding]:
        app, server = web.Application(), Faulty(*ignores)
        app.router.add_post("/v1/chat/completions", server.chat)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        table = parse_model({"model": "some-model", "base_url": url})
        try:
            with Journal(tmp_path / "journal.db") as journal:
                return await check_model(table, journal=journal, budget=Budget(Caps()))
        finally:
            await runner.cleanup()

    return {finding.capability: finding for finding in asyncio.run(work())}


def test_a_server_that_obeys_passes_everything(tmp_path: Path) -> None:
    findings = found(tmp_path)
    assert {finding.verdict for finding in findings.values()} == {"pass"}, findings
    assert len(findings) == 10


@pytest.mark.parametrize(
    "ignored",
    ["sampling", "max_tokens", "stop", "usage", "system", "logprobs", "json_schema", "seed", "n"],
)
def test_what_is_ignored_is_found_and_nothing_else(tmp_path: Path, ignored: str) -> None:
    findings = found(tmp_path, ignored)
    missing = {name for name, finding in findings.items() if finding.verdict == "ignored"}
    assert missing == {ignored}
    unclear = {name for name, finding in findings.items() if finding.verdict == "unclear"}
    assert unclear == {"sampling": {"seed"}, "usage": {"stop"}}.get(ignored, set())
    assert bool(failing(list(findings.values()))) == (ignored in NEEDED)


def test_a_server_that_keeps_the_settings_of_its_first_request_is_found(tmp_path: Path) -> None:
    """As `transformers serve --continuous-batching` does."""
    findings = found(tmp_path, "later settings")
    assert findings["sampling"].verdict == "pass"
    assert findings["greedy"].verdict == "ignored"


def test_a_refusal_is_told_from_silence(tmp_path: Path) -> None:
    finding = found(tmp_path, "refuses n")["n"]
    assert finding.verdict == "unsupported"
    assert "not supported" in finding.saw


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


RUN = """
count = 2
folder = "run"
[teacher]
model = "some-model"
base_url = "{url}"
price = {{ input = 0, output = 0 }}
{more}
[skills]
path = "skills.json"
[budget]
tokens = 10_000_000
"""
SKILLS = {"skills": [{"name": "a"}, {"name": "b"}], "query_types": [{"name": "q"}]}


def run_against(tmp_path: Path, *ignores: str, more: str = "", port: int = 0) -> tuple[Any, Faulty]:
    async def work() -> Any:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", server.chat)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        path = tmp_path / "run.toml"
        path.write_text(RUN.format(url=url, more=more))
        (tmp_path / "skills.json").write_text(json.dumps(SKILLS))
        try:
            return await grow(path)
        finally:
            await runner.cleanup()

    server = Faulty(*ignores)
    return asyncio.run(work()), server


def test_a_run_stops_before_it_spends_where_every_sample_is_the_same(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="sampling is ignored") as caught:
        run_against(tmp_path, "sampling")
    assert "check = false" in caught.value.hint
    # Mended, the server is asked again and not taken at its old word.
    port = free_port()
    outcome, server = run_against(tmp_path, port=port)
    assert sum("Choose the subject at random" in str(body) for body in server.asked) > 4
    assert outcome.status == "short"
    again, server = run_against(tmp_path, port=port)
    assert server.asked == []
    assert again.manifest["spend"] == outcome.manifest["spend"]


def test_the_check_can_be_switched_off(tmp_path: Path) -> None:
    _, server = run_against(tmp_path, "sampling", more="check = false")
    assert server.asked
    assert not any("Choose the subject at random" in str(body) for body in server.asked)


def test_what_is_missing_but_not_needed_is_a_note(tmp_path: Path) -> None:
    outcome, _ = run_against(tmp_path, "usage")
    assert any("usage ignored" in note for note in outcome.manifest["notes"])
    assert lines(tmp_path / "run" / "drops.jsonl")


def test_the_command_tells_of_the_practice_server(capsys: pytest.CaptureFixture[str]) -> None:
    async def work() -> int:
        async with start_server(ServerOptions()) as server:
            asked = ["check", "--base-url", server.base_url, "--model", "practice", "--json"]
            return await asyncio.to_thread(main, asked)

    assert asyncio.run(work()) == 0
    told = json.loads(capsys.readouterr().out)
    verdicts = {row["capability"]: row["verdict"] for row in told["findings"]}
    assert verdicts.pop("n") == "unsupported"
    assert set(verdicts.values()) == {"pass"}


def test_the_command_tells_of_a_model_in_process(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = make_base(tmp_path / "base", initializer_range=0.3)
    assert main(["check", f"hf/{base}"]) == 0
    out = capsys.readouterr().out
    assert "json_schema  ignored" in out
    assert "A run can be made with it." in out
    assert main(["check"]) == 2
