"""Win rates of preferences: 1 says the baseline's output is better, 2 the student's.

Source: AlpacaEval; its published leaderboard has these numbers for 223 models. A preference of 0
is a draw in old annotation files, and counts as 1.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class WinRate:
    """Percentages under the leaderboard's names.

    `win_rate` is the mean preference for the student, `standard_error` its standard error,
    `discrete_win_rate` what is won where every preference is rounded to a win, a loss or (at
    exactly 1.5) a draw, which counts as half a win. `n` judgments could be read of `expected_n`.
    """

    win_rate: float
    standard_error: float
    discrete_win_rate: float
    n_wins: int
    n_wins_base: int
    n_draws: int
    n: int
    expected_n: int


def shares(preference: Any) -> Floats:
    """Preferences in [1, 2] as the student's share in [0, 1]; NaN stays NaN.

    Raises:
        ValueError: a preference is neither within 1 and 2, nor 0, nor NaN; or there is none.
    """
    values = np.asarray(preference, dtype=np.float64)
    if values.ndim != 1 or not np.isfinite(values).any():
        raise ValueError(f"preference: expected one row of numbers, got shape {values.shape}")
    values = np.where(values == 0, 1.5, values)
    wrong = ~np.isnan(values) & ((values < 1) | (values > 2))
    if wrong.any():
        place = int(np.flatnonzero(wrong)[0])
        raise ValueError(f"preference[{place}] = {values[place]}: expected 1 (baseline) to 2")
    return values - 1


def win_rate(preference: Any) -> WinRate:
    """Win rates of preferences in [1, 2]; those that are NaN were not read and are left out.

    Raises:
        ValueError: as `shares`.
    """
    given = shares(preference)
    share = given[~np.isnan(given)]
    n, wins, losses = len(share), int((share > 0.5).sum()), int((share < 0.5).sum())
    return WinRate(
        win_rate=100 * float(share.mean()),
        standard_error=100 * standard_error(share),
        discrete_win_rate=100 * (wins + (n - wins - losses) / 2) / n,
        n_wins=wins,
        n_wins_base=losses,
        n_draws=n - wins - losses,
        n=n,
        expected_n=len(given),
    )


def standard_error(values: Floats) -> float:
    """Of a mean of independent values; 0 where there is only one."""
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0
