"""Published rows to read a student's numbers by."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from seedbed.errors import DatasetError

FILE = "weighted_alpaca_eval_gpt4_turbo_leaderboard.csv"
COLUMNS: Mapping[str, str] = {
    "win_rate": "win_rate",
    "lc_win_rate": "length_controlled_winrate",
}
"""The leaderboard's names of our metrics."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A row of the leaderboard: the student's name and a metric's value."""

    student: str
    value: float


def read_leaderboard(folder: Path | None) -> dict[str, tuple[Published, ...]]:
    """The published rows of each metric, the highest first; none where there is no file.

    Raises:
        DatasetError: the file is there and cannot be read.
    """
    if folder is None or not (path := folder / FILE).is_file():
        return {}
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        return {metric: _ranked(rows, column) for metric, column in COLUMNS.items()}
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise DatasetError(f"{path}: cannot be read as the leaderboard: {error!r}") from error


def _ranked(rows: list[dict[str, str]], column: str) -> tuple[Published, ...]:
    found = [
        Published(student=next(iter(row.values())), value=float(row[column]))
        for row in rows
        if row[column]
    ]
    return tuple(sorted(found, key=lambda row: -row.value))


def standing(rows: tuple[Published, ...], value: float, *, beside: int = 2) -> str:
    """Where a value would stand, and the rows just above and below it; empty without rows."""
    if not rows:
        return ""
    above = [row for row in rows if row.value > value]
    below = rows[len(above) :]
    near = [*above[-beside:], *below[:beside]]
    told = ", ".join(f"{row.student} {row.value:.2f}" for row in near)
    return f"{len(above)} of {len(rows)} published rows are higher; around it: {told}."
