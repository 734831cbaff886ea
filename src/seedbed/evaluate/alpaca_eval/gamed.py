"""The gamed rows: the baseline made concise and verbose, judged against itself.

They come with the benchmark (`df_gamed.csv` on the hub), hold for one judge and one baseline, and
are the reason why an LC win rate of another judge is comparable with no published one.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from seedbed.errors import DatasetError
from seedbed.evaluate.alpaca_eval.win_rate import Floats

COLUMNS = ("preference", "std_delta_len", "instruction_difficulty")


@dataclass(frozen=True, slots=True)
class GamedRows:
    """`share` is the gamed output's, in [0, 1]; `delta` its length less than the baseline's, over
    the standard deviation of its model; `difficulty` the instruction's."""

    share: Floats
    delta: Floats
    difficulty: Floats


def gamed_rows(given: Any) -> GamedRows:
    """The gamed rows out of whatever holds them.

    Args:
        given: the path of `df_gamed.csv`; or its columns `preference` (here 0 to 1),
            `std_delta_len` and `instruction_difficulty`, as a mapping of arrays or a pandas frame;
            or a list of rows that are mappings; or an array of these three columns in this order.

    Raises:
        ValueError: columns are missing, of different lengths, or out of range.
        DatasetError: the file cannot be read.
    """
    if isinstance(given, GamedRows):
        return given
    if isinstance(given, str | Path):
        return gamed_rows(_read(Path(given)))
    columns = [np.asarray(column, dtype=np.float64) for column in _columns(given)]
    if len({column.shape for column in columns}) != 1 or columns[0].ndim != 1:
        raise ValueError(f"gamed: columns of shapes {[column.shape for column in columns]}")
    if not all(np.isfinite(column).all() for column in columns):
        raise ValueError("gamed: expected finite numbers")
    if ((columns[0] < 0) | (columns[0] > 1)).any():
        raise ValueError("gamed: a preference of the gamed rows is not within 0 and 1")
    return GamedRows(*columns)


def _columns(given: Any) -> Sequence[Any]:
    if isinstance(given, Sequence) and given and isinstance(given[0], Mapping):
        return [[row[name] for row in given] for name in COLUMNS]
    if isinstance(given, np.ndarray) and given.ndim == 2:
        if given.shape[1] != len(COLUMNS):
            raise ValueError(f"gamed: {given.shape[1]} columns, expected {', '.join(COLUMNS)}")
        return list(given.T)
    try:
        return [given[name] for name in COLUMNS]
    except (KeyError, TypeError, IndexError, ValueError):
        raise ValueError(f"gamed: expected the columns {', '.join(COLUMNS)}") from None


def _read(path: Path) -> dict[str, list[str]]:
    """The columns of a CSV file."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{path}: cannot be read: {error}") from error
    if not rows or not set(COLUMNS) <= rows[0].keys():
        raise DatasetError(f"{path}: expected a CSV with the columns {', '.join(COLUMNS)}")
    return {name: [row[name] for row in rows] for name in COLUMNS}
