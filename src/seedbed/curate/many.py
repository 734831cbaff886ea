"""Who takes the steps of `partitions`, and in which order: one dataset, many processes or machines.

A `Mapper` is all that an engine is: it does some work for each part, anywhere and in any order. So
the engine cannot change what is decided.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import version
from itertools import count, islice
from multiprocessing import get_context
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from time import process_time
from typing import NamedTuple

from seedbed.curate.dataset import CurateSettings
from seedbed.curate.partitions import READ, Partitions
from seedbed.curate.rows import write_examples
from seedbed.errors import ClusterError, StorageError
from seedbed.files import make_folder, write_text
from seedbed.records import JSON, Example, digest

Work = Callable[[int], None]


class Cost(NamedTuple):
    """What a step took: CPU seconds, and the most memory of its process so far, in MB."""

    cpu_seconds: float
    peak_mb: float

    @classmethod
    def so_far(cls, *, since: float = 0.0) -> Cost:
        """Of this process, since it had taken so many CPU seconds."""
        scale = 2**20 if sys.platform == "darwin" else 2**10
        return cls(process_time() - since, getrusage(RUSAGE_SELF).ru_maxrss / scale)


Mapper = Callable[[Work, Sequence[int]], Iterator[Cost]]
"""Does `measured` work for each part; yields what each took when it is done."""

Watch = Callable[[str, int, int], None]
"""Is told of the stage, how many of its steps are done, and of how many."""

PART = 200_000
"""Examples in a part unless told otherwise: what one process holds at once, 0.5 GB."""

_MADE = "parts.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Many:
    """A dataset curated in parts: what is kept and what is not, what was said of the reading, and
    what the steps of each stage took that were not done before."""

    parts: Partitions
    read: str
    costs: Mapping[str, Cost]


def measured(work: Work, part: int) -> Cost:
    """Do the work; in the process that does it."""
    since = process_time()
    work(part)
    return Cost.so_far(since=since)


def curate_many(
    source: Iterable[Example],
    settings: CurateSettings,
    *,
    folder: Path,
    identity: JSON,
    mapper: Mapper,
    told: Callable[[], str] = str,
    part: int = PART,
    watch: Watch = lambda stage, done, of: None,
) -> Many:
    """Decide on every example; what an earlier call in the same folder did is not done again.

    Args:
        source: the dataset; it is read unless it was read to its end before.
        folder: where the parts are kept, which everybody who works has to see.
        identity: what names the dataset's content; another one has parts of its own.
        told: what is to be said of the reading once it has ended; it is kept with the parts.
        part: examples in a part.

    Raises:
        ClusterError: who worked is gone.
        StorageError: the folder cannot be written or read.
    """
    settings.selections()
    key = digest(identity, asdict(settings), part, version("seedbed"))
    home = folder / key[:12]
    made = _made(home)
    if made is None:
        parts = _cut(source, Partitions(home, settings, 0), part, watch)
        made = {"parts": parts, "read": told()}
        make_folder(home)
        write_text(home / _MADE, json.dumps(made))
    partitions = Partitions(home, settings, made["parts"])
    costs = {stage: _take(partitions, stage, mapper, watch) for stage in partitions.stages}
    return Many(parts=partitions, read=made["read"], costs=costs)


def _take(partitions: Partitions, stage: str, mapper: Mapper, watch: Watch) -> Cost:
    """All rounds of a stage; what is there already is not done again."""
    cpu, peak = 0.0, 0.0
    rounds = partitions.rounds(stage)
    done, whole = 0, sum(map(len, rounds))
    for round_, parts in enumerate(rounds):
        left = [each for each in parts if not partitions.taken(each, stage=stage, round_=round_)]
        done += len(parts) - len(left)
        watch(stage, done, whole)
        if left:
            for cost in mapper(partial(partitions.take, stage=stage, round_=round_), left):
                cpu, peak = cpu + cost.cpu_seconds, max(peak, cost.peak_mb)
                done += 1
                watch(stage, done, whole)
    return Cost(cpu, peak)


def _cut(source: Iterable[Example], partitions: Partitions, size: int, watch: Watch) -> int:
    """Write the dataset in parts; return how many there are."""
    rows = iter(source)
    for number in count():
        part = list(islice(rows, size))
        if not part:
            return number
        path = partitions.file(READ, number)
        if not path.exists():
            write_examples(path, part, [None] * len(part))
        watch(READ, number * size + len(part), 0)
    raise AssertionError("a dataset without an end")


def _made(home: Path) -> dict[str, JSON] | None:
    """What is known of parts that are all there; None where the reading has to be done."""
    try:
        made: dict[str, JSON] = json.loads((home / _MADE).read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise StorageError(f"{home / _MADE}: cannot be read: {error}") from error
    return made


@contextmanager
def processes(workers: int | None = None) -> Iterator[Mapper]:
    """Processes of this machine: as many as it has cores unless told otherwise."""
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:

        def mapper(work: Work, parts: Sequence[int]) -> Iterator[Cost]:
            futures = [pool.submit(measured, work, part) for part in parts]
            try:
                for future in as_completed(futures):
                    yield future.result()
            except BrokenProcessPool as error:
                raise ClusterError(
                    "a process died, as a rule because memory ran out",
                    hint="Run the same command again, it goes on; smaller --parts take less.",
                ) from error
            finally:
                for future in futures:
                    future.cancel()

        yield mapper
