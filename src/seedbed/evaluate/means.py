"""From items to measurements: the mean of a score, with an interval."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from math import sqrt

from seedbed.errors import ModelError
from seedbed.evaluate.measurement import Item, Measurement, Result
from seedbed.records import JSON

DRAWS = 2_000
"""Bootstrap draws of an interval."""

Z = 1.959963984540054
"""The standard normal's 97.5 % point: the intervals hold 95 %."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What all measurements of one result share; its one verb makes them.

    The fields are those of `Measurement`.
    """

    benchmark: str
    student: str
    judge: str = ""
    tool: str = field(default_factory=lambda: f"seedbed {version('seedbed')}")
    settings: Mapping[str, JSON] = field(default_factory=dict)
    dollars: float | None = 0.0
    notes: tuple[str, ...] = ()

    def __call__(
        self,
        items: Iterable[Item],
        metric: str,
        *,
        expected_n: int | None = None,
        notes: tuple[str, ...] = (),
    ) -> Measurement | None:
        """The mean of a score over the items that have it; None where no item does.

        The interval is Wilson's where every item stands for itself and each score is 0 or 100, so
        that 0 of 20 is not "0 to 0"; else a bootstrap over groups. One group has no interval.

        Args:
            items: those without the score count only in `expected_n`.
            metric: the score's name.
            expected_n: how many items should have it; all of `items` unless given.
            notes: for this measurement, after those of all.
        """
        every = list(items)
        scored = [item for item in every if metric in item.scores]
        if not scored:
            return None
        values = [item.scores[metric] for item in scored]
        groups = [item.group or f"\0{item.id}" for item in scored]
        low, high = interval(values, groups)
        return Measurement(
            benchmark=self.benchmark,
            metric=metric,
            value=sum(values) / len(values),
            low=low,
            high=high,
            standard_error=standard_error(values, groups),
            n=len(scored),
            expected_n=len(every) if expected_n is None else expected_n,
            student=self.student,
            judge=self.judge,
            tool=self.tool,
            settings=self.settings,
            dollars=self.dollars,
            notes=(*self.notes, *notes),
        )


def result_of(measured: Iterable[Measurement | None], items: Iterable[Item]) -> Result:
    """What could be measured, with its items.

    Raises:
        ModelError: nothing could.
    """
    found = tuple(one for one in measured if one is not None)
    if not found:
        raise ModelError(
            "nothing could be scored: no answer of the student, or of the judge, could be read",
            hint="Look at the answers: they are kept beside the result, or in the journal.",
        )
    return Result(measurements=found, items=tuple(items))


def interval(values: Sequence[float], groups: Sequence[str]) -> tuple[float | None, float | None]:
    """A 95 % interval of the mean; (None, None) where there is but one group.

    Shares that are all 0 or all 100 get Wilson's interval over the groups: drawing groups anew
    could not tell how sure that is.
    """
    count, kinds = len(set(groups)), set(values)
    if count < 2:
        return None, None
    if kinds <= {0.0, 100.0} and (count == len(groups) or len(kinds) == 1):
        return wilson(round(sum(values) / 100 * count / len(values)), count)
    return _bootstrap(values, groups)


def wilson(hits: int, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share, in percent; none and all are exactly its ends."""
    share = hits / n
    middle = share + Z**2 / (2 * n)
    half = Z * sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
    scale = 100 / (1 + Z**2 / n)
    low, high = (middle - half) * scale, (middle + half) * scale
    return low if hits else 0.0, high if hits < n else 100.0


def standard_error(values: Sequence[float], groups: Sequence[str]) -> float | None:
    """Of the mean, items of one group taken together; None where there is but one group."""
    mean = sum(values) / len(values)
    residuals: dict[str, float] = {}
    for value, group in zip(values, groups, strict=True):
        residuals[group] = residuals.get(group, 0.0) + value - mean
    count = len(residuals)
    if count < 2:
        return None
    squares = sum(residual**2 for residual in residuals.values())
    return sqrt(squares * count / (count - 1)) / len(values)


def _bootstrap(values: Sequence[float], groups: Sequence[str]) -> tuple[float, float]:
    """Percentiles of the mean over draws of groups, seeded by nothing but their number."""
    import numpy as np

    names = {name: place for place, name in enumerate(dict.fromkeys(groups))}
    places = np.array([names[group] for group in groups])
    sums = np.bincount(places, weights=np.array(values, dtype=float))
    counts = np.bincount(places).astype(float)
    drawn = np.random.default_rng(len(names)).integers(len(names), size=(DRAWS, len(names)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return float(low), float(high)
