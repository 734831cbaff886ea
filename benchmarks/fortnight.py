"""Two weeks of a run in seconds: the real stack over a real socket, and a clock that jumps.

    python benchmarks/fortnight.py [--per-day 1000] [--seed 0]

The provider allows so many requests and tokens a minute and so many requests a day; its bearer
expires once a day; it is down for six hours and silent for one; the machine is suspended for five.
Prints day by day what came of it, and whether each claim holds; exits with 1 where one does not.

Time passes only while everything waits for it: while a socket or the journal's thread has work to
do it stands still. So nothing is simulated but the clock.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import selectors
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from math import ceil
from pathlib import Path
from random import Random
from unittest import mock

from aiohttp import web
from aiohttp.typedefs import Handler

from seedbed import endpoint, journal, run
from seedbed.journal import Journal
from seedbed.journal_writer import Statement, Writer
from seedbed.models.chat import ChatModel
from seedbed.models.journaled import KIND
from seedbed.models.outage import Outage
from seedbed.models.practice.server import PracticeServer, ServerOptions
from seedbed.models.retrying import Retrying
from seedbed.models.throttled import Throttled
from seedbed.records import Completion, Request
from seedbed.session import Progress

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0

CONFIG = """
count = {examples}
seed = {seed}
folder = "run"
[teacher]
model = "practice"
base_url = "{url}"
api_key_command = "cat {token}"
send_seed = true
timeout = 300.0
patience = 108000.0
[skills]
topics = 4
skills_per_topic = 20
keep_topics = false
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the provider allows, and when it fails: spans of hours since the first midnight."""

    per_minute: int = 20
    tokens_per_minute: int = 12_000
    per_day: int = 1000
    examples: int = 4200
    down: tuple[float, float] = (2 * 24 + 0.01, 2 * 24 + 6)
    silent: tuple[float, float] = (4 * 24 + 0.02, 4 * 24 + 1.02)
    suspended: tuple[float, float] = (6 * 24 + 0.02, 6 * 24 + 5.02)
    token_hours: float = 25.0
    latency: float = 8.0
    seed: int = 0


class VirtualLoop(asyncio.SelectorEventLoop):
    """Its time stands still while `busy` says that something real is under way."""

    def __init__(self, busy: Callable[[], int]) -> None:
        self.jumping = _JumpingSelector(busy)
        super().__init__(self.jumping)

    def time(self) -> float:
        return self.jumping.now

    def jump(self, seconds: float) -> None:
        """As if the machine had slept."""
        self.jumping.now += seconds


class _JumpingSelector(selectors.DefaultSelector):
    def __init__(self, busy: Callable[[], int]) -> None:
        super().__init__()
        self.now = 0.0
        self._busy = busy

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        if self._busy() > 0:
            return super().select(0.001)
        if timeout is None:
            raise RuntimeError("everything waits and no timer is set: a deadlock")
        self.now += timeout
        return []


def now() -> float:
    return asyncio.get_running_loop().time()


class Provider:
    """A practice server behind a provider's limits, in the loop's time.

    It has a file with the bearer that is good now, and counts what it answers and refuses.
    """

    def __init__(self, plan: Plan, token_file: Path) -> None:
        self._plan = plan
        self._rng = Random(plan.seed)
        self._server = PracticeServer(ServerOptions(seed=plan.seed))
        self._token_file = token_file
        self._token, self._expires = "", 0.0
        self._minute = self._day = -1
        self._requests = self._tokens = self._today = 0
        self.asleep = 0
        self._statuses: Counter[tuple[int, int]] = Counter()
        self.url = ""
        self.back = 0.0
        """Seconds from the end of the outage to the first request that is taken on."""

    @property
    def repeats(self) -> int:
        return self._server.stats.repeats

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        @web.middleware
        async def gate(request: web.Request, handler: Handler) -> web.StreamResponse:
            response: web.StreamResponse | None = await self._refusal(request)
            if response is None:
                response = await handler(request)
                assert isinstance(response, web.Response)
                self._tokens += json.loads(response.text or "")["usage"]["total_tokens"]
                await self._sleep(self._rng.lognormvariate(0, 0.6) * self._plan.latency)
            self._statuses[int(now() // DAY), response.status] += 1
            return response

        app = self._server.app()
        app.middlewares.append(gate)
        runner = web.AppRunner(app, handler_cancellation=True, keepalive_timeout=1e9)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
            yield
        finally:
            await runner.cleanup()

    def day(self, number: int) -> Day:
        """What was answered on a day, counted from 0."""
        found = {status: n for (of, status), n in self._statuses.items() if of == number}
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return Day(
            answered=found.pop(200, 0),
            refused=found.pop(429, 0),
            other=found,
            megabytes=pages * os.sysconf("SC_PAGE_SIZE") / 1e6,
        )

    async def _refusal(self, request: web.Request) -> web.Response | None:
        await request.read()
        plan, time = self._plan, now()
        if plan.silent[0] * HOUR <= time < plan.silent[1] * HOUR:
            await self._sleep(DAY)
        if plan.down[0] * HOUR <= time < plan.down[1] * HOUR:
            return refusal(503, "The service is down.")
        if time >= self._expires:
            self._expires = time + plan.token_hours * HOUR
            self._token = f"bearer-{self._rng.getrandbits(128):032x}"
            self._token_file.write_text(self._token)
        if request.headers.get("Authorization") != f"Bearer {self._token}":
            return refusal(401, "The token has expired.")
        return self._limited(time)

    def _limited(self, time: float) -> web.Response | None:
        plan = self._plan
        if self._minute != time // MINUTE:
            self._minute, self._requests, self._tokens = int(time // MINUTE), 0, 0
        if self._day != time // DAY:
            self._day, self._today = int(time // DAY), 0
        if self._today >= plan.per_day:
            return refusal(
                429, "Your requests for today are used up.", (self._day + 1) * DAY - time
            )
        if self._requests >= plan.per_minute or self._tokens >= plan.tokens_per_minute:
            wait = (self._minute + 1) * MINUTE - time
            return refusal(429, "Your requests or tokens for this minute are spent.", wait)
        self._requests += 1
        self._today += 1
        if not self.back and time >= plan.down[1] * HOUR:
            self.back = time - plan.down[1] * HOUR
        return None

    async def _sleep(self, seconds: float) -> None:
        self.asleep += 1
        try:
            await asyncio.sleep(seconds)
        finally:
            self.asleep -= 1


def refusal(status: int, message: str, retry_after: float = 0.0) -> web.Response:
    headers = {"Retry-After": f"{ceil(retry_after)}"} if retry_after else {}
    return web.json_response({"error": {"message": message}}, status=status, headers=headers)


class World:
    """What is under way for real: calls between the client and a server that does not sleep, and
    commits of the journal."""

    def __init__(self) -> None:
        self.calls = self.commits = 0
        self.provider: Provider | None = None

    def busy(self) -> int:
        asleep = self.provider.asleep if self.provider else 0
        return max(0, self.calls - asleep) + self.commits

    @contextmanager
    def patched(self) -> Iterator[None]:
        """The product's own parts, counted, with the loop's clock."""
        world = self

        class CountedChat(ChatModel):
            async def __aenter__(self) -> ChatModel:
                world.calls += 1
                try:
                    return await super().__aenter__()
                finally:
                    world.calls -= 1

            async def complete(self, request: Request, /) -> Completion:
                world.calls += 1
                try:
                    return await super().complete(request)
                finally:
                    world.calls -= 1

        class CountedWriter(Writer):
            async def commit(self, *statements: Statement) -> None:
                world.commits += 1
                try:
                    await super().commit(*statements)
                finally:
                    world.commits -= 1

        with (
            mock.patch.object(endpoint, "ChatModel", CountedChat),
            mock.patch.object(endpoint, "Throttled", partial(Throttled, clock=now)),
            mock.patch.object(endpoint, "Retrying", partial(Retrying, rng=Random(0))),
            mock.patch.object(endpoint, "Outage", partial(Outage, clock=now)),
            mock.patch.object(journal, "Writer", CountedWriter),
            mock.patch.object(run, "TICK", HOUR),
        ):
            yield


@dataclass(frozen=True, slots=True)
class Day:
    """`refused`: 429. `other`: any other answer but 200. `megabytes`: resident at its end."""

    answered: int
    refused: int
    other: dict[int, int]
    megabytes: float


@dataclass(frozen=True, slots=True)
class Story:
    """`possible`: what the provider would have answered on a day to whoever asked all the time."""

    days: list[Day]
    status: str
    possible: int
    needed: int
    asked_twice: int
    in_doubt: int
    back: float


async def fortnight(folder: Path, plan: Plan, world: World) -> Story:
    token_file = folder / "token"
    token_file.write_text("bearer-of-long-ago-0123456789abcdef")
    provider = world.provider = Provider(plan, token_file)
    days: list[Day] = []

    def watch(_: Progress) -> None:
        if len(days) < int(now() // DAY):
            days.append(provider.day(len(days)))

    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    asleep = (plan.suspended[1] - plan.suspended[0]) * HOUR
    loop.call_at(plan.suspended[0] * HOUR, loop.jump, asleep)
    async with provider.running():
        config = folder / "fortnight.toml"
        config.write_text(
            CONFIG.format(
                examples=plan.examples, seed=plan.seed, url=provider.url, token=token_file
            )
        )
        outcome = await run.grow(config, watch=watch)
    days.append(provider.day(len(days)))
    with Journal(folder / "run" / "journal.db") as kept:
        sent = [entry.sent for entry in kept.entries(KIND)]
    return Story(
        days=days,
        status=outcome.status,
        possible=plan.per_day,
        needed=len(sent),
        asked_twice=provider.repeats,
        in_doubt=sum(sent) - len(sent),
        back=provider.back,
    )


def simulate(folder: Path, plan: Plan) -> Story:
    """Live through the run in `folder`."""
    world = World()
    with world.patched(), asyncio.Runner(loop_factory=lambda: VirtualLoop(world.busy)) as runner:
        return runner.run(fortnight(folder, plan, world))


@dataclass(frozen=True, slots=True)
class Claim:
    text: str
    holds: bool
    evidence: str


def claims(story: Story) -> list[Claim]:
    whole = story.days[:-1]
    used = sum(day.answered for day in whole) / (story.possible * len(whole))
    refused = sum(day.refused for day in story.days)
    answered = sum(day.answered for day in story.days)
    down = max(day.other.get(503, 0) for day in story.days)
    grown = whole[-1].megabytes - whole[3].megabytes
    return [
        Claim("the run comes to its end by itself", story.status == "complete", story.status),
        Claim("every day's quota is used", used > 0.98, f"{used:.1%} of {len(whole)} days"),
        Claim(
            "fewer refusals than answers",
            refused < answered,
            f"{refused:,} times 429, {answered:,} answers",
        ),
        Claim("an outage is probed, not stormed", down < 1000, f"{down:,} times 503 in 6 hours"),
        Claim("and over when it is over", 0 < story.back < 120, f"after {story.back:.0f} s"),
        Claim(
            "only what was in doubt is paid twice",
            story.asked_twice <= story.in_doubt,
            f"{story.asked_twice} of {story.in_doubt} in doubt; {story.needed:,} needed",
        ),
        Claim("memory stays flat", grown < 8, f"{grown:+.1f} MB from day 4 on"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--per-day", type=int, default=1000)
    parser.add_argument("--examples", type=int, default=4500)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        story = simulate(Path(folder), Plan(**vars(options)))
    print("day  answered  refused   MB  other answers")
    for number, day in enumerate(story.days, 1):
        other = ", ".join(f"{count} times {status}" for status, count in sorted(day.other.items()))
        print(f"{number:3}  {day.answered:8,}  {day.refused:7,}  {day.megabytes:3.0f}  {other}")
    found = claims(story)
    for claim in found:
        print(f"{'holds' if claim.holds else 'FAILS'}  {claim.text:38} {claim.evidence}")
    print(f"{time.monotonic() - began:.0f} s")
    sys.exit(not all(claim.holds for claim in found))


if __name__ == "__main__":
    main()
