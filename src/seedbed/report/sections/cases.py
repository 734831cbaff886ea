"""Examples and drops as they are: good ones, borderline ones, and the clearest of every reason."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from seedbed.report.document import Block, Sample, Samples, Section
from seedbed.report.figures import median, quantile
from seedbed.report.measures import Measured
from seedbed.report.rows import Lost, Row
from seedbed.report.similarity import ALIKE, Near
from seedbed.report.wording import brief, count, cut, decimal, pairs, plural, spoken

GOOD = 4
BORDERLINE = 2
CASES = 3
TEXT = 900

LIMITS = (
    ("score", "limit"),
    ("jaccard", "threshold"),
    ("words", "minimum"),
    ("words", "maximum"),
    ("characters", "minimum"),
    ("characters", "maximum"),
    ("words", "fewer_than"),
    ("added", "maximum"),
)
"""Pairs of names in a drop's evidence: what was measured, and what it was measured against."""


@dataclass(frozen=True, slots=True)
class Margin:
    """How far a measured value is from its limit, as a share of the limit."""

    measured: str
    limit: str
    value: float
    bound: float

    @property
    def share(self) -> float:
        return abs(self.value - self.bound) / (abs(self.bound) or 1.0)

    def __str__(self) -> str:
        return (
            f"{spoken(self.measured)} {decimal(self.value)}, {spoken(self.limit)} "
            f"{decimal(self.bound)}"
        )


def margin(lost: Lost) -> Margin | None:
    """The margin by which something was dropped, where its evidence holds one."""
    for measured, limit in LIMITS:
        value, bound = lost.evidence.get(measured), lost.evidence.get(limit)
        if isinstance(value, int | float) and isinstance(bound, int | float):
            return Margin(measured, limit, float(value), float(bound))
    return None


def cases(measured: Measured) -> Section | None:
    run = measured.run
    blocks: list[Block] = []
    if run.rows:
        blocks += [_good(measured), *_borderline(measured)]
    for reason in measured.reasons:
        blocks.append(_dropped(measured, reason))
    if not blocks:
        return None
    return Section(
        id=measured.id("samples"),
        title="Look for yourself",
        lead=f"Texts are shown as they are, cut after {TEXT} characters.",
        blocks=blocks,
    )


def sample(row: Row, title: str, why: str, more: Iterable[tuple[str, str]] = ()) -> Sample:
    """An example, or what was left of one, as a report shows it; `more` are further texts."""
    texts = [("instruction", row.instruction), ("input", row.input), ("response", row.response)]
    facts = [
        ("skills", ", ".join(map(spoken, row.skills))),
        ("query type", brief(row.query_type)),
        ("step", spoken(row.step)),
        ("round", str(row.round)),
        ("repairs", ", ".join(map(spoken, row.repairs))),
        ("id", brief(row.id, 20)),
    ]
    return Sample(
        title=title,
        why=why,
        texts=[(name, cut(text, TEXT)) for name, text in texts if text] + list(more),
        facts=[(name, value) for name, value in facts if value],
    )


