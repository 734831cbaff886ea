"""What the examples are about: skills, their pairs, query types, and how instructions begin."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from math import exp, log

from seedbed.report.document import Block, Figure, Section, Table
from seedbed.report.figures import bars, label
from seedbed.report.measures import Measured
from seedbed.report.wording import brief, count, decimal, percent, plural, spoken

NAMED = 40
"""Skills that get a bar each; of more, the counts are drawn by rank."""

PAIRED = 32
"""Skills on each side of the map of pairs."""

OPENINGS = 15
PAIR_ROWS = 20
UNUSED = 60


def coverage(measured: Measured) -> Section | None:
    if not measured.run.rows:
        return None
    blocks: list[Block] = []
    if measured.skills:
        blocks += _skills(measured)
    if measured.query_types:
        blocks.append(_query_types(measured))
    if len(measured.steps) > 1:
        blocks.append(_steps(measured))
    blocks.append(_openings(measured))
    return Section(id=measured.id("coverage"), title="What the examples are about", blocks=blocks)


def unused(measured: Measured) -> list[str]:
    """Skills of the pool that no example names."""
    return [name for name, _ in measured.run.skills if name not in measured.skills]


def evenness(counts: Sequence[int]) -> float:
    """As how many equally frequent skills these counts are: the exponential of their entropy."""
    whole = sum(counts)
    return exp(-sum(size / whole * log(size / whole) for size in counts if size))


def _source(measured: Measured) -> str:
    return f"Counted in {measured.run.rows_source}."


def _skills(measured: Measured) -> list[Block]:
    blocks: list[Block] = [
        _named_skills(measured) if len(measured.skills) <= NAMED else _ranked_skills(measured)
    ]
    if any(len(row.skills) > 1 for row in measured.run.rows):
        blocks.append(_pairs(measured))
    if missing := unused(measured):
        shown = ", ".join(map(spoken, missing[:UNUSED]))
        more = f" and {count(len(missing) - UNUSED)} more" if len(missing) > UNUSED else ""
        blocks.append(
            Table(
                head=("skills without an example", "which"),
                rows=[(count(len(missing)), shown + more)],
                texts=True,
                caption="Which skills of the pool never appear?",
                source=f"skills.json ({len(measured.run.skills):,} skills) against "
                f"{measured.run.rows_source}.",
            )
        )
    return blocks


def _spread(measured: Measured) -> str:
    counts = list(measured.skills.values())
    (first, most), *_ = measured.skills.items()
    pool = len(measured.run.skills) or len(counts)
    return (
        f"{count(len(counts))} of {plural(pool, 'skill')} appear, as evenly as "
        f"{decimal(evenness(counts))} equally frequent ones would; {spoken(first)} appears most "
        f"often, in {plural(most, 'example')}."
    )


def _named_skills(measured: Measured) -> Figure:
    return bars(
        figure_id=measured.id("skills"),
        question="Which skills do the examples need?",
        answer=_spread(measured),
        counts={spoken(name): number for name, number in measured.skills.items()},
        unit="examples",
        names="skill",
        of=len(measured.run.rows),
        source=_source(measured),
    )


def _ranked_skills(measured: Measured) -> Figure:
    names, counts = list(measured.skills), list(measured.skills.values())
    trace = {
        "type": "scatter",
        "mode": "lines",
        "x": list(range(1, len(counts) + 1)),
        "y": counts,
        "text": [label(spoken(name)) for name in names],
        "hovertemplate": "%{text}: %{y}<extra></extra>",
        "line": {"color": "@1", "shape": "hv"},
        "fill": "tozeroy",
        "fillcolor": "@1-soft",
    }
    ends = [*range(min(15, len(names))), *range(max(15, len(names) - 5), len(names))]
    rows = [
        (spoken(names[k]), count(counts[k]), percent(counts[k], len(measured.run.rows)))
        for k in ends
    ]
    return Figure(
        id=measured.id("skills"),
        question="How evenly are the skills used?",
        answer=_spread(measured),
        data=[trace],
        layout={
            "xaxis": {"title": {"text": "skills, the most frequent first"}},
            "yaxis": {"title": {"text": "examples"}, "rangemode": "tozero"},
        },
        table=Table(
            head=("skill", "examples", "share"),
            rows=rows,
            caption="The 15 most and the 5 least frequent that appear at all",
        ),
        source=_source(measured),
    )


def _pairs(measured: Measured) -> Figure:
    pairs: Counter[tuple[str, str]] = Counter()
    for row in measured.run.rows:
        pairs.update(combinations(sorted(set(row.skills)), 2))
    names = list(measured.skills)[:PAIRED]
    axis = {
        "tickvals": list(range(len(names))),
        "ticktext": [label(spoken(name), 24) for name in names],
        "showgrid": False,
        "zeroline": False,
    }
    grid = [
        [None if one == other else pairs[min(one, other), max(one, other)] for other in names]
        for one in names
    ]
    possible = len(measured.skills) * (len(measured.skills) - 1) // 2
    (best, most), *_ = pairs.most_common(1)
    trace = {
        "type": "heatmap",
        "z": grid,
        "colorscale": "@scale",
        "xgap": 1,
        "ygap": 1,
        "zmin": 0,
        "hovertemplate": "%{y} with %{x}: %{z}<extra></extra>",
        "hoverongaps": False,
        "colorbar": {
            "thickness": 10,
            "outlinewidth": 0,
            "tickformat": "d",
            "nticks": min(most + 1, 6),
        },
    }
    rows = [
        (f"{spoken(one)} with {spoken(other)}", count(number))
        for (one, other), number in sorted(pairs.items(), key=lambda pair: (-pair[1], pair[0]))
    ]
    part = f" Drawn for the {PAIRED} most frequent." if len(measured.skills) > PAIRED else ""
    told = (
        "none twice"
        if most == 1
        else f"{spoken(best[0])} with {spoken(best[1])} most often, in {plural(most, 'example')}"
    )
    return Figure(
        id=measured.id("pairs"),
        question="Which skills meet in one example?",
        answer=f"{count(len(pairs))} of {count(possible)} possible pairs of skills "
        f"meet, {told}.{part}",
        data=[trace],
        layout={
            "yaxis": {"autorange": "reversed", **axis},
            "xaxis": {"tickangle": -60, **axis},
        },
        table=Table(
            head=("pair", "examples"),
            rows=rows[:PAIR_ROWS],
            caption=f"The {min(PAIR_ROWS, len(rows))} most frequent pairs",
        ),
        source=_source(measured),
        height=210 + 20 * len(names),
    )


def _query_types(measured: Measured) -> Figure:
    pool = measured.run.query_types
    missing = [name for name in pool if name not in measured.query_types]
    (first, most), *_ = measured.query_types.items()
    told = f"{plural(len(measured.query_types), 'query type')} appear"
    told += f", {len(missing)} of the pool do not" if missing else ""
    counts = dict(list(measured.query_types.items())[:NAMED]) | dict.fromkeys(missing[:NAMED], 0)
    return bars(
        figure_id=measured.id("query-types"),
        question="In which ways do the instructions ask?",
        answer=f"{told}; {first} leads with {plural(most, 'example')}.",
        counts=counts,
        unit="examples",
        names="query type",
        of=len(measured.run.rows),
        token="@2",
        source=_source(measured),
    )


def _steps(measured: Measured) -> Figure:
    (first, most), *_ = measured.steps.items()
    return bars(
        figure_id=measured.id("steps"),
        question="Which steps of the recipe made the examples?",
        answer=f"{spoken(first)} made most, {count(most)}.",
        counts={spoken(name): number for name, number in measured.steps.items()},
        unit="examples",
        names="step",
        token="@3",
        source=_source(measured),
    )


def _openings(measured: Measured) -> Figure:
    counts = dict(list(measured.openings.items())[:OPENINGS])
    instructions = len(measured.run.instructions)
    first, most = next(iter(counts.items()))
    return bars(
        figure_id=measured.id("openings"),
        question="How do the instructions begin?",
        answer=f"{count(len(measured.openings))} openings of three words; the commonest, "
        f"“{brief(first, 60)}”, begins {percent(most, instructions)} of the instructions.",
        counts={f"{name} …": number for name, number in counts.items()},
        unit="instructions",
        names=f"opening (the {len(counts)} most frequent)",
        of=instructions,
        token="@4",
        source=f"First three words of {plural(instructions, 'distinct instruction')}, "
        f"from {measured.run.rows_source}.",
    )
