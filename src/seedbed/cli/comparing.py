"""`seedbed compare`: whether students differ, by the results that `seedbed eval` wrote."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from seedbed.records import JSON

if TYPE_CHECKING:
    from seedbed.evaluate.comparing import Compared, Comparison, Refit
    from seedbed.evaluate.measurement import Result
    from seedbed.evaluate.statistics import Difference


def add_options(command: argparse.ArgumentParser) -> None:
    """The options of `seedbed compare`."""
    command.add_argument(
        "students",
        nargs="+",
        metavar="RESULT",
        help="two or more: a file of `seedbed eval`, its folder, or a checkpoint, a training or a "
        "run measured by it",
    )
    command.add_argument(
        "--metric", action="append", default=[], metavar="NAME", help="only this (repeatable)"
    )
    command.add_argument(
        "--all", action="store_true", help="every metric, not only each benchmark's first"
    )
    command.add_argument(
        "--data", metavar="FOLDER", help="alpaca_eval's files, to refit LC win rates"
    )
    command.add_argument(
        "--draws", type=int, default=500, metavar="N", help="refits per LC pair (default: 500)"
    )
    command.add_argument(
        "--anyway", action="store_true", help="also what was judged by other judges or settings"
    )
    command.add_argument("--plot", metavar="FILE", help="write an HTML page with a plot")
    command.add_argument("--json", action="store_true", help="print JSON, for machines")


def run(options: argparse.Namespace) -> tuple[str, JSON]:
    """What to print, for people and for machines.

    Raises:
        SeedbedError: the results cannot be read, or not be compared.
    """
    from pathlib import Path

    from seedbed.errors import ConfigError
    from seedbed.evaluate.comparing import compare
    from seedbed.evaluate.measurement import read_results
    from seedbed.measuring.students import measured_at

    if len(options.students) < 2:
        raise ConfigError("compare: expected two results or more")
    if options.draws < 100:
        raise ConfigError(f"--draws {options.draws}: expected at least 100")
    students = [read_results(measured_at(Path(place))) for place in options.students]
    refits, notes = _refits(options, students)
    comparison = compare(
        students,
        metrics=options.metric,
        every=options.all,
        refits=refits,
        anyway=options.anyway,
    )
    told = [*comparison.notes, *notes]
    report = table(comparison, told)
    if options.plot:
        from seedbed.evaluate.plotting import write_plot

        write_plot(comparison, Path(options.plot))
        report += f"\n\n  {options.plot}"
    facts = {"pairs": [pair.to_json() for pair in comparison.pairs], "notes": told}
    return report, facts


def _refits(
    options: argparse.Namespace, students: list[tuple[Result, ...]]
) -> tuple[dict[tuple[str, str], Refit], list[str]]:
    """How LC win rates are compared, where two students have one and the data is there."""
    from pathlib import Path

    from seedbed.errors import ConfigError, DatasetError
    from seedbed.evaluate.alpaca_eval.comparing import compare_lc
    from seedbed.evaluate.alpaca_eval.data import GAMED, load_data
    from seedbed.evaluate.alpaca_eval.scoring import BENCHMARK, LC

    results = [each for student in students for each in student if each.benchmark == BENCHMARK]
    if len(results) < 2 or (options.metric and LC not in options.metric):
        return {}, []
    try:
        data = load_data(Path(options.data) if options.data else None, offline=True)
    except DatasetError as error:
        if options.data:
            raise
        return {}, [
            f"LC win rates are not compared, since refitting needs alpaca_eval's files ({error}). "
            "Name their folder with --data."
        ]
    for result in results:
        used = result.measurements[0].settings.get("data", {}).get(GAMED)
        if used != data.digests[GAMED]:
            raise ConfigError(
                f"{result.student}: its LC win rate was fitted with another {GAMED}",
                hint="Name the same files with --data as when it was measured.",
            )

    def refit(first: Result, second: Result) -> Difference:
        return compare_lc(first, second, data.gamed, draws=options.draws)

    return {(BENCHMARK, LC): refit}, []


def table(comparison: Comparison, notes: list[str]) -> str:
    """Pairs under each other, each below its name, a sentence for each, and every note once."""
    from seedbed.cli.result_tables import note_line
    from seedbed.cli.tables import columns, visible

    head = ("first", "second", "difference", "95 % interval", "p", "p (Holm)", "n", "chars")
    first, rule, *rows = columns([_row(pair) for pair in comparison.pairs], head=head).splitlines()
    lines = [first, rule]
    for pair, row in zip(comparison.pairs, rows, strict=True):
        name = f"{pair.first.student} − {pair.second.student}, {pair.benchmark} {pair.metric}"
        lines += [f"  {visible(name)}", row]
    lines.append("")
    lines += [
        note_line(f"{pair.benchmark} {pair.metric}: {pair.verdict}") for pair in comparison.pairs
    ]
    if comparison.untested:
        names = ", ".join(f"{benchmark} {metric}" for benchmark, metric in comparison.untested)
        lines.append(note_line(f"No score per item, so not tested: {names}."))
    return "\n".join([*lines, *map(note_line, notes)])


def _row(pair: Compared) -> tuple[str, ...]:
    found = pair.difference
    interval = "" if found.low is None else f"{found.low:+.2f} to {found.high:+.2f}"
    return (
        f"{pair.first.value:.2f}",
        f"{pair.second.value:.2f}",
        f"{found.value:+.2f}",
        interval,
        _chance(found.p),
        _chance(pair.adjusted),
        f"{found.n}",
        f"{pair.chars:+.0f}",
    )


def _chance(p: float) -> str:
    return "< 0.0001" if p < 0.0001 else f"{p:.4f}"
