"""The benchmark's averages: over tasks, over the tasks of a category, and over categories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from seedbed.evaluate.wild_bench.data import WEIGHTS

DRAWS = 2_000
"""Bootstrap draws of an interval."""


def adjusted(score: float) -> float:
    """A score of 1 to 10 on the leaderboard's scale: 5 is 0, 10 is 100."""
    return (score - 5) * 20


def macro(by_category: Mapping[str, float]) -> float | None:
    """The weighted mean over the five categories; None where one of them is missing.

    The official code leaves a missing category out of the sum and keeps its weight in the
    denominator, so a subset without coding tasks would look bad at coding.
    """
    if set(by_category) != set(WEIGHTS):
        return None
    total = sum(WEIGHTS[name] * by_category[name] for name in WEIGHTS)
    return total / sum(WEIGHTS.values())


def category_means(
    values: Sequence[float], categories: Sequence[Sequence[str]]
) -> dict[str, float]:
    """The mean of each category; a task counts in all of its own."""
    groups: dict[str, list[float]] = {}
    for value, names in zip(values, categories, strict=True):
        for name in names:
            groups.setdefault(name, []).append(value)
    return {name: sum(group) / len(group) for name, group in groups.items()}


def macro_interval(
    values: Sequence[float], categories: Sequence[Sequence[str]]
) -> tuple[float, float, float] | None:
    """Standard error and 95 % interval of the macro average, by drawing tasks anew.

    Draws in which a category has no task are drawn again. None where there is no macro average.
    """
    import numpy as np

    if macro(category_means(values, categories)) is None:
        return None
    scores = np.array(values, dtype=float)
    member = np.array([[name in names for name in WEIGHTS] for names in categories], dtype=float)
    weights = np.array(list(WEIGHTS.values())) / sum(WEIGHTS.values())
    random = np.random.default_rng(len(values))
    means: list[float] = []
    while len(means) < DRAWS:
        drawn = random.integers(len(scores), size=len(scores))
        counts = member[drawn].sum(axis=0)
        if counts.all():
            sums = (member[drawn] * scores[drawn, None]).sum(axis=0)
            means.append(float((sums / counts) @ weights))
    low, high = np.quantile(means, (0.025, 0.975))
    return float(np.std(means, ddof=1)), float(low), float(high)
