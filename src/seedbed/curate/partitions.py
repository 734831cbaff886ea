"""Curation of a dataset that no memory holds: the decisions of `dataset.curate`, part by part.

The dataset is cut into parts of so many consecutive examples, each a Parquet file. Every step takes
one part, reads files, writes one file and is done once that is there: so steps run anywhere that
sees the folder, a step that died is run again, and whoever starts again goes on.

1. Each example by itself: all parts at once.
2. A selection in order (`in_order`), round by round. In round k, part k decides its own order, and
   all later parts are compared with what stayed of part k - 1. Part k was by then compared with all
   before it, so it decides as if the whole dataset stood before it.
3. A diverse part of what is left, in windows: all parts at once. A window that lies across two
   parts is chosen from in both, with the same outcome.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, compress
from pathlib import Path

from seedbed.curate.dataset import CurateSettings, judge
from seedbed.curate.diversity.selection import WINDOW, Spread, spread
from seedbed.curate.in_order import InOrder, Pool
from seedbed.curate.rows import (
    read_asked,
    read_examples,
    read_kept,
    read_verdicts,
    write_examples,
    write_verdicts,
)
from seedbed.records import Drop, Example

READ = "read"
JUDGED = "judged"
DIVERSE = "diverse"


@dataclass(frozen=True, slots=True)
class Partitions:
    """The parts of a dataset in a folder, and the steps on them.

    `stages` are the folders of the verdicts, in the order in which they are made: a row of a stage
    is one that no stage before it left out.
    """

    folder: Path
    settings: CurateSettings
    count: int

    @property
    def stages(self) -> tuple[str, ...]:
        selections = [selection.name for selection in self.settings.selections()]
        return (JUDGED, *selections, *([DIVERSE] if self.settings.diverse is not None else []))

    def file(self, stage: str, part: int) -> Path:
        return self.folder / stage / f"{part:05}.parquet"

    def rounds(self, stage: str) -> list[range]:
        """The parts that take a step in each round of a stage."""
        if stage in (JUDGED, DIVERSE):
            return [range(self.count)]
        later = [range(round_, self.count) for round_ in range(1, self.count)]
        return [range(min(1, self.count)), *later]

    def taken(self, part: int, *, stage: str, round_: int) -> bool:
        """Whether a step is done."""
        if self.file(stage, part).exists():
            return True
        later = range(round_, part)
        return any(self._closest(stage, part, each).exists() for each in later)

    def take(self, part: int, *, stage: str, round_: int) -> None:
        """One step, unless it is done."""
        if self.taken(part, stage=stage, round_=round_):
            return
        if stage == JUDGED:
            self._judge(part)
        elif stage == DIVERSE:
            self._spread(part)
        else:
            self._advance(part, stage, round_)

    def _judge(self, part: int) -> None:
        decide = judge(self.settings)
        examples: list[Example] = []
        verdicts: list[Drop | None] = []
        for example in read_examples(self.file(READ, part)):
            verdict = decide(example)
            examples.append(example if isinstance(verdict, Drop) else verdict)
            verdicts.append(verdict if isinstance(verdict, Drop) else None)
        write_examples(self.file(JUDGED, part), examples, verdicts)

    def _advance(self, part: int, stage: str, round_: int) -> None:
        """Compare a part with what stayed of the one before the round's; in its own, decide."""
        selection, texts = self.selection(stage), self.texts(stage, part)
        closest: list[Drop | None] = [None] * len(texts)
        if round_ > 1:
            closest = read_verdicts(self._closest(stage, part, round_ - 1))
        if round_ > 0:
            pool = _stayed(self, stage, round_ - 1)
            closest = selection.compared(texts, pool, before=closest)
        if part == round_:
            verdicts = selection.decided(texts, before=closest, first=self.first(stage, part))
            write_verdicts(self.file(stage, part), verdicts)
        else:
            write_verdicts(self._closest(stage, part, round_), closest)
        if round_ > 1:
            self._closest(stage, part, round_ - 1).unlink(missing_ok=True)

    def _spread(self, part: int) -> None:
        """Choose from the windows that a part has a share in."""
        assert self.settings.diverse is not None
        ends = list(accumulate(self._sizes(DIVERSE), initial=0))
        start, end = ends[part], ends[part + 1]
        window = start // WINDOW
        first, last = window * WINDOW, min(-(-end // WINDOW) * WINDOW, ends[-1])
        texts: list[str] = []
        for other in range(self.count):
            begin, stop = max(first, ends[other]), min(last, ends[other + 1])
            if begin < stop:
                asked = [example.asked for example in self._asked(DIVERSE, other)]
                texts += asked[begin - ends[other] : stop - ends[other]]
        verdicts = spread(texts, Spread(self.settings.diverse, ends[-1]), first=window)
        write_verdicts(self.file(DIVERSE, part), verdicts[start - first : end - first])

    def selection(self, stage: str) -> InOrder:
        return next(each for each in self.settings.selections() if each.name == stage)

    def texts(self, stage: str, part: int) -> list[str]:
        """What a selection in order compares, of each row that it decides on."""
        text = self.selection(stage).text
        return [text(example) for example in self._asked(stage, part)]

    @property
    def kept(self) -> Iterator[Example]:
        """What no stage leaves out."""
        for part in range(self.count):
            rows = self._rows(part, self.stages)
            yield from read_examples(self.file(JUDGED, part), rows=rows)

    @property
    def drops(self) -> Iterator[tuple[Example, Drop]]:
        """What is left out, stage after stage."""
        for number, stage in enumerate(self.stages):
            for part in range(self.count):
                verdicts = read_verdicts(self.file(stage, part))
                rows = self._rows(part, self.stages[:number]) or range(len(verdicts))
                left = [(row, drop) for row, drop in zip(rows, verdicts, strict=True) if drop]
                path = self.file(JUDGED, part)
                examples = read_examples(path, rows=[row for row, _ in left])
                yield from zip(examples, (drop for _, drop in left), strict=True)

    def _sizes(self, stage: str) -> list[int]:
        """How many rows of each part a stage decides on."""
        before = self.stages[self.stages.index(stage) - 1]
        return [sum(read_kept(self.file(before, part))) for part in range(self.count)]

    def first(self, stage: str, part: int) -> int:
        """The number of a part's first row among all that a stage decides on."""
        return sum(self._sizes(stage)[:part])

    def _rows(self, part: int, stages: Sequence[str]) -> list[int]:
        """The rows of a part that none of the stages, which begin with the first, left out."""
        rows: Sequence[int] = ()
        for number, stage in enumerate(stages):
            kept = read_kept(self.file(stage, part))
            rows = list(compress(rows if number else range(len(kept)), kept))
        return list(rows)

    def _asked(self, stage: str, part: int) -> list[Example]:
        """The rows that a stage decides on."""
        rows = self._rows(part, self.stages[: self.stages.index(stage)])
        asked = read_asked(self.file(JUDGED, part))
        return [asked[row] for row in rows]

    def _closest(self, stage: str, part: int, round_: int) -> Path:
        """The closest objections to a part's rows, of all parts before that of the round."""
        return self.folder / stage / f"{part:05}.closest-{round_:05}.parquet"


@lru_cache(maxsize=1)
def _stayed(partitions: Partitions, stage: str, part: int) -> Pool:
    """What stayed of a part; a process that takes several steps of a round reads it once."""
    selection = partitions.selection(stage)
    pool, first = selection.pool(), partitions.first(stage, part)
    kept = read_kept(partitions.file(stage, part))
    for place, text in enumerate(partitions.texts(stage, part)):
        if kept[place]:
            pool.add(text, first + place)
    return pool
