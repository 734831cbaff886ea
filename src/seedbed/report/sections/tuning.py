"""How the student's training went: losses, signals, and what SeDi-Instruct made of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from seedbed.records import JSON
from seedbed.report.document import Block, Figure, Section, Table
from seedbed.report.figures import Trace, colour, label
from seedbed.report.measures import Measured
from seedbed.report.training import Line, Training, is_number
from seedbed.report.wording import brief, count, decimal, duration, spoken

POINTS = 600
"""Points of a curve; of more steps, several are averaged."""

SERIES = 6
_ORDER = ("step", "epoch", "batch", "round")
_NO_SIGNAL = {*_ORDER, "example", "id", "seconds", "tokens", "examples", "draw"}


def tuning(measured: Measured) -> Section | None:
    training = measured.run.training
    if training is None:
        return None
    blocks: list[Block] = []
    if losses := training.series(training.steps, "step", "loss"):
        blocks.append(_losses(measured, training, losses))
        blocks += _pace(measured, training)
    if training.signals:
        blocks += _signals(measured, training.signals, "signals.jsonl", "signals")
    if training.batches:
        blocks += _signals(measured, training.batches, "batches.jsonl", "batches")
    if training.seeds:
        blocks += _signals(measured, training.seeds, "seeds.jsonl", "seeds")
    if training.manifest:
        blocks.append(_settings(training.manifest))
    return Section(id=measured.id("training"), title="Training", blocks=blocks) if blocks else None


def held_out(training: Training) -> list[tuple[float, ...]]:
    """(epoch, step, held-out loss) of each epoch."""
    return training.series(training.epochs, "epoch", "step", "held_out_loss")


def smoothed(points: Sequence[tuple[float, ...]]) -> list[tuple[float, ...]]:
    """Means over as many neighbouring points as leaves `POINTS` of them."""
    size = -(-len(points) // POINTS)
    groups = [points[at : at + size] for at in range(0, len(points), size)]
    return [
        tuple(sum(values) / len(group) for values in zip(*group, strict=True)) for group in groups
    ]


def _losses(measured: Measured, training: Training, losses: Sequence[tuple[float, ...]]) -> Figure:
    curve, epochs = smoothed(losses), held_out(training)
    traces = [_line("training", curve, "@1")]
    best = min(epochs, key=lambda row: row[2]) if epochs else None
    if epochs:
        points = [(step, loss) for _, step, loss in epochs]
        traces.append(_line("held out", points, "@2") | {"mode": "lines+markers"})
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
    traces = [_line("gradient norm", smoothed(found), "@3")]
    if rates:
        traces.append(_line("learning rate", smoothed(rates), "@4") | {"yaxis": "y2"})
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
                head=("what", "first", "mean", "largest", "last"),
                rows=[_summary("gradient norm", found)]
                + ([_summary("learning rate", rates)] if rates else []),
            ),
            source=f"training/log.jsonl ({len(training.steps):,} lines).",
            height=280,
        )
    ]


def _summary(name: str, points: Sequence[tuple[float, ...]]) -> tuple[str, ...]:
    values = [value for _, value in points]
    mean = sum(values) / len(values)
    return (name, decimal(values[0]), decimal(mean), decimal(max(values)), decimal(values[-1]))


def _line(name: str, points: Sequence[tuple[float, ...]], token: str) -> Trace:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": label(name),
        "x": [point[0] for point in points],
        "y": [round(point[1], 6) for point in points],
        "line": {"color": token, "width": 1.6},
        "marker": {"color": token, "size": 7},
    }


def _signals(measured: Measured, lines: Sequence[Line], file: str, name: str) -> list[Block]:
    """The mean of each numeric key at each step, in a small plot for each."""
    means = means_by_step(lines)
    chosen = list(means)[:SERIES]
    if not chosen:
        return []
    traces, layout = [], dict[str, JSON]()
    rows_of_plots = -(-len(chosen) // 2)
    for number, key in enumerate(chosen):
        axis = "" if number == 0 else str(number + 1)
        traces.append(
            _line(spoken(key), smoothed(means[key]), colour(number))
            | {"xaxis": f"x{axis}", "yaxis": f"y{axis}", "showlegend": False}
        )
        layout[f"yaxis{axis}"] = {"title": {"text": label(spoken(key), 26)}}
    layout["grid"] = {
        "rows": rows_of_plots,
        "columns": 2 if len(chosen) > 1 else 1,
        "pattern": "independent",
        "xgap": 0.22,
        "ygap": 0.28,
    }
    what = {"signals": "signals", "batches": "batches", "seeds": "seeds"}[name]
    return [
        Figure(
            id=measured.id(f"{name}-curves"),
            question=f"What did training say of its {what}, step by step?",
            answer="; ".join(
                f"{spoken(key)}: mean {decimal(sum(v for _, v in means[key]) / len(means[key]))}"
                for key in chosen
            )
            + ".",
            data=traces,
            layout=layout,
            table=Table(
                head=("what", "first", "mean", "largest", "last"),
                rows=[_summary(spoken(key), means[key]) for key in means],
            ),
            source=f"Means over the lines of each step in {file} ({len(lines):,} lines).",
            height=90 + 190 * rows_of_plots,
        )
    ]


def means_by_step(lines: Sequence[Line]) -> dict[str, list[tuple[float, ...]]]:
    """For each numeric key (of the line, or of an object in it) its mean at each step."""
    sums: dict[str, dict[float, list[float]]] = defaultdict(lambda: defaultdict(list))
    for place, line in enumerate(lines):
        at = next((line[key] for key in _ORDER if is_number(line.get(key))), place + 1)
        for key, value in _flat(line):
            sums[key][float(at)].append(value)
    return {
        key: [(at, sum(values) / len(values)) for at, values in sorted(found.items())]
        for key, found in sums.items()
    }


def _flat(line: Mapping[str, JSON]) -> list[tuple[str, float]]:
    found = []
    for key, value in line.items():
        if key in _NO_SIGNAL:
            continue
        if is_number(value):
            found.append((key, float(value)))
        elif isinstance(value, dict):
            found += [
                (f"{key} {inner}" if key != "signals" else inner, float(number))
                for inner, number in value.items()
                if is_number(number)
            ]
    return found


def _settings(manifest: Line) -> Table:
    rows = []
    for key, value in manifest.items():
        if isinstance(value, dict):
            rows += [(f"{spoken(key)}: {spoken(str(k))}", _plain(v)) for k, v in value.items()]
        elif key == "seconds" and is_number(value):
            rows.append(("time", duration(value)))
        else:
            rows.append((spoken(key), _plain(value)))
    return Table(
        head=("training", "value"),
        rows=rows,
        texts=True,
        caption="With which settings was it trained?",
        source="training/training.json.",
    )


def _plain(value: JSON) -> str:
    return brief(value if isinstance(value, str) else str(value), 200)
