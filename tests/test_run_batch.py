"""Runs through a batch API, over a real socket: what goes wrong there, and a kill on the way."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tests.runs import SMALL, lines, paid, run

from seedbed.errors import ConfigError
from seedbed.models.practice.batches import BatchFaults
from seedbed.models.practice.server import RunningServer, ServerOptions, start_server
from seedbed.run import grow
from seedbed.session import Progress

BATCH = """
base_url = "{url}"
mode = "batch"
batch = {{ gather = 0.05, poll = 0.05 }}
price = {{ input = 1.0, output = 2.0 }}
send_seed = true
"""


def batched(folder: Path, url: str, *, count: int = 12, name: str = "batched") -> Path:
    path = folder / f"{name}.toml"
    path.write_text(
        SMALL.format(
            count=count,
            folder=name,
            teacher=BATCH.format(url=url),
            skills="",
            skillmix="",
            budget="",
        )
    )
    return path


def run_batched(folder: Path, faults: BatchFaults, **given: Any) -> tuple[Any, RunningServer]:
    async def work() -> tuple[Any, RunningServer]:
        async with start_server(ServerOptions(batches=faults)) as server:
            return await grow(batched(folder, server.base_url, **given)), server

    return asyncio.run(work())


@pytest.mark.parametrize(
    "faults",
    [
        BatchFaults(),
        BatchFaults(expiring=2, expire_after=3),
        BatchFaults(broken_lines=2),
        BatchFaults(lost_lines=1),
    ],
)
def test_a_run_in_batches_makes_what_a_live_run_makes(tmp_path: Path, faults: BatchFaults) -> None:
    outcome, server = run_batched(tmp_path, faults)
    assert outcome.status == "complete"
    path = tmp_path / "live.toml"
    path.write_text(
        SMALL.format(count=12, folder="live", teacher="", skills="", skillmix="", budget="")
    )
    run(path)
    # The keys of the calls differ: a server is another model to the journal.
    for name in ("examples.jsonl", "drops.jsonl"):
        assert _without_calls(tmp_path / "batched" / name) == _without_calls(
            tmp_path / "live" / name
        )
    assert server.stats.distinct == paid(outcome)
    assert server.stats.repeats <= faults.lost_lines * 2
    if not faults.lost_lines:
        assert server.stats.repeats == 0
        assert outcome.manifest["spend"]["calls"] == server.stats.ok
    assert outcome.manifest["spend"]["doubtful_calls"] == 0


def _without_calls(path: Path) -> list[dict[str, Any]]:
    return [row | {"calls": len(row["calls"])} for row in lines(path)]


def test_a_price_that_is_given_is_the_price_and_running_again_is_free(tmp_path: Path) -> None:
    async def work() -> None:
        async with start_server(ServerOptions()) as server:
            path = batched(tmp_path, server.base_url)
            first = await grow(path)
            spend = first.manifest["spend"]
            expected = (spend["prompt_tokens"] + 2 * spend["completion_tokens"]) / 1e6
            assert spend["dollars"] == pytest.approx(expected)
            before = server.stats.total
            again = await grow(path)
            assert server.stats.total == before
            assert again.manifest["spend"] == spend

    asyncio.run(work())


def test_progress_says_what_is_waited_for(tmp_path: Path) -> None:
    seen: list[Progress] = []

    async def work() -> None:
        async with start_server(ServerOptions(batches=BatchFaults(seconds=0.4))) as server:
            await grow(batched(tmp_path, server.base_url, count=2), watch=seen.append)

    asyncio.run(work())
    assert any("waiting for 1 batches of" in progress.trouble for progress in seen)


def test_a_killed_run_finds_its_batches_again_and_pays_nothing_twice(tmp_path: Path) -> None:
    async def work() -> None:
        async with start_server(ServerOptions(batches=BatchFaults(seconds=1.0))) as server:
            path = batched(tmp_path, server.base_url)
            for kills in (1, 2):
                child = await asyncio.to_thread(_started, path)
                await _until(lambda least=kills: server.stats.total > 8 * least)
                child.send_signal(signal.SIGKILL)
                await asyncio.to_thread(child.wait)
            outcome = await grow(path)
            assert outcome.status == "complete"
            assert server.stats.repeats == 0
            assert server.stats.ok == server.stats.distinct
            assert outcome.manifest["spend"]["calls"] == server.stats.ok
            assert outcome.manifest["spend"]["doubtful_calls"] == 0

    asyncio.run(work())
    assert len(lines(tmp_path / "batched" / "examples.jsonl")) == 12


def _started(path: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "seedbed", "run", str(path)],
        env=os.environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


async def _until(reached: Any) -> None:
    deadline = time.monotonic() + 240
    while not reached():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


def test_ctrl_c_does_not_wait_for_a_batch_and_the_next_run_does(tmp_path: Path) -> None:
    async def work() -> None:
        async with start_server(ServerOptions(batches=BatchFaults(seconds=2.0))) as server:
            path, stop = batched(tmp_path, server.base_url, count=3), asyncio.Event()
            task = asyncio.create_task(grow(path, stop=stop))
            await asyncio.sleep(0.7)
            stop.set()
            outcome = await asyncio.wait_for(task, 1.2)
            assert outcome.status == "interrupted"
            outcome = await grow(path)
            assert outcome.status == "complete"
            assert server.stats.repeats == 0
            assert outcome.manifest["spend"]["calls"] == server.stats.ok

    asyncio.run(work())


def test_only_a_server_has_a_batch_api(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text('[teacher]\nmodel = "practice"\nmode = "batch"\n')
    with pytest.raises(ConfigError, match="only for a server"):
        run(path)
