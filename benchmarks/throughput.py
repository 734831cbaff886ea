"""Calls per second through the whole stack, beside a bare aiohttp loop on the same mock server.

    python benchmarks/throughput.py PEERS_FOLDER [--repeat 3] [--only SCENARIO]

PEERS_FOLDER holds `mock_server.py` (an OpenAI-compatible endpoint on loopback with counters); it
needs uvloop, httptools and orjson in this environment. Every client is a process of its own, so
that its start, CPU and memory are its own too; medians of the repetitions are printed, and the
ratio to the bare loop, which is the figure to quote: absolute ones depend on the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

CLIENTS = ("bare", "stack", "journal")

LOOK_AHEAD = 4096
"""Items that `ordered` starts before the first of them is done: with few, one call of 5 s (or one
429 with its wait) at the head holds everything back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    calls: int
    in_flight: int
    server: dict[str, float]


def scenarios() -> dict[str, Scenario]:
    usual = {"latency_ms": 200.0, "tail_p": 0.0, "tail_ms": 0.0, "fail_p": 0.0, "fail_code": 429}
    return {
        "2,000 calls of 200 ms": Scenario(calls=2000, in_flight=256, server=usual),
        "10,000 calls of 20 ms": Scenario(
            calls=10_000, in_flight=256, server=usual | {"latency_ms": 20.0}
        ),
        "2,000 calls of 0 ms": Scenario(
            calls=2000, in_flight=64, server=usual | {"latency_ms": 0.0}
        ),
        "2 % of 2,000 calls take 5 s more": Scenario(
            calls=2000, in_flight=256, server=usual | {"tail_p": 0.02, "tail_ms": 5000.0}
        ),
        "10 % of 500 first tries are 429": Scenario(
            calls=500, in_flight=50, server=usual | {"fail_p": 0.1}
        ),
    }


def prompt(number: int) -> str:
    return f"[{number}] Write a short instruction about topic {number} and answer it step by step."


async def bare(*, url: str, calls: int, in_flight: int) -> None:
    """The least that a client can do, with a naive wait for 429."""
    import aiohttp

    numbers = iter(range(calls))
    connector = aiohttp.TCPConnector(limit=in_flight)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def ask(number: int) -> None:
            body = {"model": "mock", "messages": [{"role": "user", "content": prompt(number)}]}
            while True:
                async with session.post(f"{url}/chat/completions", json=body) as response:
                    content = await response.json()
                    if response.status == 200:
                        assert content["choices"][0]["message"]["content"]
                        return
                await asyncio.sleep(float(response.headers["retry-after"]))

        async def work() -> None:
            for number in numbers:
                await ask(number)

        await asyncio.gather(*(work() for _ in range(in_flight)))


async def stack(*, url: str, calls: int, in_flight: int, journal: bool) -> None:
    """Tolerating(Journaled(Retrying(Budgeted(Throttled(ChatModel))))), as a run has it."""
    from seedbed.models.budgeted import Budget, Budgeted
    from seedbed.models.chat import ChatModel
    from seedbed.models.ledger import Caps
    from seedbed.models.model import Model
    from seedbed.models.prices import Price
    from seedbed.models.retrying import Retrying
    from seedbed.models.settings import ChatSettings
    from seedbed.models.throttled import Limits, Throttled
    from seedbed.models.tolerating import Tolerating
    from seedbed.records import Message, Request
    from seedbed.streams import ordered

    settings = ChatSettings(model="mock", base_url=url, max_connections=in_flight)
    budget = Budget(Caps(dollars=1000, tokens=10**10, calls=10**7))
    with ExitStack() as context:
        async with ChatModel(settings) as chat:
            throttled = Throttled(chat, limits=Limits(max_in_flight=in_flight))
            budgeted = Budgeted(throttled, budget=budget, price=Price(input=1, output=2))
            model: Model = Retrying(budgeted)
            if journal:
                from seedbed.journal import Journal
                from seedbed.models.journaled import Journaled

                folder = context.enter_context(tempfile.TemporaryDirectory())
                opened = context.enter_context(Journal(Path(folder) / "journal.db"))
                model = Journaled(model, opened)
            model = Tolerating(model)

            async def ask(number: int) -> None:
                request = Request(messages=(Message("user", prompt(number)),))
                assert (await model.complete(request)).text

            async for _ in ordered(ask, range(calls), limit=LOOK_AHEAD):
                pass


