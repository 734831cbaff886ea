"""The AlpacaEval data that these tests check against, which is no part of the project."""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "../shared/data/alpaca_eval"
ANNOTATIONS = FOLDER / "annotations_compact.csv.gz"
GAMED = FOLDER / "df_gamed_surrogate.csv"

needs_data = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="../shared/data/alpaca_eval is not here"
)


@cache
def judged() -> dict[str, dict[str, list[float]]]:
    """Columns of the shared annotations, by model."""
    models: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    with gzip.open(ANNOTATIONS, "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            for name, value in row.items():
                if name != "model":
                    models[row["model"]][name].append(float(value or "nan"))
    return dict(models)


@cache
def leaderboard() -> dict[str, dict[str, float]]:
    """The published numbers, by model; without those that a row leaves empty."""
    return _rows(FOLDER / "weighted_alpaca_eval_gpt4_turbo_leaderboard.csv", without="mode")


@cache
def published_weights() -> dict[str, tuple[float, float, float]]:
    """Weights of length, difficulty and bias, by model."""
    rows = _rows(FOLDER / "baseline_gpt4_1106_preview.csv")
    return {name: (w[0], w[1], w[2]) for name, w in ((n, [*r.values()]) for n, r in rows.items())}


@cache
def bootstrap_table() -> dict[str, dict[str, float]]:
    return _rows(FOLDER / "bootstrap_lc_standard_errors.csv", without="")


@cache
def difficulty() -> list[float]:
    with (FOLDER / "instruction_difficulty_recovered.csv").open(encoding="utf-8") as file:
        return [float(row["instruction_difficulty"]) for row in csv.DictReader(file)]


def difficulties_of(
    columns: dict[str, list[float]], *, by: str = "instruction_index"
) -> list[float]:
    """One per judged row: of its instruction, or (by="row") of its place, as the official code."""
    return [difficulty()[int(place)] for place in columns[by]]


def _rows(path: Path, *, without: str = "") -> dict[str, dict[str, float]]:
    with path.open(encoding="utf-8") as file:
        found = {}
        for row in csv.DictReader(file):
            name = next(iter(row.values()))
            cells = [*row.items()][1:]
            found[name] = {key: float(cell) for key, cell in cells if cell and key != without}
        return found
