"""How many calls a second the journal keeps and replays, and what memory and opening cost.

    python benchmarks/journal.py [--calls 20000] [--folder FOLDER]

Questions of 1.5 KB and answers of 1.2 KB, as of a short conversation. "Durable" means committed
with an fsync before the caller has it. The folder decides which disk is measured.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import tempfile
import time
from pathlib import Path

from seedbed.journal import Journal
from seedbed.models.announced import Announced
from seedbed.models.journaled import Journaled
from seedbed.models.model import FakeModel
from seedbed.records import Completion, Message, Request, Usage

ANSWER = Completion(text="x" * 1200, usage=Usage(prompt_tokens=300, completion_tokens=250))


async def answer(request: Request) -> Completion:
    return ANSWER


async def ask_all(model: Journaled, calls: int, in_flight: int) -> float:
    """Ask `calls` questions, `in_flight` at once; seconds it took."""
    numbers = iter(range(calls))

    async def worker() -> None:
        for number in numbers:
            await model.complete(Request(messages=(Message("user", f"{number} " + "q" * 1500),)))

    began = time.perf_counter()
    await asyncio.gather(*[worker() for _ in range(in_flight)])
    return time.perf_counter() - began


async def measure(path: Path, calls: int, in_flight: int) -> tuple[float, float, float]:
    """Calls per second when new, when replayed, and CPU milliseconds per new call."""
    with Journal(path) as journal:
        model = Journaled(Announced(FakeModel(answer), journal), journal)
        cpu = time.process_time()
        new = await ask_all(model, calls, in_flight)
        cpu = time.process_time() - cpu
        known = await ask_all(model, calls, in_flight)
    return calls / new, calls / known, 1000 * cpu / calls


def reopen(path: Path) -> float:
    """Seconds to open and check a journal that is there."""
    began = time.perf_counter()
    with Journal(path):
        return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=20_000)
    parser.add_argument("--folder", type=Path, default=None)
    options = parser.parse_args()
    print(
        "in flight     calls   durable/s   replays/s   CPU ms/call   reopen s      MB   peak RSS MB"
    )
    for in_flight, calls in (
        (1, options.calls // 10),
        (64, options.calls),
        (256, 2 * options.calls),
    ):
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            path = Path(folder) / "journal.db"
            durable, replayed, cpu = asyncio.run(measure(path, calls, in_flight))
            seconds = reopen(path)
            size = path.stat().st_size / 1e6
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"{in_flight:9}  {calls:8,}  {durable:10,.0f}  {replayed:10,.0f}  {cpu:12.3f}"
            f"  {seconds:9.3f}  {size:6.1f}  {peak:12.0f}"
        )


if __name__ == "__main__":
    main()
