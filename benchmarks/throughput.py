"""Calls per second through the whole stack, beside a bare aiohttp loop on the same mock server.

    python -m benchmarks.throughput PEERS_FOLDER [--peers] [--repeat 3] [--only SCENARIO] [--pin]
    python -m benchmarks.throughput PEERS_FOLDER --start [--repeat 5]

PEERS_FOLDER holds `mock_server.py` (an OpenAI-compatible endpoint on loopback with counters) and
the scripts of other tools (`peers.py` says where they have to be installed). The server needs
uvloop, httptools and orjson in this environment, unless `setup.sh` there made one for it. Every
client is a process of its own, so that its start, CPU and memory are its own too. The clients take
turns; medians of the repetitions are printed, and the ratio to the bare loop, which is the figure
to quote: absolute ones depend on the machine. `--pin` gives the clients one core and the server
another.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.peers import HOME, command_of, first_request, installed, measure, mock_server

if TYPE_CHECKING:
    from seedbed.models.model import Model

CLIENTS = ("bare", "stack", "journal")

LOOK_AHEAD = 4096
"""Items that `ordered` starts before the first of them is done: with few, one call of 5 s (or one
429 with its wait) at the head holds everything back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    calls: int
    in_flight: int
    server: dict[str, float]
    peers: bool = True
    """Whether other tools are measured too."""


