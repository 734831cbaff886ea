"""Two students' length-controlled win rates: the difference, with refits for its error."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from seedbed.errors import ConfigError
from seedbed.evaluate.alpaca_eval.gamed import GamedRows
from seedbed.evaluate.alpaca_eval.length_control import (
    Judged,
    choose_C,
    is_baseline,
    lc_win_rate,
)
from seedbed.evaluate.alpaca_eval.scoring import WIN_RATE
from seedbed.evaluate.measurement import Item, Result
from seedbed.evaluate.statistics import Difference

DRAWS = 500
"""Bootstrap draws, and swaps of the permutation test: each takes two fits."""


def compare_lc(
    first: Result, second: Result, gamed: GamedRows, *, draws: int = DRAWS, seed: int = 0
) -> Difference:
    """The difference of two LC win rates in points, on the instructions judged for both.

    The interval is of refits of both on the same instructions, drawn with replacement; p is of
    swapping the two students' judged outputs, instruction by instruction, and refitting.

    Raises:
        ConfigError: the results share too few instructions to be fitted.
    """
    theirs = {item.id: item for item in second.items if _can_be_fitted(item)}
    pairs = [
        (item, theirs[item.id])
        for item in first.items
        if _can_be_fitted(item) and item.id in theirs
    ]
    if len(pairs) < 10:
        raise ConfigError(
            f"alpaca_eval: {first.student} and {second.student} share {len(pairs)} judged "
            "instructions; the LC win rate needs 10 or more"
        )
    one, other = (_judged([pair[side] for pair in pairs]) for side in (0, 1))
    penalties = tuple(1.0 if is_baseline(rows) else choose_C(rows, gamed) for rows in (one, other))

    def gap(left: Judged, right: Judged) -> float:
        return lc_win_rate(left, gamed, C=penalties[0]) - lc_win_rate(right, gamed, C=penalties[1])

    rng = np.random.default_rng(seed)
    count = len(pairs)
    own = gap(one, other)
    drawn = np.array(
        [gap(one.at(rows), other.at(rows)) for rows in rng.integers(count, size=(draws, count))]
    )
    swapped = [
        abs(gap(_mixed(one, other, flips), _mixed(other, one, flips)))
        for flips in rng.integers(0, 2, size=(draws, count)).astype(bool)
    ]
    extreme = sum(value >= abs(own) - 1e-9 for value in swapped)
    low, high = np.quantile(drawn, (0.025, 0.975))
    return Difference(
        value=own,
        low=float(low),
        high=float(high),
        standard_error=float(drawn.std(ddof=1)),
        p=(extreme + 1) / (draws + 1),
        test="swap permutation with refits",
        n=count,
        groups=count,
    )


def _can_be_fitted(item: Item) -> bool:
    return WIN_RATE in item.scores and item.facts.keys() >= {"baseline_chars", "difficulty"}


def _judged(items: list[Item]) -> Judged:
    return Judged(
        np.array([item.scores[WIN_RATE] / 100 for item in items]),
        np.array([item.facts["baseline_chars"] - item.chars for item in items]),
        np.array([item.facts["difficulty"] for item in items]),
    )


def _mixed(one: Judged, other: Judged, flips: NDArray[np.bool_]) -> Judged:
    """The first one's rows, with those of the other where flipped."""
    return Judged(
        np.where(flips, other.share, one.share),
        np.where(flips, other.delta, one.delta),
        one.difficulty,
    )
