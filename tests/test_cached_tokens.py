"""Tokens that a provider's cache served, from its answers to what a run says that it cost."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from tests.models.servers import Asked, answer, chat_body, serving
from tests.runs import lines

from seedbed.cli import main
from seedbed.models.practice import PracticeTeacher
from seedbed.records import JSON, Message, Request
from seedbed.run import grow

CONFIG = """
count = 6
seed = 7
folder = "run"
[teacher]
model = "cached"
base_url = "{url}"
check = false
price = {{ input = 2.0, output = 10.0, cached_input = 0.5 }}
[skills]
topics = 2
skills_per_topic = 4
query_types = 3
asks = 1
"""


def written(tmp_path: Path, url: str) -> Path:
    path = tmp_path / "run.toml"
    path.write_text(CONFIG.format(url=url))
    return path


def counted(tmp_path: Path) -> list[JSON]:
    """Run against a server that answers as the practice teacher does, and whose cache serves 1,024
    tokens of every conversation. Returns the usages that it told."""
    teacher, told = PracticeTeacher(), []

    async def talk(asked: Asked, writer: asyncio.StreamWriter) -> None:
        messages = tuple(Message(each["role"], each["content"]) for each in asked.body["messages"])
        completion = await teacher.complete(Request(messages=messages))
        usage: dict[str, JSON] = {"prompt_tokens": 1500, "completion_tokens": 100}
        if "### Skills:" in messages[0].content and "### Response:" in messages[0].content:
            usage["prompt_tokens_details"] = {"cached_tokens": 1024}
        told.append(usage)
        await answer(body=chat_body(completion.text, usage=usage))(asked, writer)

    async def whole() -> None:
        async with serving(talk) as server:
            await grow(written(tmp_path, server.url))

    asyncio.run(whole())
    return told


def test_a_run_counts_cached_tokens_at_their_price(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = counted(tmp_path)
    cached = sum(usage.get("prompt_tokens_details", {}).get("cached_tokens", 0) for usage in told)
    assert cached >= 6 * 3 * 1024
    dollars = (
        2.0 * (1500 * len(told) - cached) + 0.5 * cached + 10.0 * 100 * len(told)
    ) / 1_000_000
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    spend, stages = manifest["spend"], manifest["stages"]
    assert (spend["calls"], spend["cached_tokens"]) == (len(told), cached)
    assert spend["dollars"] == pytest.approx(dollars)
    assert stages["examples"]["cached_tokens"] == cached
    assert sum(stage["dollars"] for stage in stages.values()) == pytest.approx(dollars)
    assert len(lines(tmp_path / "run" / "examples.jsonl")) == 6
    assert main(["cost", str(tmp_path / "run")]) == 0
    (row,) = [row for row in capsys.readouterr().out.splitlines() if "of them cached" in row]
    assert f"{cached:,}" in row


def test_a_plan_says_what_the_cache_may_serve_and_ranges_over_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, "http://127.0.0.1:9/v1")
    assert main(["plan", str(path)]) == 0
    said = " ".join(capsys.readouterr().out.split())  # in lines as wide as the terminal
    assert "at $0.5 of the prompt tokens" in said
    assert main(["plan", str(path), "--json"]) == 0
    whole = json.loads(capsys.readouterr().out)["examples"]
    path.write_text(path.read_text().replace(", cached_input = 0.5", ""))
    assert main(["plan", str(path), "--json"]) == 0
    uncached = json.loads(capsys.readouterr().out)["examples"]
    assert whole["cached_tokens"][0] == 0 < whole["cached_tokens"][1]
    assert whole["cached_tokens"][1] < whole["prompt_tokens"][1]
    assert whole["dollars"][0] < uncached["dollars"][0]
    assert whole["dollars"][1] == uncached["dollars"][1]
    assert main(["plan", str(path)]) == 0
    assert "provider's cache" not in capsys.readouterr().out
