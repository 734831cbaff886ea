"""A comparison as a page with one plot: what was measured, and by how much students differ."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from seedbed.errors import ConfigError
from seedbed.evaluate.comparing import Compared, Comparison
from seedbed.evaluate.measurement import Measurement
from seedbed.evaluate.statistics import LEVEL
from seedbed.files import write_text

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito's, which people who see colours differently can tell apart."""

FOUND, UNDECIDED = "#222222", "#B0B0B0"
PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Students compared</title>
<style>
body {{ font: 15px/1.5 sans-serif; max-width: 75em; margin: 2em auto; padding: 0 1em }}
</style>
<h1>Students compared</h1>
{plot}
<ul>
{told}
</ul>
</html>
"""

ROW = 44
"""Pixels of height for each line of the plot."""


def write_plot(comparison: Comparison, path: Path) -> None:
    """Write an HTML page that needs nothing else, no network either.

    Raises:
        ConfigError: the file's name does not end in .html, or the library is missing.
        StorageError: it cannot be written.
    """
    if path.suffix.lower() not in (".html", ".htm"):
        raise ConfigError(
            f"{path}: the plot is an HTML page", hint="Give the file a name that ends in .html."
        )
    plot = figure(comparison).to_html(include_plotlyjs=True, full_html=False)
    told = [f"{pair.benchmark} {pair.metric}: {pair.verdict}" for pair in comparison.pairs]
    told += comparison.notes
    write_text(path, PAGE.format(plot=plot, told="\n".join(f"<li>{escape(t)}" for t in told)))


def figure(comparison: Comparison) -> Any:
    """The plotly figure: measured values on the left, differences on the right."""
    try:
        from plotly.graph_objects import Figure
        from plotly.subplots import make_subplots
    except ImportError:
        raise ConfigError(
            "plots need the library `plotly`",
            hint='Install it with `pip install "seedbed[report]"`.',
        ) from None
    made: Figure = make_subplots(
        rows=1,
        cols=2,
        subplot_titles=("measured", "difference, first less second"),
        horizontal_spacing=0.3,
    )
    students = dict.fromkeys(
        each.student for pair in comparison.pairs for each in (pair.first, pair.second)
    )
    for number, student in enumerate(students):
        made.add_trace(
            _values(student, _measured(comparison, student), COLORS[number % len(COLORS)]),
            row=1,
            col=1,
        )
    for found in (True, False):
        pairs = [pair for pair in comparison.pairs if (pair.adjusted < LEVEL) is found]
        if pairs:
            made.add_trace(_gaps(pairs, found=found), row=1, col=2)
    made.add_vline(x=0, line={"color": UNDECIDED, "width": 1}, row=1, col=2)
    lines = max(len(comparison.pairs), len(students))
    made.update_layout(
        template="plotly_white",
        height=220 + ROW * lines,
        legend={"orientation": "h", "y": -0.2},
        scattermode="group",
        margin={"l": 20, "r": 20},
    )
    made.update_yaxes(automargin=True, autorange="reversed")
    order = [_label(pair) for pair in comparison.pairs]
    made.update_yaxes(categoryorder="array", categoryarray=order, row=1, col=2)
    return made


def _measured(comparison: Comparison, student: str) -> list[Measurement]:
    every = [each for pair in comparison.pairs for each in (pair.first, pair.second)]
    own = {(m.benchmark, m.metric): m for m in every if m.student == student}
    return list(own.values())


def _values(student: str, measured: Sequence[Measurement], color: str) -> Any:
    from plotly.graph_objects import Scatter

    return Scatter(
        name=escape(student),
        x=[each.value for each in measured],
        y=[f"{each.benchmark}<br>{each.metric}" for each in measured],
        mode="markers",
        orientation="h",
        offsetgroup=student,
        marker={"color": color, "size": 9},
        error_x=_ends([(each.value, each.low, each.high) for each in measured]),
        hovertemplate="%{x:.2f}<extra>" + escape(student) + "</extra>",
    )


def _gaps(pairs: Sequence[Compared], *, found: bool) -> Any:
    from plotly.graph_objects import Scatter

    return Scatter(
        name="differ" if found else "the data cannot tell",
        x=[pair.difference.value for pair in pairs],
        y=[_label(pair) for pair in pairs],
        mode="markers",
        marker={
            "color": FOUND if found else UNDECIDED,
            "size": 9,
            "symbol": "circle" if found else "circle-open",
        },
        error_x=_ends(
            [(each.difference.value, each.difference.low, each.difference.high) for each in pairs]
        ),
        hovertext=[escape(pair.verdict) for pair in pairs],
        hoverinfo="text",
    )


def _label(pair: Compared) -> str:
    first, second = escape(pair.first.student), escape(pair.second.student)
    return f"{first} − {second}<br>{pair.benchmark} {pair.metric}"


def _ends(values: Sequence[tuple[float, float | None, float | None]]) -> dict[str, Any]:
    """Error bars to the ends of the intervals; none where there is no interval."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [0 if high is None else high - value for value, _, high in values],
        "arrayminus": [0 if low is None else value - low for value, low, _ in values],
        "thickness": 1.5,
        "width": 4,
    }
