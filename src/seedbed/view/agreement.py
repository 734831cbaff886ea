"""What people decided by hand, counted in the index."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

from seedbed.agreement import JUDGE_REASONS, UNJUDGED_STEPS, compared
from seedbed.records import JSON
from seedbed.view.rows import Item


def judge_said(item: Item) -> str:
    """What the run's judge made of an item, in words; empty where it was not asked about it."""
    if item.dropped:
        reason = item.text("reason")
        if reason == "unjudged":
            return "gave no verdict"
        return "objected to it" if reason in JUDGE_REASONS else ""
    return "" if item.text("step") in UNJUDGED_STEPS else "let it pass"


def agreement(database: sqlite3.Connection, *, judged: bool) -> dict[str, JSON]:
    """Counts of decisions by what the run did with the item.

    An accepted drop means that it should have been kept. `run` compares with every decision of the
    run, `judge` (None without a judge) with what the judge let pass and what it objected to. That
    includes only examples that came before it, so drops for other reasons are not in it.
    """
    rows = database.execute(
        "select dropped, reason, verdict, edited, count(*) from items where verdict <> '' "
        "group by 1, 2, 3, 4"
    ).fetchall()
    by_judge = database.execute(
        "select dropped, reason, verdict, edited, count(*) from items where verdict <> '' and "
        "case dropped when 1 then reason in (?, ?) else step not in (?) end group by 1, 2, 3, 4",
        (*JUDGE_REASONS, *UNJUDGED_STEPS),
    ).fetchall()
    return {
        "accepted": sum(row[-1] for row in rows if row[2] == "accept" and not row[0]),
        "rejected": sum(row[-1] for row in rows if row[2] == "reject" and not row[0]),
        "edited": sum(row[-1] for row in rows if row[3] and not row[0]),
        "drops": sum(row[-1] for row in rows if row[0]),
        "run": _compared(rows),
        "judge": _compared(by_judge) if judged else None,
        "reasons": _by_reason(rows),
    }


def _compared(rows: Iterable[Sequence[JSON]]) -> dict[str, JSON]:
    return compared((bool(dropped), verdict, count) for dropped, _, verdict, _, count in rows)


def _by_reason(rows: Iterable[Sequence[JSON]]) -> list[list[JSON]]:
    """Of each reason: how many drops were looked at, and how many of them were right."""
    found: dict[str, list[int]] = {}
    for dropped, reason, verdict, _, count in rows:
        if dropped:
            seen = found.setdefault(reason, [0, 0])
            seen[0] += count
            seen[1] += count if verdict == "reject" else 0
    return [[reason, seen, right] for reason, (seen, right) in sorted(found.items())]
