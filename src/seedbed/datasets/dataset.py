"""Datasets: records read afresh with each iteration, and a report of what was left out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from itertools import chain
from pathlib import Path
from typing import Generic, TypeVar

from seedbed.datasets.encodings import CONVERT
from seedbed.datasets.hub import PREFIX, open_hub
from seedbed.datasets.report import ReadReport, Tally
from seedbed.datasets.rows import Bad, Row, Table, names
from seedbed.datasets.settings import ReadSettings
from seedbed.datasets.shapes import RESPONSE, Parts, Shape, find_shape
from seedbed.datasets.sources import find_file, open_file
from seedbed.errors import DatasetError
from seedbed.records import Example, Instruction

T = TypeVar("T")

PEEK = 20
"""Rows whose fields tell the columns, where the source itself does not declare them."""


_NONE = Shape("", lambda row: Bad("not_an_object", "no fields"))
"""The layout of rows none of which could be read."""


class Dataset(Generic[T]):
    """The records of a source, in its order. Every iteration reads the source anew.

    `report` tells of the latest iteration, and is complete when that has ended.
    """

    def __init__(
        self,
        source: str,
        *,
        settings: ReadSettings,
        turn: Callable[[Sequence[Parts]], Sequence[T | Bad]],
        answered: bool,
    ) -> None:
        self.source = source
        self._settings = settings
        self._turn = turn
        self._answered = answered
        self._tally = Tally(source)

    @property
    def report(self) -> ReadReport:
        return self._tally.report()

    def __iter__(self) -> Iterator[T]:
        """Read the source.

        Raises:
            DatasetError: it is missing, is not a dataset, has a bad row (unless those are to be
                skipped), or nothing in it can be used.
        """
        tally = self._tally = Tally(self.source)
        with _open(self.source, self._settings) as table:
            tally.kind, tally.unit = table.kind, table.unit
            columns, rows = _peek(table, self._settings)
            shape = self._shape(columns, table.kind) if columns is not None else _NONE
            for row in rows:
                tally.rows += 1
                yield from self._records(row, shape, tally)
            if tally.kept == 0:
                raise _nothing(tally)

    def _shape(self, columns: Sequence[str], kind: str) -> Shape:
        shape = find_shape(columns, self._settings, kind=kind)
        self._tally.shape, self._tally.unread = shape.name, shape.unread
        if self._answered and not shape.answers:
            raise DatasetError(
                f"read as {kind}: no column with responses; found {names(columns)}; "
                f"expected one of {names(RESPONSE)}",
                hint='Name it: response = "…"; for `seedbed curate`: --response.',
            )
        return shape

    def _records(self, row: Row, shape: Shape, tally: Tally) -> Iterator[T]:
        found = row.content if isinstance(row.content, Bad) else shape.read(row.content)
        if isinstance(found, Bad):
            self._reject(row, found, tally)
            return
        for parts, record in zip(found, self._turn(found), strict=False):
            if isinstance(record, Bad):
                self._reject(row, record, tally)
                continue
            tally.kept += 1
            tally.turns_ignored += parts.turns_ignored
            tally.systems_ignored += parts.systems_ignored
            yield record

    def _reject(self, row: Row, bad: Bad, tally: Tally) -> None:
        if bad.malformed and self._settings.on_bad_line == "stop":
            mend = CONVERT if bad.reason == "not_utf8" else "Mend it."
            raise DatasetError(
                f"{tally.unit} {row.number}: {bad.detail}",
                hint=f'{mend} Or set on_bad_line = "skip" (for `seedbed curate`: --on-bad-line '
                "skip): such rows are left out and listed.",
            )
        tally.skip(row.number, bad)


def read_dataset(source: str | Path, *, settings: ReadSettings | None = None) -> Dataset[Example]:
    """The examples of a dataset: of a file, a run's folder, or `hf:organisation/name`.

    Reads JSON lists, JSONL, CSV, TSV and Parquet, gz-compressed or not, in the layouts of Alpaca,
    Self-Instruct's seed tasks, OpenAI's `messages`, ShareGPT, this package's own, or any with an
    instruction and a response in columns. Of a conversation the first question and its answer are
    read. Rows without an instruction or a response are left out and counted. Nothing is read
    before the iteration; all but a JSON list is read as it goes.
    """

    def turn(found: Sequence[Parts]) -> Sequence[Example | Bad]:
        return [_example(parts) for parts in found]

    return Dataset(str(source), settings=settings or ReadSettings(), turn=turn, answered=True)


def read_instructions(
    source: str | Path, *, settings: ReadSettings | None = None
) -> Dataset[Instruction]:
    """The instructions of a dataset, answered or not; else like `read_dataset`.

    A row gives one instruction, without the input that it may work on.
    """

    def turn(found: Sequence[Parts]) -> Sequence[Instruction | Bad]:
        return [_instruction(parts) for parts in found[:1]]

    return Dataset(str(source), settings=settings or ReadSettings(), turn=turn, answered=False)


def _example(parts: Parts) -> Example | Bad:
    instruction = _instruction(parts)
    if isinstance(instruction, Bad):
        return instruction
    if not parts.response.strip():
        return Bad("empty_response", "no response", malformed=False)
    return Example(
        instruction=instruction,
        input=parts.input if parts.input.strip() else "",
        response=parts.response,
        repairs=parts.repairs,
    )


def _instruction(parts: Parts) -> Instruction | Bad:
    if not parts.instruction.strip():
        return Bad("empty_instruction", "no instruction", malformed=False)
    return Instruction(text=parts.instruction, origin=parts.origin)


def _open(source: str, settings: ReadSettings) -> AbstractContextManager[Table]:
    if source.startswith(PREFIX):
        return open_hub(source)
    return open_file(find_file(Path(source)), settings)


def _peek(table: Table, settings: ReadSettings) -> tuple[Sequence[str] | None, Iterable[Row]]:
    """The names of the columns, from the first rows where the source does not declare them.

    They are None where no row before the first bad one (or none at all) can be read.
    """
    if table.columns:
        return table.columns, table.rows
    seen: list[Row] = []
    columns: dict[str, None] = {}
    good = 0
    for row in table.rows:
        seen.append(row)
        if not isinstance(row.content, Bad):
            columns |= dict.fromkeys(row.content)
            good += 1
        elif settings.on_bad_line == "stop":
            break
        if good == PEEK:
            break
    return list(columns) if good else None, chain(seen, table.rows)


def _nothing(tally: Tally) -> DatasetError:
    report = tally.report()
    if not report.rows:
        return DatasetError("no rows; expected at least one")
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in report.reasons.items())
    first = report.skipped[0]
    return DatasetError(
        f"none of {report.rows:,} rows can be used: {reasons}; "
        f"{report.unit} {first.number}: {first.detail}"
    )
