from __future__ import annotations

from math import cos, log, pi
from random import Random

import pytest

from seedbed.training.feedback.detrend import detrended


def correlation(left: list[float], right: list[float]) -> float:
    mean_left, mean_right = sum(left) / len(left), sum(right) / len(right)
    a = [value - mean_left for value in left]
    b = [value - mean_right for value in right]
    scale = (sum(x * x for x in a) * sum(y * y for y in b)) ** 0.5
    return float(sum(x * y for x, y in zip(a, b, strict=True)) / scale)


def confounded(seed: int) -> tuple[list[float], list[float], list[int], list[float]]:
    """Norms that fall with length and with a cosine learning rate, and what lies beneath."""
    rng = Random(seed)
    values, lengths, steps, truth = [], [], [], []
    for step in range(1, 201):
        rate = 0.5 * (1 + cos(pi * step / 200))
        for _ in range(8):
            length = float(max(1, int(rng.lognormvariate(4.6, 0.8))))
            worth = rng.gauss(0, 1)
            values.append(6 - 0.8 * log(length) + 5 * rate + 0.5 * worth)
            lengths.append(length)
            steps.append(step)
            truth.append(worth)
    return values, lengths, steps, truth


def test_length_and_phase_hide_what_an_example_is_worth_and_detrending_shows_it() -> None:
    values, lengths, steps, truth = confounded(1)
    logs = [log(length) for length in lengths]
    assert abs(correlation(values, logs)) > 0.3
    assert correlation(values, truth) < 0.4
    left = detrended(values, lengths=lengths, steps=steps, window=20)
    assert abs(correlation(left, logs)) < 0.01
    assert abs(correlation(left, [float(step) for step in steps])) < 0.01
    assert correlation(left, truth) > 0.98


def test_the_order_of_the_values_does_not_matter() -> None:
    values, lengths, steps, _ = confounded(2)
    order = list(range(len(values)))
    Random(0).shuffle(order)
    straight = detrended(values, lengths=lengths, steps=steps, window=10)
    mixed = detrended(
        [values[i] for i in order],
        lengths=[lengths[i] for i in order],
        steps=[steps[i] for i in order],
        window=10,
    )
    assert mixed == pytest.approx([straight[i] for i in order], abs=1e-9)


def test_each_window_is_fitted_by_itself() -> None:
    left = detrended(
        [1.0, 2.0, 3.0, 4.0, 90.0, 70.0, 50.0, 30.0],
        lengths=[5.0] * 8,
        steps=[1, 2, 3, 4, 5, 6, 7, 8],
        window=4,
    )
    assert left == pytest.approx([0.0] * 8, abs=1e-9)


def test_few_values_lose_their_mean_and_not_everything() -> None:
    assert detrended([], lengths=[], steps=[], window=3) == []
    assert detrended([7.0], lengths=[10.0], steps=[4], window=3) == [0.0]
    assert detrended([1.0, 5.0], lengths=[9.0, 3.0], steps=[1, 2], window=9) == [-2.0, 2.0]
    equal = detrended([1.0, 2.0, 6.0], lengths=[4.0] * 3, steps=[2] * 3, window=5)
    assert equal == pytest.approx([-2.0, -1.0, 3.0])


def test_lists_that_do_not_belong_together_are_refused() -> None:
    with pytest.raises(ValueError, match="2 values, 1 lengths"):
        detrended([1.0, 2.0], lengths=[3.0], steps=[1, 1], window=5)
    with pytest.raises(ValueError, match="window 0"):
        detrended([1.0], lengths=[3.0], steps=[1], window=0)
