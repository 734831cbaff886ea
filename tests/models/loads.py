"""Servers under load, as functions in virtual time: what they allow and what they do beyond it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from random import Random

from seedbed.errors import RateLimited
from seedbed.records import Completion, Request, Usage

ANSWER = Completion(text="x", usage=Usage(prompt_tokens=30, completion_tokens=200))
SOON = 0.005
"""Seconds in which a rejection comes back."""


def now() -> float:
    return asyncio.get_running_loop().time()


def constant(seconds: float) -> Callable[[Random], float]:
    return lambda _: seconds


USUAL = constant(0.2)


def varied(seconds: float) -> Callable[[Random], float]:
    """Lengths as completions have them: most short, a few several times as long."""
    return lambda rng: seconds * rng.lognormvariate(0, 0.6)


class Load:
    """Takes everything at once; the servers below reject some of it, or let it wait."""

    def __init__(self, latency: Callable[[Random], float] = USUAL) -> None:
        self.latency = latency
        self.rng = Random(1)
        self.calls = self.rejected = self.in_flight = self.peak = 0

    async def __call__(self, _: Request) -> Completion:
        self.calls += 1
        return await self.work()

    async def work(self) -> Completion:
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        try:
            await asyncio.sleep(self.latency(self.rng))
        finally:
            self.in_flight -= 1
        return ANSWER

    async def reject(self, seconds: float = SOON, retry_after: float | None = None) -> None:
        self.rejected += 1
        await asyncio.sleep(seconds)
        raise RateLimited("HTTP 429", retry_after=retry_after)


class Full(Load):
    """Rejects what is more than so many calls at once."""

    def __init__(
        self,
        most: Callable[[float], int],
        latency: Callable[[Random], float] = USUAL,
    ) -> None:
        super().__init__(latency)
        self.most = most

    async def __call__(self, _: Request) -> Completion:
        self.calls += 1
        if self.in_flight >= self.most(now()):
            await self.reject()
        return await self.work()


class Queueing(Load):
    """Takes everything and works on so many at once."""

    def __init__(self, most: int, latency: Callable[[Random], float] = USUAL) -> None:
        super().__init__(latency)
        self.places = asyncio.Semaphore(most)

    async def __call__(self, _: Request) -> Completion:
        self.calls += 1
        async with self.places:
            return await self.work()


class Rated(Load):
    """A token bucket of so many calls per second."""

    def __init__(self, rate: float, latency: Callable[[Random], float] = USUAL) -> None:
        super().__init__(latency)
        self.rate = self.level = rate
        self.at = 0.0

    async def __call__(self, _: Request) -> Completion:
        self.calls += 1
        self.level = min(self.rate, self.level + (now() - self.at) * self.rate)
        self.at = now()
        if self.level < 1:
            await self.reject()
        self.level -= 1
        return await self.work()


class Changing(Load):
    """Takes 40 calls at once, later 160, and later so many as 20 in a second; says how it went.

    `answered` and `rejections` count by whole seconds since the first call.
    """

    SECONDS = 60
    """Of each of the three."""

    def __init__(self, latency: Callable[[Random], float] = USUAL) -> None:
        super().__init__(latency)
        self.began: float | None = None
        self.rated = Rated(20, latency)
        self.answered: Counter[int] = Counter()
        self.rejections: Counter[int] = Counter()

    @property
    def second(self) -> int:
        if self.began is None:
            self.began = now()
        return int(now() - self.began)

    async def __call__(self, request: Request) -> Completion:
        self.calls += 1
        phase = self.second // self.SECONDS
        if (phase == 0 and self.in_flight >= 40) or (phase == 1 and self.in_flight >= 160):
            self.rejections[self.second] += 1
            await self.reject()
        if phase > 1:
            try:
                completion = await self.rated(request)
            except RateLimited:
                self.rejections[self.second] += 1
                raise
        else:
            completion = await self.work()
        self.answered[self.second] += 1
        return completion

    def between(self, counts: Counter[int], start: int, end: int) -> float:
        """Counts per second, from one second to another."""
        return sum(counts[second] for second in range(start, end)) / (end - start)


class PerMinute(Load):
    """So many calls in every minute, and the time to the next one in `Retry-After`."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = self.left = most
        self.minute = 0

    async def __call__(self, _: Request) -> Completion:
        self.calls += 1
        minute = int(now() // 60)
        if minute != self.minute:
            self.minute, self.left = minute, self.most
        if self.left < 1:
            await self.reject(retry_after=60 * (minute + 1) - now())
        self.left -= 1
        return await self.work()


class Scattered(Load):
    """Rejects a share of first tries, whatever the load, after the usual time."""

    def __init__(self, share: float, *, after: float = 0.2) -> None:
        super().__init__()
        self.share, self.after = share, after
        self.seen: set[int] = set()

    async def __call__(self, request: Request) -> Completion:
        self.calls += 1
        first = request.draw not in self.seen
        self.seen.add(request.draw)
        if first and self.rng.random() < self.share:
            await self.reject(self.after, retry_after=1.0)
        return await self.work()
