"""One long run through everything that goes wrong: a server that misbehaves, a client killed often.

    python benchmarks/chaos.py [--examples 3400] [--kills 20] [--in-flight 32] [--seed 0]

A real run (Instruct-SkillMix, `seedbed run` in a process of its own) over a real socket, first
undisturbed and then with faults, SIGKILLs at random moments, a key, and caps in dollars that are
raised when they are reached. Prints what happened and whether each claim holds; exits with 1 where
one does not.

The server counts for itself: which questions came in, and what all answers that it wrote cost. An
answer waits a moment before it goes out, so that a client that dies meanwhile has it to pay.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import signal
import sqlite3
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from aiohttp import web
from aiohttp.typedefs import Handler

from seedbed.models.practice.faults import Faults
from seedbed.models.practice.server import PracticeServer, ServerOptions
from seedbed.models.practice.wire import ChatRequest
from seedbed.records import digest

FAULTS = Faults(
    rate_limited=0.03,
    retry_later=0.02,
    failed=0.02,
    hang=0.01,
    truncated_json=0.005,
    cut_off=0.005,
    reset=0.01,
    retry_after=0.5,
)
"""5 % 429 (some with Retry-After), 2 % 500, 1 % hangs, 1 % truncated bodies, 1 % resets."""

KEY = "sk-chaos-7f3a91c2e85d4b60a1f7c3d9e2b84a56"
INPUT, OUTPUT = 2.5, 10.0
"""Dollars per million tokens."""

CONFIG = """
count = {examples}
seed = {seed}
[teacher]
model = "practice"
base_url = "{url}"
api_key_env = "CHAOS_KEY"
send_seed = true
max_in_flight = {in_flight}
timeout = {timeout}
price = {{ input = {input}, output = {output} }}
[skills]
topics = 8
skills_per_topic = 25
keep_topics = false
[skillmix]
max_tokens = 1024
[budget]
dollars = {dollars}
"""

MADE = ("examples.jsonl", "drops.jsonl", "skills.json", "examples.parquet")
"""What has to be the same, byte for byte."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`latency` is how long an answer waits, in seconds; `timeout` when the client gives up."""

    examples: int = 3400
    kills: int = 20
    in_flight: int = 32
    seed: int = 0
    faults: Faults = FAULTS
    latency: float = 0.1
    timeout: float = 20.0


class Watched:
    """A practice server that remembers which questions came in, in their order."""

    def __init__(self, faults: Faults, *, latency: float, seed: int) -> None:
        self._server = PracticeServer(ServerOptions(faults=faults, api_key=KEY, seed=seed))
        self._latency = latency
        self.asked: list[str] = []
        self.url = ""

    @property
    def dollars(self) -> float:
        """What all answers cost that were written, also those that never arrived."""
        stats = self._server.stats
        return (stats.prompt_tokens * INPUT + stats.completion_tokens * OUTPUT) / 1e6

    @property
    def stats(self) -> str:
        stats = self._server.stats
        return (
            f"{stats.total:,} calls: {stats.ok:,} answered, {stats.spoiled:,} spoiled, "
            f"{stats.failed:,} failed"
        )

    @property
    def twice(self) -> int:
        """Answers to a question that had been answered whole before."""
        return self._server.stats.repeats

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Watched]:
        @web.middleware
        async def watch(request: web.Request, handler: Handler) -> web.StreamResponse:
            self.asked.append(ChatRequest.model_validate_json(await request.read()).prompt)
            response = await handler(request)
            await asyncio.sleep(self._latency)
            return response

        app = self._server.app()
        app.middlewares.append(watch)
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.5)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
            yield self
        finally:
            await runner.cleanup()


@dataclass(slots=True)
class Story:
    """What happened. `settled` are the questions that the journal had answers to, and how many
    calls the server had seen by then, at each moment when the client was dead."""

    kills: int = 0
    early: int = 0
    calls: int = 0
    lost: int = 0
    repaid: int = 0
    capped: int = 0
    over_cap: float = 0.0
    leaks: list[str] = field(default_factory=list)
    seen: int = 0
    settled: set[str] = field(default_factory=set)


async def start(config: Path, out: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "seedbed", "run", str(config), "--out", str(out)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | {"CHAOS_KEY": KEY},
    )


def write_config(folder: Path, plan: Plan, *, url: str, dollars: float) -> Path:
    path = folder / "chaos.toml"
    text = CONFIG.format(
        examples=plan.examples,
        seed=plan.seed,
        url=url,
        in_flight=plan.in_flight,
        timeout=plan.timeout,
        input=INPUT,
        output=OUTPUT,
        dollars=dollars,
    )
    path.write_text(text, encoding="utf-8")
    return path


async def undisturbed(folder: Path, plan: Plan) -> tuple[Watched, float]:
    """The run as it would be in a perfect world, in `folder/clean`; the seconds it took."""
    began = time.monotonic()
    server = Watched(Faults(), latency=0.0, seed=plan.seed)
    async with server.running():
        config = write_config(folder, plan, url=server.url, dollars=1e6)
        process = await start(config, folder / "clean")
        _, errors = await process.communicate()
    if process.returncode:
        raise SystemExit(f"the undisturbed run failed:\n{errors.decode()}")
    return server, time.monotonic() - began


