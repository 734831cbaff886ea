"""The map of the instructions, coloured by what they are about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from seedbed.report.atlas import Atlas, atlas
from seedbed.report.document import Figure, Section, Table
from seedbed.report.figures import CATEGORIES, Trace, colour, label
from seedbed.report.measures import Measured
from seedbed.report.rows import Row
from seedbed.report.wording import count, percent, spoken

OTHERS = "others"
NONE = "none given"

Grouping = Callable[[Row], str]


def landscape(measured: Measured) -> Section | None:
    rows = measured.run.instructions
    places = atlas([row.instruction for row in rows])
    if places is None:
        return None
    by, grouping = _grouping(measured)
    figure = map_figure(
        figure_id=measured.id("map"),
        question=f"Where do the instructions lie, by {by}?",
        rows=[rows[place] for place in places.chosen],
        names=[grouping(rows[place]) for place in places.chosen],
        places=places,
        by=by,
        source=f"from {measured.run.rows_source}",
    )
    return Section(
        id=measured.id("landscape"),
        title="Map",
        lead="Each point is an instruction, close to those that use the same words. Clumps are "
        "look-alikes; only nearness means something, not direction nor far distances.",
        blocks=[figure],
    )


def _grouping(measured: Measured) -> tuple[str, Grouping]:
    """What tells the instructions of this run apart best: skills, steps, or query types."""
    topics = {name: topic for name, topic in measured.run.skills if topic}
    if measured.skills and 1 < len(set(topics.values())) <= CATEGORIES:
        return "topic of the first skill", lambda row: topics.get(next(iter(row.skills), ""), "")
    if len(measured.skills) > 1:
        return "most frequent skill", lambda row: min(
            row.skills, key=lambda skill: (-measured.skills[skill], skill), default=""
        )
    if len(measured.steps) > 1:
        return "step of the recipe", lambda row: row.step.split(":")[0]
    if len(measured.query_types) > 1:
        return "query type", lambda row: row.query_type
    return "recipe", lambda row: row.recipe


def map_figure(
    *,
    figure_id: str,
    question: str,
    rows: Sequence[Row],
    names: Sequence[str],
    places: Atlas,
    by: str,
    source: str,
) -> Figure:
    """Points by group: the seven largest have colours of their own."""
    groups = Counter(name or NONE for name in names)
    told = [name for name, _ in sorted(groups.items(), key=lambda item: (-item[1], item[0]))]
    shown = told if len(told) <= CATEGORIES else told[: CATEGORIES - 1]
    traces = []
    for number, name in enumerate([*shown, *([OTHERS] if len(shown) < len(told) else [])]):
        inside = [
            place
            for place, given in enumerate(names)
            if (given or NONE) == name or (name == OTHERS and (given or NONE) not in shown)
        ]
        traces.append(_points(name, inside, rows, places, colour(number)))
    sampled = len(places.chosen) < places.size
    part = f"a random sample of {count(len(rows))} of {count(places.size)}" if sampled else "all"
    sizes = [
        (spoken(name), count(groups[name]), percent(groups[name], len(names))) for name in told
    ]
    return Figure(
        id=figure_id,
        question=question,
        answer=f"{count(len(rows))} points in {len(told)} groups by {by}; the largest is "
        f"{spoken(told[0])} with {percent(groups[told[0]], len(names))}.",
        data=traces,
        layout={
            "showlegend": len(traces) > 1,
            "hovermode": "closest",
            "xaxis": {"visible": False, "range": [-0.03, 1.03]},
            "yaxis": {"visible": False, "range": [-0.03, 1.03]},
        },
        table=Table(head=(by, "points", "share"), rows=sizes[:20]),
        source=f"TF-IDF of the words, SVD and t-SNE (scikit-learn, fixed seed) of {part} distinct "
        f"instructions, {source}.",
        height=520,
    )


def _points(
    name: str, inside: Sequence[int], rows: Sequence[Row], places: Atlas, token: str
) -> Trace:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": label(spoken(name), 28),
        "x": [places.x[place] for place in inside],
        "y": [places.y[place] for place in inside],
        "text": [label(rows[place].instruction, 110) for place in inside],
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {"size": 6, "opacity": 0.75, "color": token, "line": {"width": 0}},
    }
