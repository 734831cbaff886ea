"""Results of benchmarks as tables."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill

from seedbed.cli.tables import columns, visible
from seedbed.evaluate.measurement import Measurement, Result

WIDTH = 100


def result_table(result: Result) -> str:
    """Measurements under each other, and every note once."""
    rows = [_row(each) for each in result.measurements]
    head = ("", "value", "95 % interval", "standard error", "n")
    notes = dict.fromkeys(note for each in result.measurements for note in each.notes)
    judge = f", judged by {result.measurements[0].judge}" if result.measurements[0].judge else ""
    title = f"{visible(result.student)} on {result.benchmark}{visible(judge)}"
    lines = [title, "", columns(rows, head=head)]
    if notes:
        lines += ["", *(note_line(note) for note in notes)]
    return "\n".join(lines)


def note_line(text: str) -> str:
    """A sentence for the reader, wrapped, without what could steer a terminal."""
    return fill(visible(text), WIDTH, initial_indent="  · ", subsequent_indent="    ")


def _row(each: Measurement) -> Sequence[str]:
    interval = "" if each.low is None else f"{each.low:.2f} to {each.high:.2f}"
    error = "" if each.standard_error is None else f"{each.standard_error:.2f}"
    of = f"{each.n}" if each.n == each.expected_n else f"{each.n} of {each.expected_n}"
    return each.metric, f"{each.value:.2f}", interval, error, of
