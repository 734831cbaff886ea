"""How far people who judged by hand agree with the run, and with its judge."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

from seedbed.records import JSON
from seedbed.view.rows import Item

JUDGE_REASONS = ("skill_absent", "equal")
"""What the judges of the recipes drop for: Instruct-SkillMix's presence, Evol-Instruct's equality.
What a judge gave no verdict on (`unjudged`) is no opinion to agree with."""


UNJUDGED_STEPS = ("original",)
"""Seeds that become examples as they are: no judge is asked about them."""


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
    """The four cells, the share of equal decisions, and Cohen's kappa; None where undefined."""
    cells = {"both_keep": 0, "only_person": 0, "only_run": 0, "both_drop": 0}
    for dropped, _, verdict, _, count in rows:
        keeps = verdict == "accept"
        name = ("only_person" if keeps else "both_drop") if dropped else (
            "both_keep" if keeps else "only_run"
        )  # fmt: skip
        cells[name] += count
    n = sum(cells.values())
    share = (cells["both_keep"] + cells["both_drop"]) / n if n else None
    return {**cells, "n": n, "share": share, "kappa": _kappa(cells, n)}


def _kappa(cells: dict[str, int], n: int) -> float | None:
    """Cohen (1960): agreement beyond what two deciders with these rates would have by chance."""
    if not n:
        return None
    person = (cells["both_keep"] + cells["only_person"]) / n
    run = (cells["both_keep"] + cells["only_run"]) / n
    chance = person * run + (1 - person) * (1 - run)
    share = (cells["both_keep"] + cells["both_drop"]) / n
    return (share - chance) / (1 - chance) if chance < 1 else None


def _by_reason(rows: Iterable[Sequence[JSON]]) -> list[list[JSON]]:
    """Of each reason: how many drops were looked at, and how many of them were right."""
    found: dict[str, list[int]] = {}
    for dropped, reason, verdict, _, count in rows:
        if dropped:
            seen = found.setdefault(reason, [0, 0])
            seen[0] += count
            seen[1] += count if verdict == "reject" else 0
    return [[reason, seen, right] for reason, (seen, right) in sorted(found.items())]