async def disturbed(folder: Path, plan: Plan, clean: Watched) -> tuple[Watched, Story]:
    """The same run in `folder/chaos`, with all that goes wrong; two caps on the way."""
    story, rng = Story(), Random(plan.seed)
    server = Watched(plan.faults, latency=plan.latency, seed=plan.seed)
    cap = 0.3 * clean.dollars
    out = folder / "chaos"
    async with server.running():
        while True:
            config = write_config(folder, plan, url=server.url, dollars=cap)
            process = await start(config, out)
            talking = asyncio.create_task(process.communicate())
            if story.kills < plan.kills:
                left = max(1, len(clean.asked) - len(story.settled))
                await _wait(server, story, rng, process, left=left / (1 + plan.kills - story.kills))
                if process.returncode is None:
                    process.send_signal(signal.SIGKILL)
                    story.kills += 1
            said = b"".join(await talking)
            _take_stock(server, story, out, said, cap=cap)
            match process.returncode:
                case 0:
                    return server, story
                case 5:
                    story.capped += 1
                    spent = json.loads((out / "manifest.json").read_text())["spend"]["dollars"]
                    cap = spent + (0.3 if story.capped < 2 else 100) * clean.dollars
                case code if code != -signal.SIGKILL:
                    raise SystemExit(f"exit code {code}:\n{said.decode()}")


async def _wait(
    server: Watched, story: Story, rng: Random, process: asyncio.subprocess.Process, *, left: float
) -> None:
    """Until the moment of the next kill: while it starts and replays (one in five), or any later.

    Args:
        left: calls that remain, divided by one more than the kills that do.
    """
    goal = len(server.asked) + int(rng.uniform(0, 1.6 * left))
    early = rng.random() < 0.2
    deadline = time.monotonic() + (rng.uniform(0.1, 1.5) if early else 1e9)
    while process.returncode is None and len(server.asked) < goal:
        await asyncio.sleep(0.002)
        if time.monotonic() > deadline:
            break
    if not early:
        await asyncio.sleep(rng.uniform(0, 0.05))
    story.early += len(server.asked) == story.seen


def _take_stock(server: Watched, story: Story, out: Path, said: bytes, *, cap: float) -> None:
    """Look at server, journal and files while nothing runs: what was asked again, what it cost."""
    since = server.asked[story.seen :]
    story.repaid += sum(question in story.settled for question in since)
    story.seen = len(server.asked)
    story.over_cap = max(story.over_cap, server.dollars - cap)
    story.settled, story.lost = _journal(out)
    story.leaks += [path.name for path in _files(out) if KEY.encode() in path.read_bytes()]
    if KEY.encode() in said:
        story.leaks.append("the command's output")


def _files(out: Path) -> list[Path]:
    return [path for path in out.rglob("*") if path.is_file()]


def _journal(out: Path) -> tuple[set[str], int]:
    """The questions that are settled, as the server names them, and how many calls were lost.

    A copy is read, so that the next start finds what the dead one left.
    """
    if not (out / "journal.db").exists():
        return set(), 0
    with tempfile.TemporaryDirectory() as folder:
        for path in out.glob("journal.db*"):
            shutil.copy(path, folder)
        with closing(sqlite3.connect(Path(folder) / "journal.db")) as database:
            rows = database.execute("select question, sent, answer is not null from effects")
            questions = [(json.loads(text), sent, settled) for text, sent, settled in rows]
    return (
        {digest(q[1]["messages"], q[1]["draw"], None) for q, _, settled in questions if settled},
        sum(sent - settled for _, sent, settled in questions),
    )


@dataclass(frozen=True, slots=True)
class Claim:
    text: str
    holds: bool
    evidence: str


def claims(folder: Path, plan: Plan, clean: Watched, server: Watched, story: Story) -> list[Claim]:
    made = {name: (folder / "chaos" / name).read_bytes() for name in MADE}
    differ = [name for name in MADE if made[name] != (folder / "clean" / name).read_bytes()]
    kept = made["examples.jsonl"].count(b"\n")
    spend = json.loads((folder / "chaos" / "manifest.json").read_text())["spend"]
    needed = len(set(clean.asked))
    return [
        Claim("all examples are there", kept == plan.examples, f"{kept:,} of {plan.examples:,}"),
        Claim("identical to the undisturbed run", not differ, ", ".join(differ) or ", ".join(MADE)),
        Claim("no settled call is asked again", not story.repaid, f"{story.repaid} were"),
        Claim(
            "answered twice only what was in doubt",
            server.twice <= story.lost and len(story.settled) == needed,
            f"{server.twice:,} of {story.lost:,} in doubt; {needed:,} needed",
        ),
        Claim(
            "no cap was passed, as the server counts",
            story.over_cap <= 0 and story.capped == 2 and server.dollars <= spend["dollars"],
            f"reached {story.capped} times; in the end ${server.dollars:.2f} "
            f"(undisturbed ${clean.dollars:.2f}), booked ${spend['dollars']:.2f}, "
            f"of it ${spend['doubtful_dollars']:.2f} in doubt",
        ),
        Claim("no key in any file or output", not story.leaks, ", ".join(story.leaks) or "none"),
    ]


async def chaos(folder: Path, plan: Plan) -> tuple[str, list[Claim]]:
    """What happened, in words, and what can be claimed."""
    clean, _ = await undisturbed(folder, plan)
    began = time.monotonic()
    server, story = await disturbed(folder, plan, clean)
    told = (
        f"undisturbed: {clean.stats}\n"
        f"chaos:       {server.stats}\n"
        f"             {story.kills} kills ({story.early} before the first call of a session), "
        f"{time.monotonic() - began:.0f} s"
    )
    return told, claims(folder, plan, clean, server, story)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--examples", type=int, default=3400)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--in-flight", type=int, default=32)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        told, found = asyncio.run(chaos(Path(folder), Plan(**vars(options))))
    print(told)
    for claim in found:
        print(f"{'holds' if claim.holds else 'FAILS'}  {claim.text:42} {claim.evidence}")
    sys.exit(not all(claim.holds for claim in found))


if __name__ == "__main__":
    main()
