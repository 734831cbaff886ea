"""What training said while a SeDi-Instruct run went on, and how it moved the seeds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from seedbed.report.document import Block, Figure, Section, Table
from seedbed.report.figures import Trace
from seedbed.report.measures import Measured
from seedbed.report.sections.curves import Point, curves, line, series_of
from seedbed.report.training import Line
from seedbed.report.wording import brief, count, decimal, plural

SIGNALS = 6
"""Signals that are drawn."""

MOVES = 15
"""Moved seeds that are listed."""


def steering(measured: Measured) -> Section | None:
    training = measured.run.training
    if training is None or not (training.batches or training.seeds):
        return None
    blocks: list[Block] = []
    if training.batches:
        blocks += [*_signals(measured, training.batches), *_diversity(measured, training.batches)]
    if training.seeds:
        blocks += [_moves(measured, training.seeds), _moved(training.seeds)]
    return Section(
        id=measured.id("steering"),
        title="What training said",
        lead="SeDi-Instruct trains a student on each batch while the run goes on. Every few "
        "batches (a window) those with the most telling signal are called attractive, and "
        "instructions of theirs become seeds; seeds whose offspring taught least are retired.",
        blocks=blocks,
    )


def moves(seeds: Sequence[Line]) -> Counter[str]:
    """How many seeds were added, and how many retired."""
    return Counter(str(line.get("move", "")) for line in seeds)


def _signals(measured: Measured, batches: Sequence[Line]) -> list[Block]:
    found = series_of(batches, at="step", inside="signals")
    if not found:
        return []
    return [
        curves(
            figure_id=measured.id("batch-signals"),
            question="What did training say of each batch?",
            found=dict(list(found.items())[:SIGNALS]),
            table_of=found,
            source=f"signals of batches.jsonl ({len(batches):,} lines).",
        )
    ]


def _diversity(measured: Measured, batches: Sequence[Line]) -> list[Block]:
    """The similarity inside of our batches beside that of batches drawn at random."""
    ours = series_of(batches, at="batch", inside="diversity")
    random = series_of(batches, at="batch", inside="random_batches")
    if not ours.get("similarity") or not random.get("similarity"):
        return []
    traces: list[Trace] = [
        line("as composed", ours["similarity"], "@1"),
        line("at random", random["similarity"], "@soft"),
    ]
    rows = [
        (name, decimal(_mean(ours[name])), decimal(_mean(random[name])))
        for name in ours
        if name in random
    ]
    figure = Figure(
        id=measured.id("batch-diversity"),
        question="Are the batches more diverse than random ones?",
        answer=f"The mean similarity within a batch is {decimal(_mean(ours['similarity']))}, and "
        f"{decimal(_mean(random['similarity']))} in batches drawn at random from the same pool.",
        data=traces,
        layout={
            "showlegend": True,
            "xaxis": {"title": {"text": "batch"}},
            "yaxis": {"title": {"text": "similarity within"}, "rangemode": "tozero"},
        },
        table=Table(head=("mean of", "as composed", "at random"), rows=rows),
        source=f"diversity and random_batches of batches.jsonl ({len(batches):,} lines).",
        height=280,
    )
    return [figure]


def _mean(points: Sequence[Point]) -> float:
    return sum(value for _, value in points) / len(points)


def _moves(measured: Measured, seeds: Sequence[Line]) -> Figure:
    windows = sorted({int(line["window"]) for line in seeds if isinstance(line.get("window"), int)})
    tally = Counter((line.get("window"), line.get("move")) for line in seeds)
    traces: list[Trace] = [
        {
            "type": "bar",
            "name": name,
            "x": windows,
            "y": [sign * tally[window, name] for window in windows],
            "marker": {"color": token},
        }
        for name, sign, token in (("added", 1, "@kept"), ("retired", -1, "@drop"))
    ]
    total = moves(seeds)
    return Figure(
        id=measured.id("seed-moves"),
        question="Which way did the seeds move?",
        answer=f"{plural(total['added'], 'seed')} were added and {count(total['retired'])} retired "
        f"in {plural(len(windows), 'window')}.",
        data=traces,
        layout={
            "barmode": "relative",
            "showlegend": True,
            "xaxis": {"title": {"text": "window"}},
            "yaxis": {"title": {"text": "seeds"}},
        },
        table=Table(
            head=("window", "added", "retired"),
            rows=[
                (count(window), count(tally[window, "added"]), count(tally[window, "retired"]))
                for window in windows
            ],
        ),
        source=f"seeds.jsonl ({len(seeds):,} lines).",
        height=260,
    )


def _moved(seeds: Sequence[Line]) -> Table:
    known = ("window", "move", "instruction_id", "instruction", "given")
    rows = []
    for each in seeds[-MOVES:]:
        why = {key: value for key, value in each.items() if key not in known}
        told = ", ".join(f"{key} {brief(str(value), 40)}" for key, value in why.items())
        rows.append(
            (
                str(each.get("move", "")),
                str(each.get("window", "")),
                brief(str(each.get("instruction", "")), 160),
                brief(told.replace("_", " "), 160),
            )
        )
    return Table(
        head=("move", "window", "seed", "evidence"),
        rows=rows,
        texts=True,
        caption=f"Which seeds moved last? {len(rows)} of {plural(len(seeds), 'move')}",
        source=f"seeds.jsonl ({len(seeds):,} lines).",
    )
