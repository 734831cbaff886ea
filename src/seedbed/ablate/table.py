"""What an ablation came to: means over seeds, differences to the first arm, in plain words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import mean, stdev

from seedbed.ablate.working import Cell
from seedbed.config_ablate import Match
from seedbed.evaluate.statistics import holm, paired_difference
from seedbed.records import JSON

METRIC = "accuracy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One arm of a comparison.

    Args:
        values: accuracy in percent, by seed in the order of the seeds.
        splits: means over seeds of the other accuracies (by k, by seen and unseen pairs) and of
            the guesses.
        difference, low, high: to the first arm, in points, with a 95 % interval: over seeds by
            Student's t, each seed paired with itself; with one seed over the items.
        p: of the difference, adjusted for the number of arms (Holm). None at the first arm.
    """

    arm: str
    examples: float
    calls: float
    dollars: float
    values: tuple[float, ...]
    splits: dict[str, float]
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
        return "better" if self.difference > 0 else "worse"

    def to_json(self) -> JSON:
        return {
            "arm": self.arm,
            "examples": self.examples,
            "calls": self.calls,
            "dollars": self.dollars,
            "accuracy": self.value,
            "by_seed": list(self.values),
            "splits": self.splits,
            "difference": self.difference,
            "low": self.low,
            "high": self.high,
            "p": self.p,
            "verdict": self.verdict,
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
    first, *others = by_arm
    told = [_difference(cells, first) for cells in others]
    adjusted = holm([p for *_, p in told])
    rows = [_row(first)] + [
        _row(cells, difference=difference, low=low, high=high, p=p)
        for cells, (difference, low, high, _), p in zip(others, told, adjusted, strict=True)
    ]
    seeds = tuple(cell.seed for cell in first)
    return Compared(group=group, match=match, seeds=seeds, rows=tuple(rows))


def _row(
    cells: Sequence[Cell],
    *,
    difference: float | None = None,
    low: float | None = None,
    high: float | None = None,
    p: float | None = None,
) -> Row:
    names = dict.fromkeys(
        m.metric
        for cell in cells
        for m in cell.result.measurements
        if m.metric != METRIC and not m.metric.startswith("accuracy_skill_")
    )
    values: dict[str, list[float]] = {name: [] for name in names}
    for cell in cells:
        for one in cell.result.measurements:
            if one.metric in values:
                values[one.metric].append(one.value)
    return Row(
        arm=cells[0].arm.name,
        examples=mean(cell.examples for cell in cells),
        calls=mean(cell.calls for cell in cells),
        dollars=mean(cell.dollars for cell in cells),
        values=tuple(_accuracy(cell) for cell in cells),
        splits={name: mean(found) for name, found in values.items()},
        difference=difference,
        low=low,
        high=high,
        p=p,
    )


def _difference(cells: Sequence[Cell], first: Sequence[Cell]) -> tuple[float, float, float, float]:
    """The difference in points, the ends of its interval, and p."""
    if len(cells) == 1:
        return _over_items(cells[0], first[0])
    from scipy.stats import t

    pairs = [_accuracy(a) - _accuracy(b) for a, b in zip(cells, first, strict=True)]
    free = len(pairs) - 1
    error = stdev(pairs) / sqrt(len(pairs))
    middle, reach = mean(pairs), float(t.ppf(0.975, free)) * error
    p = 2 * float(t.sf(abs(middle) / error, free)) if error else float(middle == 0)
    return middle, middle - reach, middle + reach, p


def _over_items(cell: Cell, first: Cell) -> tuple[float, float, float, float]:
    ours, theirs = (
        {item.id: item.scores[METRIC] for item in one.result.items if METRIC in item.scores}
        for one in (cell, first)
    )
    found = paired_difference(ours, theirs)
    low = found.value if found.low is None else found.low
    high = found.value if found.high is None else found.high
    return found.value, low, high, found.p


def _accuracy(cell: Cell) -> float:
    return cell.result.measurement(METRIC).value
