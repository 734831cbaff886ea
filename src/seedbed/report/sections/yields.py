"""What came of what was asked: the flow into examples and drops, and how it went round by round."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from seedbed.records import JSON
from seedbed.report.document import Block, Figure, Section, Table
from seedbed.report.figures import Trace, colour, label
from seedbed.report.measures import Measured
from seedbed.report.rows import Lost
from seedbed.report.wording import count, percent, spoken

REASONS = 7
"""Reasons that are told apart in a plot; the others go together."""

ROUNDS = 20
"""Bars in the plot by rounds; of more rounds several go together."""

OTHERS = "other reasons"

SURPLUS = "beyond_count"
"""The reason of what was good and not needed any more: no fault of the yield."""


def wasted(measured: Measured) -> list[Lost]:
    """What was dropped, without what was good and not needed any more."""
    return [lost for lost in measured.run.lost if lost.reason != SURPLUS]


def yields(measured: Measured) -> Section | None:
    run = measured.run
    if not run.rows and not run.lost:
        return None
    blocks: list[Block] = [_flow(measured)]
    if len({row.round for row in run.rows} | {lost.row.round for lost in run.lost}) > 1:
        blocks.append(_rounds(measured))
    if run.lost:
        blocks.append(_reasons(measured))
    return Section(
        id=measured.id("yield"),
        title="Yield and drops",
        lead="Everything that the teacher wrote for this run became an example or a drop with its "
        "reason. An item here is either: an example that was kept, or an attempt, an instruction "
        "or an example that was dropped.",
        blocks=blocks,
    )


def _source(measured: Measured) -> str:
    return f"Counted in {measured.run.rows_source} and {measured.run.lost_source}."


def _flow(measured: Measured) -> Figure:
    run, reasons = measured.run, _top_reasons(measured)
    kept, lost = len(run.rows), len(run.lost)
    repaired = sum(1 for row in run.rows if row.repairs)
    parts = [("kept as written", kept - repaired, "@kept"), ("kept, repaired", repaired, "@mended")]
    parts = [part for part in parts if part[1]]
    drops = [(spoken(name), number) for name, number in reasons.items()]
    names = ["all items", "kept", *(name for name, _, _ in parts)]
    tokens = ["@soft", "@kept", *(token for _, _, token in parts)]
    links: list[tuple[int, int, int, str]] = [(0, 1, kept, "@kept-soft")] if kept else []
    links += [(1, 2 + place, size, f"{token}-soft") for place, (_, size, token) in enumerate(parts)]
    for name, number in drops:
        links.append((0, len(names), number, "@drop-soft"))
        names.append(name)
        tokens.append("@drop")
    sizes = [kept + lost, kept, *(size for _, size, _ in parts), *(number for _, number in drops)]
    return Figure(
        id=measured.id("flow"),
        question="How much of what was asked for became an example?",
        answer=f"Of {count(kept + lost)} items {count(kept)} ({percent(kept, kept + lost)}) were "
        f"kept, {count(repaired)} of them after a repair; {count(lost)} were dropped.",
        data=[_sankey(names, sizes, tokens, links)],
        table=Table(
            head=("items", "count", "share"),
            rows=[
                (name, count(size), percent(size, kept + lost))
                for name, size in zip(names, sizes, strict=True)
            ],
        ),
        source=_source(measured),
        height=max(260, 120 + 36 * len(drops)),
    )


def _sankey(
    names: Sequence[str],
    sizes: Sequence[int],
    tokens: Sequence[str],
    links: Sequence[tuple[int, int, int, str]],
) -> Trace:
    from_, to, values, colours = zip(*links, strict=True)
    return {
        "type": "sankey",
        "arrangement": "snap",
        "node": {
            "label": [
                f"{label(name, 24)} {count(size)}" for name, size in zip(names, sizes, strict=True)
            ],
            "color": list(tokens),
            "pad": 14,
            "thickness": 12,
            "line": {"width": 0},
            "hovertemplate": "%{label}<extra></extra>",
        },
        "link": {
            "source": list(from_),
            "target": list(to),
            "value": list(values),
            "color": list(colours),
            "hovertemplate": "%{target.label}<extra></extra>",
        },
    }


def _top_reasons(measured: Measured) -> dict[str, int]:
    """The commonest reasons, and all others under one name."""
    every = list(measured.reasons.items())
    shown = dict(every if len(every) <= REASONS + 1 else every[:REASONS])
    rest = len(measured.run.lost) - sum(shown.values())
    return shown | ({OTHERS: rest} if rest else {})


def _rounds(measured: Measured) -> Figure:
    run = measured.run
    last = max([row.round for row in run.rows] + [lost.row.round for lost in run.lost])
    width = -(-(last + 1) // ROUNDS)
    names = [
        str(low) if width == 1 else f"{low}–{low + width - 1}" for low in range(0, last + 1, width)
    ]
    kept = Counter(row.round // width for row in run.rows)
    lost: Counter[tuple[str, int]] = Counter()
    top = _top_reasons(measured)
    for drop in run.lost:
        name = drop.reason if drop.reason in top else OTHERS
        lost[name, drop.row.round // width] += 1
    series = [("kept", [kept[place] for place in range(len(names))], "@kept")]
    for number, reason in enumerate(top):
        values = [lost[reason, place] for place in range(len(names))]
        series.append((spoken(reason), values, colour(number + 1)))
    rows = [
        (name, *(count(values[place]) for _, values, _ in series))
        for place, name in enumerate(names)
    ]
    shares = [
        kept[place]
        / (kept[place] + sum(lost[reason, place] for reason in top if reason != SURPLUS) or 1)
        for place in range(len(names))
    ]
    return Figure(
        id=measured.id("rounds"),
        question="Does the yield hold from round to round?",
        answer=f"The share kept goes from {shares[0]:.0%} in the first to {shares[-1]:.0%} in the "
        "last group of rounds."
        if width > 1
        else f"{shares[0]:.0%} are kept in the first round and {shares[-1]:.0%} in the last.",
        data=[_stack(names, name, values, token) for name, values, token in series],
        layout=_stacked("round"),
        table=Table(head=("round", *(name for name, _, _ in series)), rows=rows),
        source=_source(measured),
    )


def _stack(names: Sequence[str], name: str, values: Sequence[int], token: str) -> Trace:
    return {
        "type": "bar",
        "name": label(name, 28),
        "x": list(names),
        "y": list(values),
        "marker": {"color": token},
    }


def _stacked(title: str) -> dict[str, JSON]:
    return {
        "barmode": "stack",
        "showlegend": True,
        "xaxis": {"title": {"text": title}, "type": "category", "showgrid": False, "nticks": 10},
        "yaxis": {"title": {"text": "items"}},
    }


def _reasons(measured: Measured) -> Table:
    kinds: Counter[tuple[str, str]] = Counter(
        (lost.reason, lost.kind) for lost in measured.run.lost
    )
    whole = len(measured.run.rows) + len(measured.run.lost)
    rows = [
        (
            spoken(reason),
            count(number),
            percent(number, len(measured.run.lost)),
            percent(number, whole),
            *(count(kinds[reason, kind]) for kind in ("attempt", "instruction", "example")),
        )
        for reason, number in measured.reasons.items()
    ]
    return Table(
        head=(
            "dropped for",
            "items",
            "of drops",
            "of all",
            "attempts",
            "instructions",
            "examples",
        ),
        rows=rows,
        caption="What was dropped, and how far it had come",
        source=f"Counted in {measured.run.lost_source}.",
    )


def largest_target(lost: Sequence[Lost]) -> tuple[str, int] | None:
    """Of the drops for similarity, the text that most of them were too similar to, and how many."""
    targets = Counter(
        drop.evidence["text"]
        for drop in lost
        if drop.reason == "too_similar" and isinstance(drop.evidence.get("text"), str)
    )
    found = targets.most_common(1)
    return (str(found[0][0]), found[0][1]) if found else None
