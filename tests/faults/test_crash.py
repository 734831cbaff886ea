"""SIGKILL at any moment: nothing is lost, nothing settled is paid again, the end is the same.

A real server on a real socket counts what it is asked; the run is a real process.
"""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random

import pytest
from tests.runs import config, lines, made

from seedbed.journal import Journal
from seedbed.models.practice import Trouble
from seedbed.models.practice.faults import Faults
from seedbed.models.practice.server import RunningServer, ServerOptions, start_server

IN_FLIGHT = 12
TEACHER = 'base_url = "{url}"\nsend_seed = true\nmax_in_flight = {in_flight}'
COMMAND = (sys.executable, "-m", "seedbed", "run", "--json")


async def start(path: Path, out: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *COMMAND,
        *(str(path), "--out", str(out)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


async def until(condition: Callable[[], bool], process: asyncio.subprocess.Process) -> bool:
    """Wait for a condition; False if the process ended first."""
    deadline = time.monotonic() + 240
    while process.returncode is None:
        if condition():
            return True
        assert time.monotonic() < deadline, "the run does not get on"
        await asyncio.sleep(0.002)
    return False


def reached(server: RunningServer, calls: int) -> bool:
    return server.stats.total >= calls


async def kill_often(
    server: RunningServer, path: Path, out: Path, *, kills: int, calls: int
) -> int:
    """Kill the run after every so many calls until it gets to its end; the kills made."""
    random = Random(0)
    done = 0
    while True:
        process = await start(path, out)
        goal = server.stats.total + random.randint(1, 2 * calls // kills)
        if done == kills or not await until(partial(reached, server, goal), process):
            output, errors = await process.communicate()
            assert process.returncode == 0, errors.decode()
            assert json.loads(output)["status"] == "complete"
            return done
        process.send_signal(signal.SIGKILL)
        await process.communicate()
        done += 1


@pytest.mark.slow
def test_fifty_kills_lose_nothing_and_pay_twice_only_for_what_was_in_flight(
    tmp_path: Path,
) -> None:
    """300 examples over HTTP: about 940 calls, a kill after every 18 or so."""

    async def work() -> None:
        async with start_server(ServerOptions(trouble=Trouble(latency=0.05))) as server:
            teacher = TEACHER.format(url=server.base_url, in_flight=IN_FLIGHT)
            path = config(tmp_path, count=300, teacher=teacher)
            process = await start(path, tmp_path / "whole")
            await process.communicate()
            asked = server.stats.total
            kills = await kill_often(server, path, tmp_path / "killed", kills=52, calls=asked)
            paid = server.stats.total - asked
        assert kills >= 50
        assert made(tmp_path / "killed") == made(tmp_path / "whole")
        assert len(lines(tmp_path / "killed" / "examples.jsonl")) == 300
        # What was on its way back when the process died is in doubt too: hence at most IN_FLIGHT.
        assert paid - asked <= kills * IN_FLIGHT
        with Journal(tmp_path / "killed" / "journal.db") as journal:
            sent = [entry.sent for entry in journal.entries("completion")]
            assert journal.in_doubt() == []
        assert len(sent) == asked
        assert asked <= paid <= sum(sent)

    asyncio.run(work())


def test_a_kill_is_reported_at_the_next_start_and_booked_as_doubtful(tmp_path: Path) -> None:
    async def work() -> None:
        async with start_server(ServerOptions(trouble=Trouble(latency=0.3))) as server:
            teacher = TEACHER.format(url=server.base_url, in_flight=5)
            path = config(tmp_path, teacher=teacher)
            process = await start(path, tmp_path / "run")
            assert await until(lambda: server.stats.in_flight == 5, process)
            process.send_signal(signal.SIGKILL)
            await process.communicate()
            process = await start(path, tmp_path / "run")
            output, _ = await process.communicate()
        manifest = json.loads(output)
        assert manifest["sessions"][-1]["in_doubt_before"] == 5
        assert any("5 calls were in flight" in note for note in manifest["notes"])
        assert manifest["spend"]["doubtful_calls"] == 5

    asyncio.run(work())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_lets_calls_in_flight_settle_and_says_how_to_go_on(
    tmp_path: Path, number: signal.Signals
) -> None:
    async def work() -> None:
        async with start_server(ServerOptions(trouble=Trouble(latency=0.3))) as server:
            teacher = TEACHER.format(url=server.base_url, in_flight=5)
            path = config(tmp_path, teacher=teacher)
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "seedbed", "run", str(path)),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            assert await until(lambda: server.stats.in_flight == 5, process)
            process.send_signal(number)
            output, errors = await process.communicate()
            assert process.returncode == 130, errors.decode()
            assert server.stats.in_flight == 0
            total = server.stats.total
        text = output.decode()
        assert f"To go on: seedbed run {path}" in text
        assert "calls in flight" in errors.decode()
        with Journal(tmp_path / "run" / "journal.db") as journal:
            assert journal.in_doubt() == []
            assert sum(1 for _ in journal.entries("completion")) == total

    asyncio.run(work())


def test_a_second_signal_leaves_at_once_and_calls_in_doubt(tmp_path: Path) -> None:
    async def work() -> None:
        async with start_server(ServerOptions(trouble=Trouble(latency=600))) as server:
            teacher = TEACHER.format(url=server.base_url, in_flight=5)
            path = config(tmp_path, teacher=teacher)
            process = await start(path, tmp_path / "run")
            assert process.stderr is not None
            assert await until(lambda: server.stats.in_flight > 0, process)
            process.send_signal(signal.SIGINT)
            said = b""
            while b"once more to leave at once" not in said:
                said += await process.stderr.readline()
                assert process.returncode is None, said.decode()
            process.send_signal(signal.SIGINT)
            _, errors = await asyncio.wait_for(process.communicate(), 60)
            assert process.returncode == 130
            assert b"Traceback" not in errors
        with Journal(tmp_path / "run" / "journal.db") as journal:
            assert journal.in_doubt()

    asyncio.run(work())


def test_a_run_over_a_faulty_server_makes_what_a_clean_one_makes(tmp_path: Path) -> None:
    faults = Faults(
        rate_limited=0.03,
        retry_later=0.02,
        failed=0.03,
        reset=0.02,
        html=0.02,
        truncated_json=0.02,
        empty_choices=0.02,
        wrong_usage=0.02,
        hang=0.02,
        hang_seconds=30.0,
        retry_after=0.2,
    )

    async def work() -> None:
        for name, options in (
            ("clean", ServerOptions()),
            ("faulty", ServerOptions(faults=faults)),
        ):
            async with start_server(options) as server:
                teacher = TEACHER.format(url=server.base_url, in_flight=IN_FLIGHT)
                path = config(tmp_path, count=40, run=name, teacher=teacher + "\ntimeout = 1.0")
                process = await start(path, tmp_path / name)
                _, errors = await process.communicate()
                assert process.returncode == 0, errors.decode()
                assert (server.stats.failed + server.stats.spoiled > 10) == (name == "faulty")

    asyncio.run(work())
    assert made(tmp_path / "faulty") == made(tmp_path / "clean")
