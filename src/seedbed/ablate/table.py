"""What an ablation came to: means over seeds, differences to the first arm, in plain words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import sqrt
from statistics import mean, stdev

from seedbed.ablate.measuring import LOSS
from seedbed.ablate.working import Cell
from seedbed.config_ablate import Match
from seedbed.evaluate.statistics import holm, paired_difference
from seedbed.records import JSON

ACCURACY = "accuracy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One measure of an arm, and how it differs from the first arm's.

    Args:
        values: by seed, in the order of the seeds.
        lower: whether less of it is better.
        difference, low, high: to the first arm, with a 95 % interval: over seeds by Student's t,
            each seed paired with itself; with one seed over the items.
        p: of the difference, adjusted for the number of arms (Holm). None at the first arm.
    """

    values: tuple[float, ...]
    lower: bool = False
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None

    @property
    def value(self) -> float:
        return mean(self.values)

    @property
    def verdict(self) -> str:
        """The difference in words."""
        if self.difference is None or self.p is None:
            return "what the others are held against"
        if self.p > 0.05:
            return "the data cannot tell"
        return "better" if (self.difference < 0) == self.lower else "worse"

    def to_json(self) -> JSON:
        return {
            "mean": self.value,
            "by_seed": list(self.values),
            "difference": self.difference,
            "low": self.low,
            "high": self.high,
            "p": self.p,
            "verdict": self.verdict,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One arm of a comparison.

    Args:
        accuracy: exact, in percent.
        loss: of the true responses, in nats a token; None where it was not measured.
        splits: means over seeds of the other accuracies (by k, by seen and unseen pairs) and of
            the guesses.
    """

    arm: str
    examples: float
    calls: float
    dollars: float
    accuracy: Effect
    loss: Effect | None
    splits: dict[str, float]

    def to_json(self) -> JSON:
        return {
            "arm": self.arm,
            "examples": self.examples,
            "calls": self.calls,
            "dollars": self.dollars,
            "accuracy": self.accuracy.to_json(),
            "loss": None if self.loss is None else self.loss.to_json(),
            "splits": self.splits,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A comparison on one kind of equal terms."""

    group: str
    match: Match
    seeds: tuple[int, ...]
    rows: tuple[Row, ...]


def compared(cells: Sequence[Cell]) -> list[Compared]:
    """Every comparison, in the order in which its cells were made."""
    keys = dict.fromkeys((cell.group, cell.match) for cell in cells)
    return [
        _compared(group, match, [c for c in cells if (c.group, c.match) == (group, match)])
        for group, match in keys
    ]


def _compared(group: str, match: Match, cells: Sequence[Cell]) -> Compared:
    arms = dict.fromkeys(cell.arm.slug for cell in cells)
    by_arm = [[cell for cell in cells if cell.arm.slug == slug] for slug in arms]
    accuracies = _effects(by_arm, ACCURACY)
    measured = all(LOSS in {m.metric for m in cell.result.measurements} for cell in cells)
    losses = _effects(by_arm, LOSS) if measured else [None] * len(by_arm)
    rows = [
        _row(cells, accuracy=accuracy, loss=loss)
        for cells, accuracy, loss in zip(by_arm, accuracies, losses, strict=True)
    ]
    seeds = tuple(cell.seed for cell in by_arm[0])
    return Compared(group=group, match=match, seeds=seeds, rows=tuple(rows))


def _row(cells: Sequence[Cell], *, accuracy: Effect, loss: Effect | None) -> Row:
    values: dict[str, list[float]] = {}
    for cell in cells:
        for one in cell.result.measurements:
            if one.metric not in (ACCURACY, LOSS) and not one.metric.startswith("accuracy_skill_"):
                values.setdefault(one.metric, []).append(one.value)
    return Row(
        arm=cells[0].arm.name,
        examples=mean(cell.examples for cell in cells),
        calls=mean(cell.calls for cell in cells),
        dollars=mean(cell.dollars for cell in cells),
        accuracy=accuracy,
        loss=loss,
        splits={name: mean(found) for name, found in values.items()},
    )


def _effects(by_arm: Sequence[Sequence[Cell]], metric: str) -> list[Effect]:
    """One measure of every arm, each held against the first; p adjusted over these arms."""
    first, *others = by_arm
    plain = [
        Effect(values=tuple(_value(cell, metric) for cell in cells), lower=metric == LOSS)
        for cells in by_arm
    ]
    told = [_difference(cells, first, metric) for cells in others]
    adjusted = holm([p for *_, p in told])
    return [plain[0]] + [
        replace(effect, difference=difference, low=low, high=high, p=p)
        for effect, (difference, low, high, _), p in zip(plain[1:], told, adjusted, strict=True)
    ]


def _difference(
    cells: Sequence[Cell], first: Sequence[Cell], metric: str
) -> tuple[float, float, float, float]:
    """The difference, the ends of its interval, and p."""
    if len(cells) == 1:
        return _over_items(cells[0], first[0], metric)
    from scipy.stats import t

    pairs = [_value(a, metric) - _value(b, metric) for a, b in zip(cells, first, strict=True)]
    free = len(pairs) - 1
    error = stdev(pairs) / sqrt(len(pairs))
    middle, reach = mean(pairs), float(t.ppf(0.975, free)) * error
    p = 2 * float(t.sf(abs(middle) / error, free)) if error else float(middle == 0)
    return middle, middle - reach, middle + reach, p


def _over_items(cell: Cell, first: Cell, metric: str) -> tuple[float, float, float, float]:
    ours, theirs = (
        {item.id: item.scores[metric] for item in one.result.items if metric in item.scores}
        for one in (cell, first)
    )
    found = paired_difference(ours, theirs)
    low = found.value if found.low is None else found.low
    high = found.value if found.high is None else found.high
    return found.value, low, high, found.p


def _value(cell: Cell, metric: str) -> float:
    return cell.result.measurement(metric).value
