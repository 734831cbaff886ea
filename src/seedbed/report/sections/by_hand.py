"""What people decided by hand: how much they looked at, and how far they agree with the run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from seedbed.agreement import compared, heard_by_judge
from seedbed.decisions import Decision
from seedbed.forecast import JUDGE
from seedbed.records import JSON
from seedbed.report.document import Block, Samples, Section, Table
from seedbed.report.measures import Measured, ordered
from seedbed.report.rows import Lost, Row
from seedbed.report.sections.cases import TEXT, dropped_sample, sample
from seedbed.report.wording import brief, count, cut, decimal, percent, plural, spoken

SHOWN = 4
"""Texts of a kind that are shown."""

Decided = Sequence[tuple[Row | Lost, Decision]]


def by_hand(measured: Measured) -> Section | None:
    decided = measured.run.decided
    if not decided:
        return None
    run = measured.run
    kept = [pair for pair in decided if isinstance(pair[0], Row)]
    blocks: list[Block] = [_counts(measured, kept), _agreement(measured, decided)]
    blocks += [*_reasons(measured, kept), *_texts(measured, decided)]
    return Section(
        id=measured.id("by-hand"),
        title="Judged by hand",
        lead=f"{plural(len(kept), 'example')} of {count(len(run.rows))} and "
        f"{plural(len(decided) - len(kept), 'drop')} of {count(len(run.lost))} were judged by "
        "people (seedbed view). The export leaves the rejected examples out and makes the edits; "
        "the rest of this report shows what the run made.",
        blocks=blocks,
    )


def _counts(measured: Measured, kept: Decided) -> Table:
    kinds = Counter(_kind(decision) for _, decision in kept)
    return Table(
        head=("decision on an example", "examples", "of those judged"),
        rows=[(kind, count(number), percent(number, len(kept)))
              for kind, number in ordered(kinds).items()],
        caption="What people decided",
        source=_source(measured),
    )  # fmt: skip


def _kind(decision: Decision) -> str:
    if decision.verdict == "reject":
        return "rejected"
    return "edited" if decision.edit else "accepted as it is"


def _agreement(measured: Measured, decided: Decided) -> Table:
    rows = [("the run", compared((drop, verdict, 1) for drop, verdict, _ in _verdicts(decided)))]
    if JUDGE in measured.run.manifest.get("stages", {}):
        heard = ((drop, verdict, 1) for drop, verdict, heard in _verdicts(decided) if heard)
        rows.append(("the run's judge", compared(heard)))
    return Table(
        head=("people and", "judged", "agree", "both keep", "both drop", "only people keep",
              "only people drop", "kappa"),
        rows=[(name, *_cells(cells)) for name, cells in rows],
        caption="How far people agree with it",
        source=f"{_source(measured)} Kappa (Cohen 1960) is the agreement beyond chance.",
    )  # fmt: skip


def _verdicts(decided: Decided) -> Iterator[tuple[bool, str, bool]]:
    """Of each: whether the run dropped it, the person's verdict, whether the judge heard it."""
    for item, decision in decided:
        dropped = isinstance(item, Lost)
        row, reason = (item.row, item.reason) if isinstance(item, Lost) else (item, "")
        heard = heard_by_judge(dropped=dropped, reason=reason, step=row.step)
        yield dropped, decision.verdict, heard


def _cells(cells: dict[str, JSON]) -> tuple[str, ...]:
    kappa = cells["kappa"]
    same = cells["both_keep"] + cells["both_drop"]
    counts = (cells[name] for name in ("both_keep", "both_drop", "only_person", "only_run"))
    return (
        count(cells["n"]),
        percent(same, cells["n"]),
        *map(count, counts),
        "–" if kappa is None else decimal(kappa),
    )


def _reasons(measured: Measured, kept: Decided) -> Iterator[Table]:
    reasons = Counter(
        brief(decision.reason) or "no reason given"
        for _, decision in kept
        if decision.verdict == "reject"
    )
    if reasons:
        yield Table(
            head=("rejected because", "examples"),
            rows=[(reason, count(number)) for reason, number in ordered(reasons).items()][:12],
            caption="Why people rejected examples that the run kept",
            source=_source(measured),
        )


def _texts(measured: Measured, decided: Decided) -> Iterator[Samples]:
    rejected = [
        sample(item, f"Rejected {number}", f"Reason: {brief(decision.reason) or 'none given'}.")
        for number, (item, decision) in enumerate(
            (pair for pair in decided if pair[1].verdict == "reject"), 1
        )
        if isinstance(item, Row)
    ]
    edited = [
        sample(
            item,
            f"Edited {number}",
            "As the run made it, and what people made of it.",
            [(f"{name}, edited", cut(text, TEXT)) for name, text in decision.edit.items()],
        )
        for number, (item, decision) in enumerate((pair for pair in decided if pair[1].edit), 1)
        if isinstance(item, Row)
    ]
    wrongly = [
        dropped_sample(item, f"Dropped for {spoken(item.reason)}", "People would have kept it.")
        for item, decision in decided
        if isinstance(item, Lost) and decision.verdict == "accept"
    ]
    for title, items in (
        ("Rejected by hand", rejected),
        ("Edited by hand", edited),
        ("Dropped, and should have been kept", wrongly),
    ):
        if items:
            yield Samples(
                title=f"{title} ({count(len(items))})",
                about=f"The first {count(min(SHOWN, len(items)))} of {count(len(items))}.",
                items=items[:SHOWN],
                source=_source(measured),
            )


def _source(measured: Measured) -> str:
    return f"decisions.jsonl ({plural(len(measured.run.decided), 'decision')} that stand)."
