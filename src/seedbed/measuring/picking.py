"""Which epoch is best by win rate, and which ones the data cannot tell from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

from seedbed.evaluate.measurement import Measurement, Result
from seedbed.evaluate.statistics import LEVEL, holm, paired_difference

METRIC = "win_rate"

RULES: Mapping[bool, str] = {
    False: "of the epochs that the data cannot tell from the highest win rate (paired by example, "
    "p adjusted over all, 5 %), the one with the lowest held-out loss, the earliest of equals",
    True: "the highest win rate; of equals the lowest held-out loss, then the earliest",
}
"""By whether the plain highest was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """A row of `epochs.jsonl`, and what the judge made of its checkpoint."""

    row: Mapping[str, Any]
    result: Result

    @property
    def measured(self) -> Measurement:
        return self.result.measurement(METRIC)

    @property
    def scores(self) -> dict[str, float]:
        """By example, those that could be read."""
        found = {item.id: item.scores.get(METRIC) for item in self.result.items}
        return {name: score for name, score in found.items() if score is not None}

    @property
    def loss(self) -> float:
        """The held-out loss; infinite where there is none."""
        found = self.row["held_out_loss"]
        return inf if found is None else float(found)

    def json(self) -> dict[str, Any]:
        """The row with its win rate, for `epochs.jsonl`."""
        one = self.measured
        return dict(self.row) | {
            "win_rate": one.value,
            "win_rate_low": one.low,
            "win_rate_high": one.high,
            "win_rate_n": one.n,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Picked:
    """The choice: `highest` has the highest win rate, `alike` cannot be told from it."""

    best: Epoch
    highest: Epoch
    alike: tuple[Epoch, ...]
    rule: str


def pick(epochs: Sequence[Epoch], *, highest: bool = False) -> Picked:
    """Choose among epochs, in their order.

    Args:
        highest: the plain highest win rate, as the paper has it, also where it may be chance.
    """
    top = min(epochs, key=lambda one: (-one.measured.value, one.loss))
    others = [one for one in epochs if one is not top]
    values = holm([_chance(top, one) for one in others])
    alike = tuple(one for one, p in zip(others, values, strict=True) if p >= LEVEL)
    among = [one for one in epochs if one is top or one in alike]
    best = top if highest else min(among, key=lambda one: one.loss)
    return Picked(best=best, highest=top, alike=alike, rule=RULES[highest])


def _chance(first: Epoch, second: Epoch) -> float:
    """How likely such a difference is by chance; 1 where no example was read in both."""
    one, two = first.scores, second.scores
    return paired_difference(one, two).p if one.keys() & two.keys() else 1.0
