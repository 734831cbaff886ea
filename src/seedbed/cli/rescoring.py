"""`seedbed eval BENCHMARK --annotations FILE`: stored judgments scored again, with no call."""

from __future__ import annotations

import argparse
from pathlib import Path

from seedbed.cli.result_tables import result_table
from seedbed.errors import ConfigError
from seedbed.evaluate.measurement import Result, write_result
from seedbed.records import JSON


def run_rescoring(options: argparse.Namespace) -> tuple[str, JSON]:
    """What to print, for people and for machines.

    Raises:
        SeedbedError: the judgments cannot be read, or not be scored.
    """
    results = rescore(options)
    files = [_write(result, Path(options.out), len(results)) for result in results if options.out]
    report = "\n\n".join(result_table(result) for result in results)
    told = "\n".join(["\n", *(f"  {path}" for path in files)]) if files else ""
    return report + told, [each for result in results for each in result.to_json()["measurements"]]


def rescore(options: argparse.Namespace) -> list[Result]:
    """Results of stored judgments: no model is asked."""
    if options.student != "alpaca_eval":
        raise ConfigError(
            f"--annotations: {options.student} is no benchmark whose judgments are stored so",
            hint="There is: alpaca_eval.",
        )
    from seedbed.evaluate.alpaca_eval.annotations import read_annotations
    from seedbed.evaluate.alpaca_eval.data import load_data
    from seedbed.evaluate.alpaca_eval.scoring import Scoring, score

    if options.draws < 2:
        raise ConfigError(f"--draws {options.draws}: expected at least 2")
    if options.penalty is not None and not options.penalty > 0:
        raise ConfigError(f"--penalty {options.penalty}: expected more than 0")
    data = load_data(Path(options.data) if options.data else None)
    students = read_annotations(Path(options.annotations), data)
    known = [student.student for student in students]
    if unknown := [name for name in options.model if name not in known]:
        raise ConfigError(
            f"--model {unknown[0]}: not in {options.annotations}",
            hint=f"It has: {', '.join(known)}.",
        )
    scoring = Scoring(C=options.penalty, draws=options.draws)
    return [
        score(student, data, scoring=scoring)
        for student in students
        if not options.model or student.student in options.model
    ]


def _write(result: Result, folder: Path, count: int) -> Path:
    """One student's result goes into the folder, those of several into a folder each."""
    place = folder if count == 1 else folder / result.student.replace("/", "_")
    return write_result(result, place)
