"""What the benchmarks say of the students, with intervals."""

from __future__ import annotations

from collections.abc import Sequence

from seedbed.evaluate.measurement import Measurement, Result
from seedbed.report.document import Block, Figure, Section, Table
from seedbed.report.figures import Trace, colour, label
from seedbed.report.measures import Measured
from seedbed.report.wording import brief, decimal, plural, spoken

DRAWN = 10
"""Metrics of a benchmark that are drawn; the table has all."""


def benchmarks(measured: Measured) -> Section | None:
    results = measured.run.results
    if not results:
        return None
    blocks: list[Block] = [
        figure(
            measured.id(f"benchmark-{number}"), name, [r for r in results if r.benchmark == name]
        )
        for number, name in enumerate(dict.fromkeys(result.benchmark for result in results), 1)
    ]
    return Section(
        id=measured.id("benchmarks"),
        title="Benchmarks",
        lead="Lines are 95 % intervals. Where those of two students overlap widely, the benchmark "
        "does not tell them apart.",
        blocks=blocks,
    )


def value(measurement: Measurement) -> str:
    """A value with its interval."""
    if measurement.low is None or measurement.high is None:
        return decimal(measurement.value)
    return (
        f"{decimal(measurement.value)} ({decimal(measurement.low)} to {decimal(measurement.high)})"
    )


def figure(
    figure_id: str, benchmark: str, results: Sequence[Result], names: Sequence[str] = ()
) -> Figure:
    """One benchmark: a row for each metric, a colour for each student (or each of `names`)."""
    told = list(names) or [result.student for result in results]
    students = list(dict.fromkeys(told))
    every = [
        (student, measurement)
        for student, result in zip(told, results, strict=True)
        for measurement in result.measurements
    ]
    metrics = list(dict.fromkeys(measurement.metric for _, measurement in every))
    shown = metrics[:DRAWN]
    traces = [
        _points(
            student,
            [
                (m, metrics.index(m.metric) + _shift(k, len(students)))
                for n, m in every
                if n == student and m.metric in shown
            ],
            colour(k),
        )
        for k, student in enumerate(students)
    ]
    more = f" Drawn are the first {DRAWN}." if len(metrics) > DRAWN else ""
    rows = [
        (
            spoken(measurement.metric),
            brief(student, 60),
            value(measurement),
            f"{measurement.n:,} of {measurement.expected_n:,}",
            brief(measurement.judge, 40) or "a program",
            brief(measurement.tool, 40),
        )
        for student, measurement in every
    ]
    first = every[0][1]
    return Figure(
        id=figure_id,
        question=f"How well do the students do on {spoken(benchmark)}?",
        answer=f"{plural(len(students), 'student')}, {plural(len(metrics), 'metric')}; "
        f"{spoken(first.metric)} of {brief(every[0][0], 60)} is {value(first)}.{more}",
        data=traces,
        layout={
            "showlegend": len(students) > 1,
            "yaxis": {
                "autorange": "reversed",
                "showgrid": False,
                "tickvals": list(range(len(shown))),
                "ticktext": [label(spoken(metric)) for metric in shown],
            },
        },
        table=Table(
            head=("metric", "student", "value (95 % interval)", "items", "judge", "computed by"),
            rows=rows,
            texts=True,
        ),
        source="; ".join(
            dict.fromkeys(f"{r.benchmark}.json of {brief(r.student, 60)}" for r in results)
        )
        + ".",
        height=130 + 34 * len(shown) * max(1, len(students)),
    )


def _shift(number: int, students: int) -> float:
    """How far off its metric's line a student is drawn, so that none hides another."""
    return (number - (students - 1) / 2) * 0.7 / students


def _points(student: str, placed: Sequence[tuple[Measurement, float]], token: str) -> Trace:
    measurements = [measurement for measurement, _ in placed]
    above = [m.high - m.value if m.high is not None else 0 for m in measurements]
    below = [m.value - m.low if m.low is not None else 0 for m in measurements]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": label(student),
        "y": [place for _, place in placed],
        "x": [m.value for m in measurements],
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": above,
            "arrayminus": below,
            "color": token,
            "thickness": 1.5,
            "width": 5,
        },
        "text": [f"{label(spoken(m.metric))}: {value(m)}" for m in measurements],
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {"size": 10, "color": token},
    }
