"""How far people who judged by hand agree with a run, and with its judge."""

from __future__ import annotations

from collections.abc import Iterable

from seedbed.records import JSON

JUDGE_REASONS = ("skill_absent", "equal")
"""What the judges of the recipes drop for: Instruct-SkillMix's presence, Evol-Instruct's equality.
What a judge gave no verdict on (`unjudged`) is no opinion to agree with."""

UNJUDGED_STEPS = ("original",)
"""Seeds that become examples as they are: no judge is asked about them."""


def heard_by_judge(*, dropped: bool, reason: str, step: str) -> bool:
    """Whether the run's judge let this item pass or objected to it. That includes only what came
    before it: drops for other reasons are not in it."""
    return reason in JUDGE_REASONS if dropped else step not in UNJUDGED_STEPS


def compared(decided: Iterable[tuple[bool, str, int]]) -> dict[str, JSON]:
    """The four cells, the share of equal decisions, and Cohen's kappa; None where undefined.

    Args:
        decided: whether the run dropped it, a person's verdict, how many there are. An accepted
            drop means that it should have been kept.
    """
    cells = {"both_keep": 0, "only_person": 0, "only_run": 0, "both_drop": 0}
    for dropped, verdict, count in decided:
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
