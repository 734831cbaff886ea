"""How the student's training went: its losses, its pace, and the signals of its examples."""

from __future__ import annotations

from collections.abc import Sequence

from seedbed.records import JSON
from seedbed.report.document import Block, Figure, Section, Table
from seedbed.report.measures import Measured
from seedbed.report.sections.curves import (
    POINTS,
    SUMMARY,
    curves,
    line,
    series_of,
    smoothed,
    summary,
)
from seedbed.report.training import Line, Training, is_number
from seedbed.report.wording import brief, count, decimal, duration, spoken

SERIES = 6
_NO_SIGNAL = {"epoch", "batch", "round", "draw", "seconds", "position"}
"""Numbers of a line that say where it stands, and nothing of the example."""


def tuning(measured: Measured) -> Section | None:
    training = measured.run.training
    if training is None:
        return None
    blocks: list[Block] = []
    if losses := training.series(training.steps, "step", "loss"):
        blocks.append(_losses(measured, training, losses))
        blocks += _pace(measured, training)
    if training.signals:
        blocks += _signals(measured, training.signals)
    if training.manifest:
        blocks.append(_settings(training.manifest))
    return Section(id=measured.id("training"), title="Training", blocks=blocks) if blocks else None


def held_out(training: Training) -> list[tuple[float, ...]]:
    """(epoch, step, held-out loss) of each epoch."""
    return training.series(training.epochs, "epoch", "step", "held_out_loss")


def _losses(measured: Measured, training: Training, losses: Sequence[tuple[float, ...]]) -> Figure:
    curve, epochs = smoothed(losses), held_out(training)
    traces = [line("training", curve, "@1")]
    best = min(epochs, key=lambda row: row[2]) if epochs else None
    if epochs:
        points = [(step, loss) for _, step, loss in epochs]
        traces.append(line("held out", points, "@2") | {"mode": "lines+markers"})
    rows = [
        (f"epoch {count(epoch)}", count(step), _loss_at(losses, step), f"{loss:.4f}")
        for epoch, step, loss in epochs
    ] or [("end", count(losses[-1][0]), _loss_at(losses, losses[-1][0]), "–")]
    told = (
        f"The held-out loss is lowest after epoch {count(best[0])}, at {best[2]:.4f}."
        if best
        else "No held-out loss was measured."
    )
    averaged = -(-len(losses) // POINTS)
    note = (
        f" Each point of the training curve is the mean of {averaged} steps."
        if averaged > 1
        else ""
    )
    return Figure(
        id=measured.id("loss"),
        question="Did the student learn, and when did it stop generalising?",
        answer=f"The training loss goes from {curve[0][1]:.3f} to {curve[-1][1]:.3f} in "
        f"{count(len(losses))} steps. {told}{note}",
        data=traces,
        layout={
            "showlegend": True,
            "xaxis": {"title": {"text": "step"}},
            "yaxis": {"title": {"text": "loss per response token"}, "rangemode": "tozero"},
        },
        table=Table(head=("after", "step", "training loss (last 20 steps)", "held out"), rows=rows),
        source=f"training/log.jsonl ({len(training.steps):,} lines) and training/epochs.jsonl "
        f"({len(training.epochs):,} lines).",
    )


def _loss_at(losses: Sequence[tuple[float, ...]], step: float) -> str:
    last = [loss for at, loss in losses if at <= step][-20:]
    return f"{sum(last) / len(last):.4f}" if last else "–"


def _pace(measured: Measured, training: Training) -> list[Block]:
    """The learning rate and the size of the gradients, each with an axis of its own."""
    found = training.series(training.steps, "step", "grad_norm")
    rates = training.series(training.steps, "step", "learning_rate")
    if not found:
        return []
    traces = [line("gradient norm", smoothed(found), "@3")]
    if rates:
        traces.append(line("learning rate", smoothed(rates), "@4") | {"yaxis": "y2"})
    norms = [norm for _, norm in found]
    return [
        Figure(
            id=measured.id("pace"),
            question="Was training stable?",
            answer=f"Gradient norms (before clipping) have a mean of "
            f"{decimal(sum(norms) / len(norms))} and a largest of {decimal(max(norms))}.",
            data=traces,
            layout={
                "showlegend": True,
                "xaxis": {"title": {"text": "step"}},
                "yaxis": {"title": {"text": "gradient norm"}, "rangemode": "tozero"},
                "yaxis2": {
                    "title": {"text": "learning rate"},
                    "overlaying": "y",
                    "side": "right",
                    "showgrid": False,
                    "rangemode": "tozero",
                    "exponentformat": "e",
                },
            },
            table=Table(
                head=SUMMARY,
                rows=[summary("gradient norm", found)]
                + ([summary("learning rate", rates)] if rates else []),
            ),
            source=f"training/log.jsonl ({len(training.steps):,} lines).",
            height=280,
        )
    ]


def _signals(measured: Measured, lines: Sequence[Line]) -> list[Block]:
    """The mean of each signal over the examples of each step."""
    found = {
        name: points
        for name, points in (
            series_of(lines, at="step") | series_of(lines, at="step", inside="signals")
        ).items()
        if name not in _NO_SIGNAL
    }
    if not found:
        return []
    return [
        curves(
            figure_id=measured.id("signals"),
            question="What did training say of its examples, step by step?",
            found=dict(list(found.items())[:SERIES]),
            table_of=found,
            source=f"Means over the examples of each step in training/signals.jsonl "
            f"({len(lines):,} lines).",
        )
    ]


def _settings(manifest: Line) -> Table:
    """All that training.json says, but for the epochs, which the plot shows, and what is empty."""
    rows: list[tuple[str, str]] = []
    for key, value in manifest.items():
        if key == "seconds" and is_number(value):
            rows.append(("time", duration(value)))
        elif isinstance(value, dict):
            rows += [
                (f"{spoken(key)}: {spoken(name)}", _plain(each)) for name, each in value.items()
            ]
        elif key != "epochs":
            rows.append((spoken(key), _plain(value)))
    return Table(
        head=("training", "value"),
        rows=[row for row in rows if row[1]],
        texts=True,
        caption="With which settings was it trained?",
        source="training/training.json.",
    )


def _plain(value: JSON) -> str:
    if isinstance(value, dict):
        return brief(", ".join(f"{spoken(key)} {_plain(each)}" for key, each in value.items()), 200)
    if isinstance(value, list):
        return brief(", ".join(map(_plain, value)), 200)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return brief(
        value if isinstance(value, str) else f"{value:,}" if value is not None else "", 200
    )
