"""What became of the rows of a dataset."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from seedbed.datasets.rows import Bad, Unit, names

MOST_LISTED = 1000
"""Skipped rows that a report lists one by one; the rest is in its counts."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A row that was left out: its line (or row, counted from 1), why, and what stood there."""

    number: int
    reason: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadReport:
    """What was read of a dataset, complete when its iteration has ended.

    `kept` counts records, of which a seed task can give several. `skipped` lists the first
    1,000 rows left out, `reasons` counts them all. `turns_ignored` counts the turns of
    conversations other than the first question and its answer, `systems_ignored` their system
    messages. `unread` names the columns that no example keeps.
    """

    source: str
    kind: str = ""
    shape: str = ""
    unit: Unit = "line"
    rows: int = 0
    kept: int = 0
    skipped: tuple[Skipped, ...] = ()
    reasons: Mapping[str, int] = field(default_factory=dict)
    turns_ignored: int = 0
    systems_ignored: int = 0
    unread: tuple[str, ...] = ()

    def __str__(self) -> str:
        parts = [
            f"{self.source} ({self.kind}, {self.shape}): {self.rows:,} rows, {self.kept:,} kept"
        ]
        for reason, count in self.reasons.items():
            parts.append(f"{count:,} {reason} ({self._places(reason)})")
        if self.turns_ignored:
            parts.append(f"{self.turns_ignored:,} later turns ignored")
        if self.systems_ignored:
            parts.append(f"{self.systems_ignored:,} system messages ignored")
        if self.unread:
            parts.append(f"columns not read: {names(self.unread)}")
        return "; ".join(parts)

    def _places(self, reason: str, most: int = 20) -> str:
        numbers = [item.number for item in self.skipped if item.reason == reason]
        more = ", …" if self.reasons[reason] > most else ""
        plural = "s" if self.reasons[reason] > 1 else ""
        return f"{self.unit}{plural} {', '.join(map(str, numbers[:most]))}{more}"


class Tally:
    """Counts while reading."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.kind = self.shape = ""
        self.unit: Unit = "line"
        self.unread: tuple[str, ...] = ()
        self.rows = self.kept = self.turns_ignored = self.systems_ignored = 0
        self._skipped: list[Skipped] = []
        self._reasons: Counter[str] = Counter()

    def skip(self, number: int, bad: Bad) -> None:
        self._reasons[bad.reason] += 1
        if len(self._skipped) < MOST_LISTED:
            self._skipped.append(Skipped(number, bad.reason, bad.detail))

    def report(self) -> ReadReport:
        return ReadReport(
            source=self.source,
            kind=self.kind,
            shape=self.shape,
            unit=self.unit,
            rows=self.rows,
            kept=self.kept,
            skipped=tuple(self._skipped),
            reasons=dict(self._reasons),
            turns_ignored=self.turns_ignored,
            systems_ignored=self.systems_ignored,
            unread=self.unread,
        )
