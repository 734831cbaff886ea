"""Plotly traces as plain values, and the tables that say the same.

Colours are tokens that the page turns into those of its light or dark scheme: `@1` to `@8` tell
categories apart, `@kept`, `@drop` and `@soft` carry meaning, `@scale` is a sequence. Plotly reads a
little HTML in its texts, so every foreign text goes through `label`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from seedbed.records import JSON
from seedbed.report.document import Figure, Table
from seedbed.report.wording import brief, count, percent

Trace = dict[str, JSON]

CATEGORIES = 8
"""Colours that can be told apart, also by those who see fewer of them."""

ROW = 22
"""Pixels of a horizontal bar with its gap."""


def label(text: str, longest: int = 40) -> str:
    """A foreign text where Plotly would read markup."""
    return escape(brief(text, longest), quote=False)


def colour(number: int) -> str:
    """The token of a category; what is beyond the colours is grey."""
    return f"@{number + 1}" if number < CATEGORIES else "@soft"


def bars(
    *,
    figure_id: str,
    question: str,
    answer: str,
    counts: Mapping[str, float],
    unit: str,
    source: str,
    of: int | None = None,
    token: str = "@1",
    names: str = "",
) -> Figure:
    """Horizontal bars, the first on top; `of` is what the table's shares are of."""
    named = [label(name) for name in counts]
    values = list(counts.values())
    whole = sum(values) if of is None else of
    trace: Trace = {
        "type": "bar",
        "orientation": "h",
        "x": values,
        "y": list(range(len(values))),
        "text": [count(value) for value in values],
        "textposition": "outside",
        "textangle": 0,
        "hovertext": [
            f"{name}: {count(value)} {unit}" for name, value in zip(named, values, strict=True)
        ],
        "hoverinfo": "text",
        "marker": {"color": token},
        "cliponaxis": False,
    }
    layout: dict[str, JSON] = {
        "yaxis": {
            "autorange": "reversed",
            "tickvals": list(range(len(values))),
            "ticktext": named,
            "showgrid": False,
        },
        "xaxis": {"title": {"text": unit}, "rangemode": "tozero"},
    }
    rows = [(name, count(value), percent(value, whole)) for name, value in counts.items()]
    table = Table(head=(names or "what", unit, "share"), rows=rows)
    return Figure(
        id=figure_id,
        question=question,
        answer=answer,
        data=[trace],
        layout=layout,
        table=table,
        source=source,
        height=70 + ROW * max(3, len(values)),
    )


@dataclass(frozen=True, slots=True)
class Bins:
    """Counts of values between edges; the last bin also holds what is beyond it."""

    edges: Sequence[int]
    counts: Sequence[int]
    beyond: int

    def names(self) -> list[str]:
        spans = zip(self.edges, self.edges[1:], strict=False)
        names = [f"{low}–{high - 1}" if high - low > 1 else str(low) for low, high in spans]
        if self.beyond:
            names[-1] = f"{self.edges[-2]} or more"
        return names


def binned(values: Sequence[int], *, most: int = 40) -> Bins:
    """Whole numbers in up to `most` bins of one whole width, the long tail in the last one.

    The tail is what is longer than 99 % of the values.
    """
    ordered = sorted(values)
    low, high = ordered[0], ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]
    width = max(1, -(-(high - low + 1) // most))
    edges = list(range(low, high + width + 1, width))
    counts = [0] * (len(edges) - 1)
    for value in ordered:
        counts[min((value - low) // width, len(counts) - 1)] += 1
    return Bins(edges, counts, sum(1 for value in ordered if value >= edges[-1]))


def median(values: Sequence[float]) -> float:
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def quantile(values: Sequence[float], share: float) -> float:
    """The value that this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def vertical(at: float, text: str) -> dict[str, JSON]:
    """A line across the plot at a value of x, with a word at its top, as parts of a layout."""
    shape = {
        "type": "line",
        "x0": at,
        "x1": at,
        "yref": "paper",
        "y0": 0,
        "y1": 1,
        "line": {"color": "@ink", "width": 1, "dash": "dot"},
    }
    note = {
        "x": at,
        "yref": "paper",
        "y": 1,
        "text": text,
        "showarrow": False,
        "yanchor": "bottom",
        "font": {"size": 12},
    }
    return {"shapes": [shape], "annotations": [note]}