def client(name: str, *, url: str, calls: int, in_flight: int) -> None:
    """Run one client and print what it took, as JSON."""
    began = time.perf_counter()
    if name == "bare":
        asyncio.run(bare(url=url, calls=calls, in_flight=in_flight))
    else:
        asyncio.run(stack(url=url, calls=calls, in_flight=in_flight, journal=name == "journal"))
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(
        json.dumps(
            {
                "seconds": time.perf_counter() - began,
                "cpu_ms": 1000 * (used.ru_utime + used.ru_stime) / calls,
                "megabytes": used.ru_maxrss / 1024,
            }
        )
    )


@contextmanager
def mock_server(peers: Path) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, str(peers / "mock_server.py"), "--port", str(port)]
    with subprocess.Popen(
        [*command, "--max-seconds", "900"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def ask_server(url: str, content: dict[str, float] | None = None) -> dict[str, Any]:
    data = None if content is None else json.dumps(content).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data=data), timeout=20) as response:
        answer: dict[str, Any] = json.loads(response.read())
    return answer


def measure(name: str, scenario: Scenario, *, url: str) -> dict[str, float]:
    ask_server(f"{url}/reset", scenario.server)
    began = time.time()
    size = ["--calls", str(scenario.calls), "--in-flight", str(scenario.in_flight)]
    done = subprocess.run(
        [sys.executable, __file__, "--client", name, "--url", f"{url}/v1", *size],
        check=True,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONWARNINGS": "ignore"},
    )
    stats = ask_server(f"{url}/stats")
    taken: dict[str, float] = json.loads(done.stdout)
    taken["first"] = stats["t_first"] - began
    taken["rate"] = stats["ok"] / (stats["t_last"] - stats["t_first"])
    taken["peak"] = stats["peak"]
    taken["connections"] = stats["conns"]
    taken["refused"] = stats["failed"]
    return taken


def compare(peers: Path, *, repeat: int, only: str | None) -> None:
    print(
        f"{'scenario':34} {'client':8} {'wall s':>7} {'calls/s':>8} {'of bare':>8} {'CPU ms':>7} "
        f"{'first s':>8} {'MB':>5} {'peak':>5} {'conns':>6} {'429s':>5}"
    )
    with mock_server(peers) as url:
        for title, scenario in scenarios().items():
            if only and only not in title:
                continue
            rounds = [
                {name: measure(name, scenario, url=url) for name in CLIENTS} for _ in range(repeat)
            ]
            base = median(one["bare"]["rate"] for one in rounds)
            for name in CLIENTS:
                mid = {key: median(one[name][key] for one in rounds) for key in rounds[0][name]}
                print(
                    f"{title:34} {name:8} {mid['seconds']:7.2f} {mid['rate']:8.0f} "
                    f"{mid['rate'] / base:8.0%} {mid['cpu_ms']:7.2f} {mid['first']:8.2f} "
                    f"{mid['megabytes']:5.0f} {mid['peak']:5.0f} {mid['connections']:6.0f} "
                    f"{mid['refused']:5.0f}",
                    flush=True,
                )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("peers", nargs="?", type=Path, help="the folder of mock_server.py")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--only", help="scenarios whose title holds this text")
    parser.add_argument("--client", choices=CLIENTS, help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    parser.add_argument("--calls", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--in-flight", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.client:
        client(args.client, url=args.url, calls=args.calls, in_flight=args.in_flight)
    elif args.peers:
        compare(args.peers, repeat=args.repeat, only=args.only)
    else:
        parser.error("the folder of mock_server.py is missing")


if __name__ == "__main__":
    main()
