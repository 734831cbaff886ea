"""How close AlpacaEval 2's published numbers come out, and how large the real errors are.

Run from the repository root: `python benchmarks/alpaca_eval.py [FOLDER] [--bootstrap N]`, where
FOLDER holds AlpacaEval's files, the published leaderboard and weights, and a table of annotations
(default `../shared/data/alpaca_eval`). Prints what is reproduced to which digit, then for each
student the LC win rate with the error of N refits (default 300) beside the official one.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Iterator
from pathlib import Path

from seedbed.evaluate.alpaca_eval import (
    AlpacaEvalData,
    Annotated,
    LengthControlled,
    length_controlled,
    load_data,
    read_annotations,
    win_rate,
)
from seedbed.evaluate.alpaca_eval.length_control import GRID, bootstrap, from_weights, judged_rows

Rows = dict[str, dict[str, str]]


def table(path: Path) -> Rows:
    with path.open(encoding="utf-8", newline="") as file:
        return {next(iter(row.values())): row for row in csv.DictReader(file)}


def fitted(student: Annotated, data: AlpacaEvalData, *, C: float | None) -> LengthControlled:
    """Joined by row, as the published numbers are."""
    difficulty = data.difficulty[: len(student.place)]
    arrays = (student.preference, student.model_chars, student.baseline_chars, difficulty)
    return length_controlled(*arrays, data.gamed, C=C)


def raw_differences(students: list[Annotated], published: Rows) -> Iterator[float]:
    for student in students:
        found, row = win_rate(student.preference), published[student.student]
        yield abs(found.win_rate - float(row["win_rate"]))
        yield abs(found.standard_error - float(row["standard_error"]))
        yield abs(found.discrete_win_rate - float(row["discrete_win_rate"]))


def weight_differences(folder: Path, data: AlpacaEvalData, published: Rows) -> dict[str, float]:
    weights = table(folder / "baseline_gpt4_1106_preview.csv")
    found = {}
    for name, row in weights.items():
        if name in published:
            length, difficulty, bias = (float(value) for value in list(row.values())[1:])
            value = from_weights((length, difficulty, bias), data.difficulty)
            found[name] = abs(value - float(published[name]["length_controlled_winrate"]))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", default="../shared/data/alpaca_eval", type=Path)
    parser.add_argument("--bootstrap", type=int, default=300, metavar="N")
    options = parser.parse_args()
    folder: Path = options.folder
    data = load_data(folder)
    published = table(folder / "weighted_alpaca_eval_gpt4_turbo_leaderboard.csv")
    every = read_annotations(folder / "annotations_compact.csv.gz", data)
    students = [student for student in every if student.student in published]
    print(f"{len(every)} students, {sum(len(s.place) for s in every):,} judgments")
    reread, differing = sum(s.reread for s in every), sum(s.differing for s in every)
    print(f"preferences re-read from log-probabilities and order: {reread:,}, {differing} differ")
    raw = max(raw_differences(students, published))
    print(f"WR, SE, discrete WR of {len(students)}: max {raw:.1e}")
    weighed = weight_differences(folder, data, published)
    exact = sum(value < 1e-6 for value in weighed.values())
    worst = max(weighed.values())
    print(f"LC from published weights: {exact} of {len(weighed)} within 1e-6, max {worst:.3f}")
    print(
        f"\n{'student':<28}{'n':>4}{'LC':>8}{'published':>10}{'best C':>8}{'off':>9}{'CV off':>9}"
        f"{'error':>7}{'official':>9}{'s/fit':>7}"
    )
    for student in students:
        row = float(published[student.student]["length_controlled_winrate"])
        began = time.perf_counter()
        fits = [fitted(student, data, C=C) for C in GRID]
        seconds = (time.perf_counter() - began) / len(GRID)
        best = min(fits, key=lambda fit: abs(fit.length_controlled_winrate - row))
        chosen = fitted(student, data, C=None)
        rows = judged_rows(
            student.preference,
            student.model_chars,
            student.baseline_chars,
            data.difficulty[student.place],
        )
        error = bootstrap(rows, data.gamed, C=best.C, draws=options.bootstrap).std(ddof=1)
        print(
            f"{student.student:<28}{best.n:>4}{best.length_controlled_winrate:>8.3f}{row:>10.3f}"
            f"{best.C:>8.4g}{abs(best.length_controlled_winrate - row):>9.0e}"
            f"{abs(chosen.length_controlled_winrate - row):>9.0e}"
            f"{error:>7.2f}{best.lc_standard_error:>9.2f}{seconds:>7.3f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