def _good(measured: Measured) -> Samples:
    """Unrepaired, unlike all others, of common length, and from all over the file."""
    words = measured.response_words
    low, high = quantile(words, 0.25), quantile(words, 0.75)
    nearest = {near.row.id: near for near in measured.similarity.nearest}
    fit = [
        (row, near)
        for row, size in zip(measured.run.rows, words, strict=True)
        if not row.repairs
        and low <= size <= high
        and (near := nearest.get(row.id)) is not None
        and near.score < ALIKE
    ]
    step = max(1, len(fit) // GOOD)
    items = [
        sample(
            row,
            f"Good example {number}",
            f"Not repaired; its nearest neighbour is at ROUGE-L {near.score:.2f}; its response "
            f"has {count(len(row.response.split()))} words, the median {decimal(median(words))}.",
        )
        for number, (row, near) in enumerate(fit[step // 2 :: step][:GOOD], 1)
    ]
    return Samples(
        title="Good ones",
        about="Kept as written, of common length, and unlike the others: taken at even distances "
        f"from the {count(len(fit))} such examples.",
        items=items,
        source=f"{measured.run.rows_source}; similarity as under Novelty.",
    )


def _borderline(measured: Measured) -> list[Samples]:
    items = [*_most_alike(measured), *_shortest(measured), *_repaired(measured)]
    items += _narrowly_dropped(measured.run.lost)
    if not items:
        return []
    return [
        Samples(
            title="Borderline ones",
            about="Close to a limit: each says to which.",
            items=items,
            source=f"{measured.run.rows_source} and {measured.run.lost_source}; similarity as "
            "under Novelty.",
        )
    ]


def _most_alike(measured: Measured) -> list[Sample]:
    """Kept examples whose similarity is nearest to the limit, on either side."""
    close = sorted(measured.similarity.nearest, key=lambda near: abs(near.score - ALIKE))
    return [
        sample(
            near.row,
            "Kept, close to the limit of similarity",
            f"ROUGE-L {near.score:.3f} to its nearest neighbour; alike is above {ALIKE}.",
            [("nearest other instruction", cut(near.other, TEXT))],
        )
        for near in _each_once(close)[:BORDERLINE]
        if abs(near.score - ALIKE) < 0.15
    ]


def _each_once(found: Sequence[Near]) -> list[Near]:
    """Of a pair that are each other's nearest, one."""
    seen: set[str] = set()
    kept = []
    for near in found:
        if near.row.instruction not in seen:
            kept.append(near)
        seen |= {near.row.instruction, near.other}
    return kept


def _shortest(measured: Measured) -> list[Sample]:
    rows, words = measured.run.rows, measured.response_words
    order = sorted(range(len(rows)), key=lambda place: (words[place], place))
    return [
        sample(
            rows[place],
            "Kept, with the shortest response",
            f"{plural(words[place], 'word')}; 99 % of the responses have more than "
            f"{quantile(words, 0.01):,}.",
        )
        for place in order[:1]
    ]


def _repaired(measured: Measured) -> list[Sample]:
    """One example for each kind of repair."""
    first: dict[str, Row] = {}
    for row in measured.run.rows:
        for repair in row.repairs:
            first.setdefault(repair, row)
    return [
        sample(
            row, f"Kept after a repair: {spoken(repair)}", "A filter mended it; see what is left."
        )
        for repair, row in list(first.items())[:BORDERLINE]
    ]


def _narrowly_dropped(lost: Sequence[Lost]) -> list[Sample]:
    close = [(found, drop) for drop in lost if (found := margin(drop)) is not None]
    close.sort(key=lambda pair: pair[0].share)
    return [
        dropped_sample(drop, f"Dropped narrowly: {spoken(drop.reason)}", f"{found}.")
        for found, drop in close[:BORDERLINE]
        if found.share < 0.25
    ]


def dropped_sample(lost: Lost, title: str, why: str) -> Sample:
    told = sample(lost.row, title, why)
    texts = [("what the teacher wrote", cut(lost.text, TEXT))] if lost.text else []
    return Sample(
        title=title,
        why=why,
        texts=[*texts, *told.texts],
        facts=[("came as far as", f"an {lost.kind}"), *told.facts],
    )


def _dropped(measured: Measured, reason: str) -> Samples:
    """The clearest cases of a reason: farthest over the limit, or those with the most evidence."""
    found = [drop for drop in measured.run.lost if drop.reason == reason]
    items = [
        dropped_sample(drop, f"{spoken(reason)}, case {number}", _because(drop))
        for number, drop in enumerate(_clearest(found), 1)
    ]
    return Samples(
        title=f"Dropped for: {spoken(reason)} ({count(len(found))})",
        about=f"{plural(len(items), 'case')} of {count(len(found))}: those farthest beyond the "
        "limit, else those that show most.",
        items=items,
        source=f"{measured.run.lost_source}.",
    )


def _because(drop: Lost) -> str:
    told = "; ".join(f"{name}: {value}" for name, value in pairs(drop.evidence) if value)
    return f"Evidence: {told}" if told else "The reason says it all; no further evidence was kept."


def _clearest(drops: Sequence[Lost]) -> list[Lost]:
    def clearness(drop: Lost) -> tuple[float, int, bool]:
        found = margin(drop)
        told = sum(1 for value in drop.evidence.values() if value != "")
        return (-(found.share if found else 0.0), -told, not (drop.text or drop.row.instruction))

    chosen: dict[str, Lost] = {}
    for drop in sorted(drops, key=clearness):
        chosen.setdefault((drop.text or drop.row.response or drop.row.instruction)[:200], drop)
        if len(chosen) == CASES:
            break
    return list(chosen.values())
