"""The length-controlled win rate of AlpacaEval 2, by instruction and not by row.

One logistic regression per student, without an intercept:

    logit P(student preferred) = w_length · tanh(Δ / sd(Δ)) + w_difficulty · d + w_bias

where Δ is the baseline's length less the student's, in characters, and d the instruction's fixed
difficulty. Two sets of gamed rows (the baseline asked to be concise and to be verbose, judged
against itself) are fitted along at a weight of 0.1 each, with no bias: so length and difficulty
are tied to how this judge treats the baseline's own lengths, and only the bias is the student's.
The LC win rate is the mean of what the regression says at equal length (Δ = 0).

Source: Dubois et al. 2024, "Length-Controlled AlpacaEval" (arXiv 2404.04475), and the behaviour of
alpaca_eval 0.6.6: L1 penalty, liblinear, C out of 10 by 5 folds. liblinear ends early (its
tolerance is 1e-4), so the published digits need its very path: the rows in this order, each twice
(once as a win with the preference's weight, once as a loss with the rest), and this seed.

The `lc_standard_error` of the leaderboard is the spread of what the regression says over the
instructions. It is no sampling error, and is 1.8 to 5.6 times too small: see `bootstrap`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from seedbed.evaluate.alpaca_eval.gamed import GamedRows, gamed_rows
from seedbed.evaluate.alpaca_eval.win_rate import Floats, shares, standard_error, win_rate

GRID = tuple(float(value) for value in np.logspace(-4, 4, 10))
"""The inverse strengths of the penalty that cross-validation chooses from."""

FOLDS = 5
_SEED = 123
_GAMED_WEIGHT = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class LengthControlled:
    """Win rates in percent, under the leaderboard's names.

    `lc_standard_error` is the official one, for comparison only. `weights` are those of length,
    difficulty and bias; `C` is the inverse strength of the penalty. `n` preferences could be read
    of `expected_n`; the others are not fitted, and are predicted like the rest, as officially.
    """

    win_rate: float
    standard_error: float
    discrete_win_rate: float
    length_controlled_winrate: float
    lc_standard_error: float
    weights: tuple[float, float, float]
    C: float
    n: int
    expected_n: int


@dataclass(frozen=True, slots=True)
class Judged:
    """One student's judged instructions: `share` in [0, 1] or NaN, and Δ in characters."""

    share: Floats
    delta: Floats
    difficulty: Floats

    def at(self, rows: Any) -> Judged:
        """These rows, in this order, repeated ones too."""
        return Judged(self.share[rows], self.delta[rows], self.difficulty[rows])


def length_controlled(
    preference: Any,
    model_chars: Any,
    baseline_chars: Any,
    difficulty: Any,
    gamed: Any,
    *,
    C: float | None = None,
) -> LengthControlled:
    """Win rates of one student, one entry per instruction in all four arrays.

    Args:
        preference: 1 (the baseline's output is better) to 2 (the student's); NaN where the judge's
            answer could not be read.
        model_chars: characters of the student's outputs.
        baseline_chars: characters of the baseline's outputs.
        difficulty: the instructions' fixed difficulties, joined by instruction, not by row.
        gamed: the gamed rows: see `gamed_rows`.
        C: the inverse strength of the penalty; chosen from `GRID` by cross-validation unless
            given, which moves the result by up to 0.15 points.

    Raises:
        ValueError: arrays of different lengths, or numbers out of range.
    """
    judged = judged_rows(preference, model_chars, baseline_chars, difficulty)
    baseline = gamed_rows(gamed)
    raw = win_rate(preference)
    if is_baseline(judged):
        chosen, weights = C or GRID[-1], (0.0, 0.0, 0.0)
    else:
        chosen = choose_C(judged, baseline) if C is None else C
        weights = fit(judged, baseline, C=chosen)
    predicted = _predicted(weights, judged.difficulty)
    return LengthControlled(
        win_rate=raw.win_rate,
        standard_error=raw.standard_error,
        discrete_win_rate=raw.discrete_win_rate,
        length_controlled_winrate=100 * float(predicted.mean()),
        lc_standard_error=100 * standard_error(predicted),
        weights=weights,
        C=chosen,
        n=raw.n,
        expected_n=raw.expected_n,
    )


def judged_rows(preference: Any, model_chars: Any, baseline_chars: Any, difficulty: Any) -> Judged:
    """Checked arrays of one student.

    Raises:
        ValueError: as `length_controlled`.
    """
    share = shares(preference)
    model, baseline, difficulties = (
        np.asarray(values, dtype=np.float64) for values in (model_chars, baseline_chars, difficulty)
    )
    for name, values in (
        ("model_chars", model),
        ("baseline_chars", baseline),
        ("difficulty", difficulties),
    ):
        if values.shape != share.shape:
            raise ValueError(f"{name}: shape {values.shape}, but preference has {share.shape}")
        if not np.isfinite(values).all():
            raise ValueError(f"{name}: expected finite numbers")
    return Judged(share, baseline - model, difficulties)


