"""What an ablation leaves to read: `ablation.json`, a table as Markdown, a plot as a page."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from importlib.metadata import version
from pathlib import Path

from seedbed.ablate.study import Study
from seedbed.ablate.table import Compared, Effect, Row
from seedbed.errors import ConfigError
from seedbed.files import write_text

TERMS = {
    "examples": "at equal accepted examples",
    "calls": "at equal teacher calls",
    "dollars": "at equal dollars",
}

SPLITS = {"accuracy_k1": "k = 1", "accuracy_k2": "k = 2", "accuracy_k3": "k = 3"}
"""The splits that the table shows, and their headings; all of them are in the JSON."""


def write(study: Study, found: Sequence[Compared]) -> list[Path]:
    """Write the results into the ablation's folder; the plot only where plotly is installed."""
    folder = study.folder
    content = {
        "seedbed": version("seedbed"),
        "config": str(study.place.name),
        "seeds": study.table.seeds,
        "items": study.table.items,
        "k": study.table.k,
        "comparisons": [
            {"factor": one.group, "match": one.match, "arms": [row.to_json() for row in one.rows]}
            for one in found
        ],
    }
    places = [folder / "ablation.json", folder / "README.md", folder / "plot.html"]
    write_text(places[0], json.dumps(content, ensure_ascii=False, indent=1) + "\n")
    write_text(places[1], markdown(found))
    try:
        write_text(places[2], page(found))
    except ConfigError:
        return places[:2]
    return places


def markdown(found: Sequence[Compared]) -> str:
    """For each comparison a table of marks and one of losses, with what they were computed from."""
    parts = ["# Ablation"]
    for one in found:
        splits = [name for name in SPLITS if all(name in row.splits for row in one.rows)]
        heads = ["arm", "examples", "calls", "accuracy", *(SPLITS[name] for name in splits)]
        parts.append(f"## {one.group}, {TERMS[one.match]}")
        parts.append(_table([*heads, *EFFECT], [_cells(row, splits) for row in one.rows]))
        losses = [
            [_named(row), f"{row.loss.value:.3f}", *_effect(row.loss, 3)]
            for row in one.rows
            if row.loss is not None
        ]
        if losses:
            parts.append(_table(["arm", "loss", *EFFECT], losses))
        parts.append(_source(one))
    return "\n\n".join(parts) + "\n"


EFFECT = ["by seed", "difference", "95 % interval", "p", ""]


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    ruled = [" | ".join(heads), "|".join(["---"] * len(heads)), *map(" | ".join, rows)]
    return "\n".join(f"| {line} |" for line in ruled)


def _cells(row: Row, splits: Sequence[str]) -> list[str]:
    return [
        _named(row),
        f"{row.examples:,.0f}",
        f"{row.calls:,.0f}",
        f"{row.accuracy.value:.1f}",
        *(f"{row.splits[name]:.1f}" for name in splits),
        *_effect(row.accuracy, 1),
    ]


def _named(row: Row) -> str:
    return row.arm.replace("|", "\\|")


def _effect(one: Effect, digits: int) -> list[str]:
    """Its values by seed, and how it differs from the first arm's."""
    values = " ".join(f"{value:.{digits}f}" for value in one.values)
    if one.difference is None or one.low is None or one.high is None or one.p is None:
        return [values, "", "", "", one.verdict]
    span = f"{one.low:+.{digits}f} to {one.high:+.{digits}f}"
    return [values, f"{one.difference:+.{digits}f}", span, f"{one.p:.3f}", one.verdict]


def _source(one: Compared) -> str:
    seeds = ", ".join(map(str, one.seeds))
    first = one.rows[0]
    guess = first.splits.get("guess")
    said = (
        "" if guess is None else f" The commonest answer given to everything reaches {guess:.1f} %."
    )
    over = (
        "intervals and p by Student's t over the seeds, each paired with itself in the first arm"
        if len(one.seeds) > 1
        else "intervals over the items of the one seed, which say nothing of other seeds"
    )
    return (
        f"Exact accuracy in percent on held-out practice items, and loss of their true responses "
        f"in nats a token (lower is better); seeds {seeds}; {over}; p adjusted for the number of "
        f"arms (Holm).{said}"
    )


def page(found: Sequence[Compared]) -> str:
    """One plot of all comparisons, on a page that needs no network.

    Raises:
        ConfigError: plotly is not installed.
    """
    try:
        from plotly.graph_objects import Figure, Scatter
        from plotly.subplots import make_subplots
    except ImportError:
        raise ConfigError("the plot needs plotly", hint="pip install 'seedbed[report]'") from None
    titles = [escape(f"{one.group}, {TERMS[one.match]}") for one in found]
    plot: Figure = make_subplots(rows=len(found), cols=1, subplot_titles=titles)
    for place, one in enumerate(found, 1):
        arms = [escape(row.arm) for row in reversed(one.rows)]
        rows = list(reversed(one.rows))
        reach = [_reach(row.accuracy) for row in rows]
        seeds = [(escape(row.arm), value) for row in rows for value in row.accuracy.values]
        points = Scatter(
            x=[value for _, value in seeds], y=[arm for arm, _ in seeds], mode="markers",
            marker={"color": "#999999", "size": 6}, name="one seed", showlegend=place == 1,
        )  # fmt: skip
        middles = [row.accuracy.value for row in rows]
        means = Scatter(
            x=middles, y=arms, mode="markers", name="mean over seeds, with "
            "the 95 % interval of the difference to the first arm", showlegend=place == 1,
            marker={"color": "#0072B2", "size": 10}, error_x={"type": "data", "array": reach},
        )  # fmt: skip
        plot.add_trace(points, row=place, col=1)
        plot.add_trace(means, row=place, col=1)
        plot.update_xaxes(title_text="exact accuracy, %", row=place, col=1)
    height = 160 + sum(110 + 34 * len(one.rows) for one in found)
    plot.update_layout(template="plotly_white", height=height, legend={"orientation": "h"})
    body = plot.to_html(include_plotlyjs=True, full_html=False)
    return (
        '<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>Ablation</title>\n'
        f"<h1>Ablation</h1>\n{body}\n</html>\n"
    )


def _reach(one: Effect) -> float:
    return 0.0 if one.high is None or one.low is None else (one.high - one.low) / 2
