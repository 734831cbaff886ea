"""How often each operation succeeds: counted from what the recipe keeps and leaves out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from seedbed.recipes.evol_instruct.operations import operation_of
from seedbed.recipes.evol_instruct.params import OPERATIONS
from seedbed.records import JSON, Drop, Dropped, Example, Origin

KEPT = ""


@dataclass(slots=True)
class Rates:
    """Tell it of every example and every drop of a run; a replay gives the same counts.

    `counts` goes by operation, round, and the reason of a drop (`KEPT` for an example). What is no
    evolution is not counted: originals, and seeds that come twice.
    """

    counts: Counter[tuple[str, int, str]] = field(default_factory=Counter)

    def keep(self, example: Example) -> None:
        self._count(example.instruction.origin, KEPT)

    def drop(self, item: Dropped, objection: Drop) -> None:
        origin = item.instruction.origin if isinstance(item, Example) else item.origin
        self._count(origin, objection.reason)

    def _count(self, origin: Origin, reason: str) -> None:
        operation = operation_of(origin.step)
        if origin.recipe == "evol_instruct" and operation in OPERATIONS:
            self.counts[operation, origin.round, reason] += 1

    def to_json(self) -> dict[str, JSON]:
        """By operation and by round: how many were tried and kept, the share, and why not."""
        operations: dict[str, Counter[str]] = {name: Counter() for name in OPERATIONS}
        rounds: dict[str, Counter[str]] = {}
        for (operation, number, reason), count in sorted(self.counts.items()):
            operations[operation][reason] += count
            rounds.setdefault(str(number), Counter())[reason] += count
        return {
            "operations": {name: _row(found) for name, found in operations.items() if found},
            "rounds": {name: _row(rounds[name]) for name in sorted(rounds, key=int)},
        }


def _row(found: Counter[str]) -> dict[str, JSON]:
    tried, kept = found.total(), found[KEPT]
    reasons = {reason: count for reason, count in found.most_common() if reason != KEPT}
    return {"tried": tried, "kept": kept, "share": round(kept / tried, 4), "reasons": reasons}
