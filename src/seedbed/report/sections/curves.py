"""Curves over the steps of a training, and small plots of several of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from seedbed.records import JSON
from seedbed.report.document import Figure, Table
from seedbed.report.figures import Trace, colour, label
from seedbed.report.training import Line, is_number
from seedbed.report.wording import decimal, spoken

POINTS = 600
"""Points of a curve; of more steps, several are averaged."""

Point = tuple[float, ...]


def smoothed(points: Sequence[Point]) -> list[Point]:
    """Means over as many neighbouring points as leaves `POINTS` of them."""
    size = -(-len(points) // POINTS)
    groups = [points[at : at + size] for at in range(0, len(points), size)]
    return [
        tuple(sum(values) / len(group) for values in zip(*group, strict=True)) for group in groups
    ]


def series_of(lines: Sequence[Line], *, at: str, inside: str = "") -> dict[str, list[Point]]:
    """For each numeric key of the lines (or of the object `inside` them) its mean at each `at`."""
    found: dict[str, dict[float, list[float]]] = defaultdict(lambda: defaultdict(list))
    for one in lines:
        values = one.get(inside) if inside else one
        if not isinstance(values, dict) or not is_number(one.get(at)):
            continue
        for key, value in values.items():
            if key != at and is_number(value):
                found[key][float(one[at])].append(float(value))
    return {
        key: [(place, sum(each) / len(each)) for place, each in sorted(places.items())]
        for key, places in found.items()
    }


def line(name: str, points: Sequence[Point], token: str) -> Trace:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": label(name),
        "x": [point[0] for point in points],
        "y": [round(point[1], 6) for point in points],
        "line": {"color": token, "width": 1.6},
        "marker": {"color": token, "size": 7},
    }


def summary(name: str, points: Sequence[Point]) -> tuple[str, ...]:
    """A row for a table: the first value, the mean, the largest and the last."""
    values = [value for _, value in points]
    mean = sum(values) / len(values)
    return (name, decimal(values[0]), decimal(mean), decimal(max(values)), decimal(values[-1]))


SUMMARY = ("what", "first", "mean", "largest", "last")


def curves(
    *,
    figure_id: str,
    question: str,
    found: Mapping[str, Sequence[Point]],
    table_of: Mapping[str, Sequence[Point]],
    source: str,
) -> Figure:
    """A small plot for each series, two in a row, each with axes of its own."""
    traces: list[Trace] = []
    layout: dict[str, JSON] = {}
    for number, (key, points) in enumerate(found.items()):
        axis = "" if number == 0 else str(number + 1)
        made = line(spoken(key), smoothed(points), colour(number))
        traces.append(made | {"xaxis": f"x{axis}", "yaxis": f"y{axis}", "showlegend": False})
        layout[f"yaxis{axis}"] = {"title": {"text": label(spoken(key), 26)}}
        layout[f"xaxis{axis}"] = {"title": {"text": "step"}, "nticks": 5}
    rows = -(-len(found) // 2)
    layout["grid"] = {
        "rows": rows,
        "columns": min(2, len(found)),
        "pattern": "independent",
        "xgap": 0.24,
        "ygap": 0.34,
    }
    return Figure(
        id=figure_id,
        question=question,
        answer="; ".join(
            f"{spoken(key)} goes from {decimal(points[0][1])} to {decimal(points[-1][1])}"
            for key, points in found.items()
        )
        + ".",
        data=traces,
        layout=layout,
        table=Table(
            head=SUMMARY, rows=[summary(spoken(key), points) for key, points in table_of.items()]
        ),
        source=source,
        height=60 + 200 * rows,
    )