def is_baseline(judged: Judged) -> bool:
    """Whether the student gave the baseline's own outputs, so that there is nothing to fit."""
    return bool((judged.share == 0.5).all() and (judged.delta == 0).all())


def fit(judged: Judged, gamed: GamedRows, *, C: float) -> tuple[float, float, float]:
    """The weights of length, difficulty and bias."""
    features, target, weight = _training(judged, gamed)
    return _liblinear(features, target, weight, C)


def choose_C(judged: Judged, gamed: GamedRows) -> float:
    """The entry of `GRID` with the best weighted log-loss over `FOLDS` folds.

    Each judgment is in one fold, with both of its copies. The folds are scikit-learn's
    `GroupKFold` of as many groups of equal size as there are judgments, which the official code
    uses.
    """
    from sklearn.model_selection import GroupKFold

    features, target, weight = _training(judged, gamed)
    rows = np.arange(len(target))
    copies = np.concatenate([rows, rows])
    losses = np.zeros(len(GRID))
    for learned, held_out in GroupKFold(FOLDS).split(copies, groups=copies):
        wins, losts = (learned[learned < len(rows)], learned[learned >= len(rows)] - len(rows))
        tested = held_out[held_out < len(rows)]
        for place, penalty in enumerate(GRID):
            found = _fit_copies(features, target, weight, wins, losts, penalty)
            chance = _sigmoid(features[tested] @ np.asarray(found)).clip(1e-15, 1 - 1e-15)
            loss = -target[tested] * np.log(chance) - (1 - target[tested]) * np.log1p(-chance)
            losses[place] += float((loss * weight[tested]).mean())
    return GRID[int(losses.argmin())]


def from_weights(
    weights: tuple[float, float, float],
    difficulty: Any,
    *,
    against: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> float:
    """The LC win rate in percent that weights imply, against the baseline or another student's."""
    return 100 * float(_predicted(tuple(np.subtract(weights, against)), difficulty).mean())


def lc_win_rate(judged: Judged, gamed: GamedRows, *, C: float) -> float:
    """The LC win rate in percent of a new fit."""
    if is_baseline(judged):
        return 50.0
    return from_weights(fit(judged, gamed, C=C), judged.difficulty)


def bootstrap(
    judged: Judged, gamed: GamedRows, *, C: float, draws: int = 1000, seed: int = 0
) -> Floats:
    """LC win rates of refits on instructions drawn with replacement; their sd is the real error.

    The penalty and the gamed rows stay; lengths are scaled anew in each draw.
    """
    rng = np.random.default_rng(seed)
    count = len(judged.share)
    picks = (rng.integers(count, size=count) for _ in range(draws))
    return np.array([lc_win_rate(judged.at(rows), gamed, C=C) for rows in picks])


def _training(judged: Judged, gamed: GamedRows) -> tuple[Floats, Floats, Floats]:
    """Features (rows, 3), targets and weights: the gamed rows first, then what could be read."""
    spread = judged.delta.std(ddof=1) if len(judged.delta) > 1 else 0.0
    scaled = judged.delta / spread if spread > 0 else np.zeros_like(judged.delta)
    read = ~np.isnan(judged.share)
    own = np.column_stack([np.tanh(scaled), judged.difficulty, np.ones_like(scaled)])[read]
    theirs = np.column_stack([np.tanh(gamed.delta), gamed.difficulty, np.zeros_like(gamed.delta)])
    return (
        np.vstack([theirs, own]),
        np.concatenate([gamed.share, judged.share[read]]),
        np.concatenate([np.full(len(theirs), _GAMED_WEIGHT), np.ones(len(own))]),
    )


def _liblinear(
    features: Floats, target: Floats, weight: Floats, penalty: float
) -> tuple[float, float, float]:
    rows = np.arange(len(target))
    return _fit_copies(features, target, weight, rows, rows, penalty)


def _fit_copies(
    features: Floats, target: Floats, weight: Floats, wins: Any, losses: Any, penalty: float
) -> tuple[float, float, float]:
    """Fit rows as wins with the weight of their target, and rows as losses with the rest of it."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(
        l1_ratio=1, solver="liblinear", C=penalty, fit_intercept=False, random_state=_SEED
    )
    model.fit(
        np.vstack([features[wins], features[losses]]),
        np.concatenate([np.ones(len(wins), int), np.zeros(len(losses), int)]),
        sample_weight=np.concatenate(
            [target[wins] * weight[wins], (1 - target[losses]) * weight[losses]]
        ),
    )
    length, difficulty, bias = (float(value) for value in model.coef_[0])
    return length, difficulty, bias


def _predicted(weights: tuple[float, float, float], difficulty: Any) -> Floats:
    """The chance that the student is preferred at equal length, for each instruction."""
    return _sigmoid(weights[1] * np.asarray(difficulty, dtype=np.float64) + weights[2])


def _sigmoid(values: Floats) -> Floats:
    return np.exp(-np.logaddexp(0, -values))
