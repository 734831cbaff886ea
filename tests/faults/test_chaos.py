"""Everything that goes wrong: each kind of fault alone, and all together with kills."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from benchmarks.chaos import FAULTS, Plan, Watched, chaos
from tests.runs import config, lines, run

from seedbed.errors import AccessDenied
from seedbed.models.practice.faults import Faults
from seedbed.models.practice.server import RunningServer, ServerOptions, start_server
from seedbed.run import grow

KINDS = ("rate_limited", "retry_later", "failed", "hang", "truncated_json", "cut_off", "reset")


@pytest.mark.slow
def test_killed_five_times_in_front_of_a_misbehaving_server(tmp_path: Path) -> None:
    """About 300 calls; a small `python benchmarks/chaos.py`, in which every claim has to hold."""
    plan = Plan(examples=90, kills=5, in_flight=12, latency=0.05, timeout=6.0)
    told, found = asyncio.run(chaos(tmp_path, plan))
    assert "5 kills" in told
    assert len(found) == 6
    assert [claim for claim in found if not claim.holds] == [], told


@pytest.mark.parametrize("kind", KINDS)
def test_each_fault_alone_changes_nothing_that_is_made(tmp_path: Path, kind: str) -> None:
    """Many of the prompts meet it once; what may have been paid is booked, and nothing else."""
    run(config(tmp_path, count=12, run="clean", teacher="max_in_flight = 8"))

    async def faulty() -> RunningServer:
        shares: dict[str, Any] = {kind: 0.15 if kind == "hang" else 0.33}
        faults = Faults(**shares, retry_after=0.05, hang_seconds=60.0)
        async with start_server(ServerOptions(faults=faults)) as server:
            teacher = f'base_url = "{server.base_url}"\nsend_seed = true\ntimeout = 1.0'
            teacher += "\nmax_in_flight = 8"
            outcome = await grow(config(tmp_path, count=12, run="faulty", teacher=teacher))
        asked = server.stats.total - server.stats.failed - server.stats.spoiled
        assert server.stats.repeats == 0
        assert outcome.manifest["spend"]["calls"] == asked + doubts(kind, server)
        assert outcome.manifest["spend"]["doubtful_calls"] == doubts(kind, server)
        return server

    stats = asyncio.run(faulty()).stats
    assert stats.failed + stats.spoiled > 3
    ours, theirs = (lines(tmp_path / name / "examples.jsonl") for name in ("faulty", "clean"))
    assert [(row["instruction"], row["response"]) for row in ours] == [
        (row["instruction"], row["response"]) for row in theirs
    ]


def doubts(kind: str, server: RunningServer) -> int:
    """Calls of which the client cannot know whether they were charged: not a clear refusal."""
    if kind in ("rate_limited", "retry_later", "failed"):
        return 0
    return server.stats.failed + server.stats.spoiled


def test_the_server_asks_for_the_key_whose_traces_are_looked_for(tmp_path: Path) -> None:
    """So that "no key in any file" says something."""

    async def work() -> None:
        server = Watched(FAULTS, latency=0.0, seed=0)
        async with server.running():
            teacher = f'base_url = "{server.url}"\nsend_seed = true'
            with pytest.raises(AccessDenied):
                await grow(config(tmp_path, teacher=teacher))
            assert server.asked

    asyncio.run(work())


def test_the_faults_are_those_of_the_claim() -> None:
    shares = FAULTS.shares()
    assert shares["rate_limited"] + shares["retry_later"] == 0.05
    assert shares["truncated_json"] + shares["cut_off"] == 0.01
    assert (shares["failed"], shares["hang"], shares["reset"]) == (0.02, 0.01, 0.01)