def scenarios() -> dict[str, Scenario]:
    usual = {"latency_ms": 200.0, "tail_p": 0.0, "tail_ms": 0.0, "fail_p": 0.0, "fail_code": 429}
    return {
        "2,000 calls of 200 ms": Scenario(calls=2000, in_flight=256, server=usual),
        "10,000 calls of 20 ms": Scenario(
            calls=10_000, in_flight=256, server=usual | {"latency_ms": 20.0}, peers=False
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


@asynccontextmanager
async def stacked(url: str, *, in_flight: int, folder: Path | None) -> AsyncIterator[Model]:
    """Tolerating(Journaled(Retrying(Throttled(Budgeted(Announced(ChatModel)))))), as a run has it;
    without a folder there is no journal."""
    from seedbed.journal import Journal
    from seedbed.models.announced import Announced
    from seedbed.models.budgeted import Budget, Budgeted
    from seedbed.models.chat import ChatModel
    from seedbed.models.journaled import Journaled
    from seedbed.models.ledger import Caps
    from seedbed.models.prices import Price
    from seedbed.models.retrying import Retrying
    from seedbed.models.settings import ChatSettings
    from seedbed.models.throttled import Limits, Throttled
    from seedbed.models.tolerating import Tolerating

    settings = ChatSettings(model="mock", base_url=url, max_connections=in_flight)
    budget = Budget(Caps(dollars=1000, tokens=10**10, calls=10**7))
    with ExitStack() as context:
        journal = context.enter_context(Journal(folder / "journal.db")) if folder else None
        async with ChatModel(settings) as chat:
            sent = Announced(chat, journal) if journal else chat
            budgeted = Budgeted(sent, budget=budget, price=Price(input=1, output=2))
            limits = Limits(max_in_flight=in_flight)
            retrying = Retrying(Throttled(budgeted, limits=limits))
            yield Tolerating(Journaled(retrying, journal) if journal else retrying)


async def stack(*, url: str, calls: int, in_flight: int, journal: bool) -> None:
    from seedbed.records import Message, Request
    from seedbed.streams import ordered

    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) if journal else None
        async with stacked(url, in_flight=in_flight, folder=folder) as model:

            async def ask(number: int) -> None:
                request = Request(messages=(Message("user", prompt(number)),))
                assert (await model.complete(request)).text

            async for _ in ordered(ask, range(calls), limit=LOOK_AHEAD):
                pass


def client(name: str, *, url: str, calls: int, in_flight: int) -> None:
    if name == "bare":
        asyncio.run(bare(url=url, calls=calls, in_flight=in_flight))
    else:
        asyncio.run(stack(url=url, calls=calls, in_flight=in_flight, journal=name == "journal"))


def command(name: str, scenario: Scenario, *, url: str, folder: Path) -> list[str]:
    calls, in_flight = scenario.calls, scenario.in_flight
    if name not in CLIENTS:
        return command_of(name, folder, url=url, calls=calls, in_flight=in_flight)
    size = ["--calls", str(calls), "--in-flight", str(in_flight)]
    called = [sys.executable, "-m", "benchmarks.throughput"]
    return [*called, "--client", name, "--url", url, *size]


def compare(folder: Path, *, names: list[str], repeat: int, only: str | None, pin: bool) -> None:
    print(f"load before: {os.getloadavg()[0]:.1f}")
    print(
        f"{'scenario':34} {'client':12} {'wall s':>7} {'calling':>8} {'calls/s':>8} {'of bare':>8} "
        f"{'CPU ms':>7} {'first s':>8} {'MB':>5} {'peak':>5} {'conns':>6} {'429s':>5}"
    )
    with mock_server(folder, core=1 if pin else None) as url:
        for title, scenario in scenarios().items():
            if only and only not in title:
                continue
            asked = [name for name in names if name in CLIENTS or scenario.peers]
            rounds = [
                {name: _measured(name, scenario, url=url, folder=folder, pin=pin) for name in asked}
                for _ in range(repeat)
            ]
            _show(title, asked, rounds)
    print(f"load after: {os.getloadavg()[0]:.1f}")


RUN = """
count = 4
folder = "run"
[teacher]
model = "mock"
base_url = "{url}"
check = false
"""


def start(folder: Path, *, repeat: int) -> None:
    """Seconds from the command to its first request: of `seedbed run`, beside the bare loop."""
    print(f"load before: {os.getloadavg()[0]:.1f}")
    with mock_server(folder) as url, tempfile.TemporaryDirectory() as place:
        config = Path(place) / "run.toml"
        config.write_text(RUN.format(url=f"{url}/v1"))
        one = Scenario(calls=1, in_flight=1, server={"latency_ms": 0.0})
        commands = {
            "bare": command("bare", one, url=f"{url}/v1", folder=folder),
            "seedbed run": [sys.executable, "-m", "seedbed", "run", str(config)],
        }
        rounds = [
            {name: first_request(called, url=url) for name, called in commands.items()}
            for _ in range(repeat)
        ]
    for name in commands:
        times = sorted(one[name] for one in rounds)
        print(f"{name:12} first request after {median(times):.2f} s ({times[0]:.2f} at best)")


def _measured(
    name: str, scenario: Scenario, *, url: str, folder: Path, pin: bool
) -> dict[str, float]:
    called = command(name, scenario, url=f"{url}/v1", folder=folder)
    if pin:
        called = ["taskset", "-c", "0", *called]
    place = HOME / "work"
    return measure(called, url=url, calls=scenario.calls, server=scenario.server, place=place)


def _show(title: str, names: list[str], rounds: list[dict[str, dict[str, float]]]) -> None:
    base = median(one["bare"]["rate"] for one in rounds)
    for name in names:
        ended = [one[name] for one in rounds if one[name]]
        if not ended:
            print(f"{title:34} {name:12} did not end well", flush=True)
            continue
        mid = {key: median(one[key] for one in ended) for key in ended[0]}
        print(
            f"{title:34} {name:12} {mid['seconds']:7.2f} {mid['calling']:8.2f} {mid['rate']:8.0f} "
            f"{mid['rate'] / base:8.0%} {mid['cpu_ms']:7.2f} {mid['first']:8.2f} "
            f"{mid['megabytes']:5.0f} {mid['peak']:5.0f} {mid['connections']:6.0f} "
            f"{mid['refused']:5.0f}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("folder", nargs="?", type=Path, help="the folder of mock_server.py")
    parser.add_argument("--peers", action="store_true", help="other tools too, if installed")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--only", help="scenarios whose title holds this text")
    parser.add_argument("--pin", action="store_true", help="one core for each client")
    parser.add_argument("--start", action="store_true", help="only the time to the first request")
    parser.add_argument("--client", choices=CLIENTS, help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    parser.add_argument("--calls", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--in-flight", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.client:
        client(args.client, url=args.url, calls=args.calls, in_flight=args.in_flight)
    elif args.folder and args.start:
        start(args.folder, repeat=args.repeat)
    elif args.folder:
        names = [*CLIENTS, *(installed() if args.peers else [])]
        compare(args.folder, names=names, repeat=args.repeat, only=args.only, pin=args.pin)
    else:
        parser.error("the folder of mock_server.py is missing")


if __name__ == "__main__":
    main()
