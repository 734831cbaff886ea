from __future__ import annotations

from math import sqrt
from random import Random
from statistics import fmean, stdev

import pytest

from seedbed.evaluate.means import Means, interval, standard_error, wilson
from seedbed.evaluate.measurement import Item

_RANDOM = Random("values")
GAUSS = [_RANDOM.gauss(5, 2) for _ in range(200)]
MEANS = Means(benchmark="one", student="someone")


def _items(values: list[float], *, groups: int = 0) -> list[Item]:
    return [
        Item(id=str(n), scores={"m": value}, chars=1, group=str(n % groups) if groups else "")
        for n, value in enumerate(values)
    ]


def test_wilson_agrees_with_its_published_values() -> None:
    assert wilson(0, 10) == pytest.approx((0, 27.7533), abs=1e-3)
    assert wilson(5, 10) == pytest.approx((23.6593, 76.3407), abs=1e-3)
    assert all(wilson(0, n)[0] == 0.0 and wilson(n, n)[1] == 100.0 for n in range(1, 50))


def test_the_standard_error_of_single_items_is_the_usual_one() -> None:
    values = GAUSS[:50]
    usual = stdev(values) / sqrt(50)
    assert standard_error(values, [str(n) for n in range(50)]) == pytest.approx(usual)


def test_items_that_stand_together_count_as_one() -> None:
    """Each value twice: as two items of a group they say no more than once."""
    values = GAUSS[:40]
    names = [str(n) for n in range(40)]
    once = standard_error(values, names)
    assert standard_error(values * 2, names * 2) == pytest.approx(once)
    apart = standard_error(values * 2, [str(n) for n in range(80)])
    assert once is not None
    assert apart is not None
    assert apart < 0.75 * once


def test_the_bootstrap_interval_is_about_two_standard_errors_and_repeats() -> None:
    values = GAUSS
    groups = [str(n // 2) for n in range(200)]
    error = standard_error(values, groups)
    low, high = interval(values, groups)
    assert error is not None
    assert low is not None
    assert high is not None
    assert low == pytest.approx(fmean(values) - 1.96 * error, abs=0.15 * error + 0.05)
    assert high == pytest.approx(fmean(values) + 1.96 * error, abs=0.15 * error + 0.05)
    assert interval(values, groups) == (low, high)


def test_items_without_the_score_are_expected_and_not_counted() -> None:
    items = [*_items([0.0, 100.0, 100.0]), Item(id="none", scores={}, chars=0)]
    found = MEANS(items, "m")
    assert found is not None
    assert found.value == pytest.approx(200 / 3)
    assert (found.n, found.expected_n) == (3, 4)
    assert MEANS([Item(id="none", scores={}, chars=0)], "m") is None


def test_shares_of_nothing_are_no_surer_than_their_groups() -> None:
    """Twenty groups of two, all wrong, are like twenty items, all wrong."""
    groups = [str(n // 2) for n in range(40)]
    assert interval([0.0] * 40, groups) == wilson(0, 20)
    assert interval([100.0] * 40, groups) == wilson(20, 20)


def test_one_group_has_no_interval() -> None:
    found = MEANS(_items([1.0, 2.0, 3.0], groups=1), "m")
    assert found is not None
    assert (found.low, found.high, found.standard_error) == (None, None, None)
