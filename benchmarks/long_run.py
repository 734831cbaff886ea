"""100,000 calls in one process: is the last tenth as fast as the first, and does memory stay?

    python -m benchmarks.long_run PEERS_FOLDER [--calls 100000]
    python -m benchmarks.long_run --recipe [--count 33334]

The first asks the mock server of PEERS_FOLDER (20 ms an answer, 256 in flight) through the whole
stack, journal and budget included. The second is `seedbed run` of Instruct-SkillMix, three calls an
example, with the practice teacher behind a socket in another process.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.peers import ask_server, mock_server
from benchmarks.throughput import LOOK_AHEAD, prompt, stacked

CONFIG = """
count = {count}
seed = 1
folder = "run"
[teacher]
model = "practice"
base_url = "{url}"
check = false
[skills]
topics = 8
skills_per_topic = 10
query_types = 8
"""


class Tenths:
    """A line for every tenth: calls per second, CPU per call, memory now, the journal's size."""

    def __init__(self, calls: int, journal: Path) -> None:
        self._each = calls // 10
        self._journal = journal
        self._done = 0
        self._at, self._used = time.perf_counter(), _cpu()
        print(f"{'calls':>8} {'calls/s':>8} {'CPU ms':>7} {'MB now':>7} {'journal MB':>11}")

    def count(self) -> None:
        self._done += 1
        if self._done % self._each:
            return
        now, used = time.perf_counter(), _cpu()
        print(
            f"{self._done:8,} {self._each / (now - self._at):8.0f} "
            f"{1000 * (used - self._used) / self._each:7.2f} {memory():7.0f} "
            f"{self._journal.stat().st_size / 2**20:11.0f}",
            flush=True,
        )
        self._at, self._used = now, used


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def memory(process: int | str = "self") -> float:
    """Megabytes that a process holds now."""
    pages = Path(f"/proc/{process}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE") / 2**20


async def stack(url: str, calls: int) -> None:
    from seedbed.records import Message, Request
    from seedbed.streams import ordered

    with tempfile.TemporaryDirectory() as folder:
        async with stacked(url, in_flight=256, folder=Path(folder)) as model:
            tenths = Tenths(calls, Path(folder) / "journal.db")

            async def ask(number: int) -> None:
                request = Request(messages=(Message("user", prompt(number)),))
                assert (await model.complete(request)).text

            async for _ in ordered(ask, range(calls), limit=LOOK_AHEAD):
                tenths.count()


def through_stack(peers: Path, calls: int) -> None:
    usual = {"latency_ms": 20.0, "tail_p": 0.0, "tail_ms": 0.0, "fail_p": 0.0, "fail_code": 429}
    with mock_server(peers) as url:
        ask_server(f"{url}/reset", usual)
        asyncio.run(stack(f"{url}/v1", calls))
    print(f"largest: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


def through_recipe(count: int) -> None:
    """Look at a run from outside: its memory beside the examples that it has so far."""
    served = [sys.executable, "-m", "seedbed", "serve-practice", "--port", "0"]
    with tempfile.TemporaryDirectory() as folder, _started(served) as server:
        assert server.stdout is not None
        line = next(line for line in server.stdout if "http://" in line)
        url = next(word for word in line.split() if word.startswith("http://")).rstrip(".,")
        (Path(folder) / "run.toml").write_text(CONFIG.format(count=count, url=url))
        run = [sys.executable, "-m", "seedbed", "run", "run.toml", "--json"]
        began, journal = time.perf_counter(), Path(folder) / "run" / "journal.db"
        process = subprocess.Popen(run, cwd=folder, stdout=subprocess.DEVNULL)
        print(f"{'seconds':>8} {'MB now':>7} {'journal MB':>11}")
        largest, due = 0.0, 15.0
        while process.poll() is None:
            time.sleep(0.2)
            passed = time.perf_counter() - began
            if Path(f"/proc/{process.pid}/statm").read_text().split()[1] != "0":
                largest = max(largest, memory(process.pid))
            if passed > due:
                size = journal.stat().st_size / 2**20
                print(f"{passed:8.0f} {memory(process.pid):7.0f} {size:11.0f}", flush=True)
                due += 15
        server.terminate()
        made = sum(1 for _ in (Path(folder) / "run" / "examples.jsonl").open())
        print(f"{made:,} examples in {time.perf_counter() - began:.0f} s, at most {largest:.0f} MB")


def _started(command: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("peers", nargs="?", type=Path, help="the folder of mock_server.py")
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--recipe", action="store_true")
    parser.add_argument("--count", type=int, default=33_334, help="examples of the recipe's run")
    args = parser.parse_args()
    print(f"load before: {os.getloadavg()[0]:.1f}")
    if args.recipe:
        through_recipe(args.count)
    elif args.peers:
        through_stack(args.peers, args.calls)
    else:
        parser.error("the folder of mock_server.py is missing")
    print(f"load after: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
