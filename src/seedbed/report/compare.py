"""Several runs side by side: the same numbers, one row each, and where their instructions lie."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from seedbed.evaluate.measurement import Result
from seedbed.report.atlas import atlas
from seedbed.report.document import Block, Card, Chapter, Figure, Finding, Section, Table
from seedbed.report.figures import Trace, label, median
from seedbed.report.measures import Measured
from seedbed.report.sections.benchmarks import figure as benchmark
from seedbed.report.sections.benchmarks import value
from seedbed.report.sections.landscape import map_figure
from seedbed.report.sections.novelty import alike_share
from seedbed.report.sections.tuning import held_out
from seedbed.report.sections.yields import wasted
from seedbed.report.wording import brief, count, decimal, dollars, percent, plural, short

SOURCE = "each run's manifest.json, examples.jsonl and drops.jsonl, as in its own chapter"

Row = Callable[[Measured], str]


def side_by_side(runs: Sequence[Measured]) -> Chapter:
    sections = [
        Section(
            id="all-numbers",
            title="The same numbers",
            blocks=[_table(runs), *([_yields(runs)] if any(m.run.rows for m in runs) else [])],
        )
    ]
    if scores := _benchmarks(runs):
        sections.append(Section(id="all-benchmarks", title="Benchmarks", blocks=scores))
    if places := _map(runs):
        sections.append(Section(id="all-map", title="Map", blocks=[places]))
    return Chapter(
        id="all-runs",
        title="Side by side",
        lead=f"{plural(len(runs), 'run')}: {', '.join(brief(m.run.name, 60) for m in runs)}.",
        cards=[_card(measured) for measured in runs],
        findings=_findings(runs),
        sections=sections,
    )


def _card(measured: Measured) -> Card:
    spend, rows = measured.run.manifest["spend"], len(measured.run.rows)
    return Card(
        title=brief(measured.run.name, 40),
        value=plural(rows, "example"),
        detail=[
            f"{percent(len(wasted(measured)), rows + len(wasted(measured)))} dropped",
            f"{count(spend['calls'])} calls, {_dollars(measured)}",
        ],
    )


def _dollars(measured: Measured) -> str:
    stages = measured.run.manifest["stages"].values()
    unknown = any(stage["dollars"] is None for stage in stages)
    return dollars(None if unknown else measured.run.manifest["spend"]["dollars"])


def _loss(measured: Measured) -> str:
    epochs = held_out(measured.run.training) if measured.run.training else []
    return f"{min(loss for _, _, loss in epochs):.4f}" if epochs else "–"


def _each(measured: Measured, key: str) -> str:
    rows = len(measured.run.rows)
    return decimal(measured.run.manifest["spend"][key] / rows) if rows else "–"


ROWS: Sequence[tuple[str, Row]] = (
    ("recipe", lambda m: m.run.recipe),
    ("teacher", lambda m: brief(str(m.run.manifest["teacher"]), 40)),
    ("status", lambda m: str(m.run.manifest["status"])),
    ("wanted", lambda m: count(wanted) if (wanted := m.run.manifest["counts"]["wanted"]) else "–"),
    ("examples kept", lambda m: count(len(m.run.rows))),
    ("distinct instructions", lambda m: count(len(m.run.instructions))),
    ("dropped", lambda m: percent(len(wasted(m)), len(m.run.rows) + len(wasted(m)))),
    ("repaired", lambda m: count(sum(1 for row in m.run.rows if row.repairs))),
    ("skills that appear", lambda m: count(len(m.skills)) if m.skills else "–"),
    (
        "median words, instruction",
        lambda m: decimal(median(m.instruction_words)) if m.run.rows else "–",
    ),
    ("median words, response", lambda m: decimal(median(m.response_words)) if m.run.rows else "–"),
    (
        "alike to another",
        lambda m: alike_share(m.similarity) if m.similarity.nearest else "–",
    ),
    ("calls", lambda m: count(m.run.manifest["spend"]["calls"])),
    ("calls per example", lambda m: _each(m, "calls")),
    ("tokens", lambda m: short(m.run.manifest["spend"]["tokens"])),
    ("tokens per example", lambda m: _each(m, "tokens")),
    ("dollars", _dollars),
    ("best held-out loss", _loss),
)


def _table(runs: Sequence[Measured]) -> Table:
    rows = [(name, *(make(measured) for measured in runs)) for name, make in ROWS]
    names = dict.fromkeys(
        (m.benchmark, m.metric) for run in runs for r in run.run.results for m in r.measurements
    )
    for name, metric in names:
        rows.append((f"{name} {metric}", *(_score(run, name, metric) for run in runs)))
    return Table(
        head=("what", *(brief(measured.run.name, 40) for measured in runs)),
        rows=rows,
        caption="What is the same, and what is not?",
        source=f"From {SOURCE}; scores from the benchmarks' result files.",
    )


def _score(measured: Measured, name: str, metric: str) -> str:
    found = [
        value(m)
        for result in measured.run.results
        for m in result.measurements
        if (m.benchmark, m.metric) == (name, metric)
    ]
    return "; ".join(found) or "–"


def _yields(runs: Sequence[Measured]) -> Figure:
    parts: list[tuple[str, str, list[int]]] = [
        (
            "kept as written",
            "@kept",
            [sum(1 for row in m.run.rows if not row.repairs) for m in runs],
        ),
        ("kept, repaired", "@mended", [sum(1 for row in m.run.rows if row.repairs) for m in runs]),
        ("dropped", "@drop", [len(wasted(m)) for m in runs]),
    ]
    wholes = [sum(values[place] for _, _, values in parts) or 1 for place in range(len(runs))]
    names = [label(m.run.name, 30) for m in runs]
    traces: list[Trace] = [
        {
            "type": "bar",
            "orientation": "h",
            "name": name,
            "y": names,
            "x": [round(100 * size / whole, 2) for size, whole in zip(values, wholes, strict=True)],
            "marker": {"color": token},
        }
        for name, token, values in parts
    ]
    best = min(runs, key=lambda m: len(wasted(m)) / (len(m.run.rows) + len(wasted(m)) or 1))
    rows = [
        (m.run.name, *(count(values[place]) for _, _, values in parts))
        for place, m in enumerate(runs)
    ]
    return Figure(
        id="all-yield",
        question="Which run lost least of what was asked for?",
        answer=f"{brief(best.run.name, 60)} dropped the smallest share.",
        data=traces,
        layout={
            "barmode": "stack",
            "showlegend": True,
            "yaxis": {"autorange": "reversed", "showgrid": False},
            "xaxis": {"title": {"text": "percent of all items"}, "range": [0, 100]},
        },
        table=Table(head=("run", *(name for name, _, _ in parts)), rows=rows),
        source="Counted in each run's examples.jsonl and drops.jsonl, without what was good and "
        "not needed any more.",
        height=150 + 36 * len(runs),
    )


def _benchmarks(runs: Sequence[Measured]) -> list[Block]:
    every = [(m.run.name, result) for m in runs for result in m.run.results]
    blocks: list[Block] = []
    for number, name in enumerate(dict.fromkeys(result.benchmark for _, result in every), 1):
        found = [(run, result) for run, result in every if result.benchmark == name]
        names = [_student(run, result) for run, result in found]
        results = [result for _, result in found]
        blocks.append(benchmark(f"all-benchmark-{number}", name, results, names))
    return blocks


def _student(run: str, result: Result) -> str:
    return f"{run}: {brief(result.student, 40)}"


def _map(runs: Sequence[Measured]) -> Figure | None:
    every = [(m.run.name, row) for m in runs for row in m.run.instructions]
    places = atlas([row.instruction for _, row in every])
    if places is None:
        return None
    return map_figure(
        figure_id="all-map-plot",
        question="Do the runs write about the same things?",
        rows=[every[place][1] for place in places.chosen],
        names=[every[place][0] for place in places.chosen],
        places=places,
        by="run",
        source="from every run's examples.jsonl",
    )


def _findings(runs: Sequence[Measured]) -> list[Finding]:
    filled = [m for m in runs if m.run.rows]
    found = []
    if len(filled) > 1:
        texts = [{row.instruction for row in m.run.instructions} for m in filled]
        shared = set.intersection(*texts)
        found.append(
            Finding(
                weight="look" if shared else "good",
                text=f"{plural(len(shared), 'instruction')} stand in all of the runs to the letter."
                if shared
                else "No instruction stands in all of the runs to the letter.",
                section="all-map",
            )
        )
        cheap = min(filled, key=lambda m: m.run.manifest["spend"]["tokens"] / len(m.run.rows))
        found.append(
            Finding(
                weight="note",
                text=f"{brief(cheap.run.name, 60)} took the fewest tokens for each example, "
                f"{_each(cheap, 'tokens')}.",
                section="all-numbers",
            )
        )
    if len({str(m.run.manifest["teacher"]) for m in runs}) > 1:
        found.append(
            Finding(
                weight="look",
                text="The runs had different teachers: what differs may be the teacher's doing.",
                section="all-numbers",
            )
        )
    return found
