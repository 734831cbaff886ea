"""How near the throttle's own level comes to the best fixed one, on a server that changes.

    python -m benchmarks.adaptive [--seconds 60] [--sweep 10]

The server (aiohttp, a process of its own) takes 40 calls at once, then 160, then 20 a second, and
answers 429 to what is more; it says nothing of its limits. First every fixed number in flight of a
sweep is tried on each of the three by itself; then one run, told nothing, goes through all three.
All clients are this project's stack with 512 callers who always want more.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Any

from seedbed.models.chat import ChatModel
from seedbed.models.retrying import Patience, Retrying
from seedbed.models.settings import ChatSettings
from seedbed.models.throttled import Limits, Throttled
from seedbed.records import Message, Request

PHASES = ("40 at once", "160 at once", "20 a second")
SWEEPS = ((20, 32, 40, 48, 64), (96, 128, 160, 192, 256), (2, 4, 6, 8, 12))
CALLERS = 512


@dataclass
class Server:
    """What it takes, by seconds since the first call: the phases follow each other."""

    latency: float
    seconds: float
    began: float | None = None
    in_flight: int = 0
    tokens: float = 20.0
    at: float = 0.0
    rng: Random = field(default_factory=lambda: Random(1))
    answered: Counter[int] = field(default_factory=Counter)
    refused: Counter[int] = field(default_factory=Counter)

    def takes(self, phase: int, now: float) -> bool:
        if phase < 2:
            return self.in_flight < (40, 160)[phase]
        self.tokens = min(20.0, self.tokens + 20.0 * (now - self.at))
        self.at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


def serve(port: Any, only: int | None, latency: float, seconds: float) -> None:
    from aiohttp import web

    server = Server(latency=latency, seconds=seconds)
    usage = {"prompt_tokens": 30, "completion_tokens": 200}
    message = {"role": "assistant", "content": "word " * 100}
    body = {"choices": [{"message": message, "finish_reason": "stop"}], "usage": usage}

    async def complete(request: web.Request) -> web.Response:
        await request.read()
        now = time.monotonic()
        if server.began is None:
            server.began = server.at = now
        passed = now - server.began
        phase = min(2, int(passed / server.seconds)) if only is None else only
        if not server.takes(phase, now):
            server.refused[int(passed)] += 1
            return web.json_response({"error": {"message": "too much"}}, status=429)
        server.in_flight += 1
        try:
            await asyncio.sleep(server.latency * server.rng.lognormvariate(0, 0.6) / 1.197)
        finally:
            server.in_flight -= 1
        server.answered[int(time.monotonic() - server.began)] += 1
        return web.json_response(body)

    async def stats(request: web.Request) -> web.Response:
        return web.json_response({"answered": server.answered, "refused": server.refused})

    async def main() -> None:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", complete)
        app.router.add_get("/stats", stats)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port.send(runner.addresses[0][1])
        await asyncio.sleep(3600)

    asyncio.run(main())


@contextmanager
def serving(only: int | None, *, latency: float, seconds: float) -> Iterator[str]:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(
        target=serve, args=(theirs, only, latency, seconds), daemon=True
    )
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        process.terminate()
        process.join()


async def want(url: str, limits: Limits, seconds: float) -> dict[str, Counter[int]]:
    """Ask for as much as can be had for so long; what the server counted, second by second."""
    import aiohttp

    numbers = count()
    settings = ChatSettings(model="mock", base_url=f"{url}/v1", max_connections=256)
    async with ChatModel(settings) as chat, aiohttp.ClientSession() as session:
        patience = Patience(attempts=10**6, seconds=1e6)
        model = Retrying(Throttled(chat, limits=limits), patience=patience)

        async def caller() -> None:
            for number in numbers:
                await model.complete(Request(messages=(Message("user", f"Number {number}"),)))

        callers = [asyncio.create_task(caller()) for _ in range(CALLERS)]
        await asyncio.sleep(seconds)
        async with session.get(f"{url}/stats") as response:
            counted = await response.json()
        for task in callers:
            task.cancel()
        await asyncio.gather(*callers, return_exceptions=True)
    return {
        name: Counter({int(second): number for second, number in counts.items()})
        for name, counts in counted.items()
    }


def per_second(counts: Counter[int], start: float, end: float) -> float:
    return sum(counts[second] for second in range(int(start), int(end))) / (end - start)


def sweep(phase: int, *, latency: float, seconds: float) -> tuple[int, float]:
    """The best fixed number in flight, and its answers per second without the first two."""
    best = (0, 0.0)
    for level in SWEEPS[phase]:
        fixed = Limits(max_in_flight=level, start=level, steady=True)
        with serving(phase, latency=latency, seconds=seconds) as url:
            counted = asyncio.run(want(url, fixed, seconds))
        rate = per_second(counted["answered"], 2, seconds)
        refused = per_second(counted["refused"], 2, seconds)
        print(f"{PHASES[phase]:12} fixed {level:4} {rate:7.1f}/s {refused:7.1f} 429s/s", flush=True)
        best = max(best, (level, rate), key=lambda one: one[1])
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seconds", type=float, default=60, help="of each phase")
    parser.add_argument("--sweep", type=float, default=12, help="seconds of each fixed level")
    parser.add_argument("--latency", type=float, default=0.5, help="mean seconds of an answer")
    args = parser.parse_args()
    print(f"load before: {os.getloadavg()[0]:.1f}")
    best = [sweep(phase, latency=args.latency, seconds=args.sweep) for phase in range(3)]
    with serving(None, latency=args.latency, seconds=args.seconds) as url:
        counted = asyncio.run(want(url, Limits(), 3 * args.seconds))
    for phase, (level, rate) in enumerate(best):
        start, end = phase * args.seconds, (phase + 1) * args.seconds
        answered = per_second(counted["answered"], start, end)
        refused = per_second(counted["refused"], start, end)
        worst = max(counted["refused"][second] for second in range(int(start), int(end)))
        print(
            f"{PHASES[phase]:12} told nothing {answered:7.1f}/s, best fixed ({level}) {rate:7.1f}"
            f"/s: {answered / rate:.0%}; {refused:.1f} 429s/s, at most {worst} in a second"
        )
    print(f"load after: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
