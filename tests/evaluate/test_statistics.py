"""Differences, intervals and p-values: against published numbers, exact counts, and simulation."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from math import sqrt

import numpy as np
import pytest
from tests.evaluate.shared_data import judged, needs_data

from seedbed.evaluate.statistics import (
    bootstrap_interval,
    flip_p,
    holm,
    paired_difference,
    sign_p,
    verdict,
)


def published(model: str) -> dict[str, float]:
    columns = judged()[model]
    return {
        f"{index:.0f}": 100 * (preference - 1)
        for index, preference in zip(
            columns["instruction_index"], columns["preference"], strict=True
        )
    }


@needs_data
@pytest.mark.parametrize(
    ("first", "second", "value", "error", "p"),
    [("claude-2", "claude-2.1", 1.455, 0.914, 0.113), ("claude", "claude-2", -0.203, 0.748, 0.786)],
)
def test_public_annotations_give_the_differences_of_our_notes(
    first: str, second: str, value: float, error: float, p: float
) -> None:
    """Section 5.4: paired errors, and p of a permutation test with 20,000 draws."""
    found = paired_difference(published(first), published(second))
    assert found.value == pytest.approx(value, abs=5e-4)
    assert found.standard_error == pytest.approx(error, abs=5e-4)
    assert found.p == pytest.approx(p, abs=0.01)
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0 < found.high
    assert found.high - found.low == pytest.approx(2 * 1.96 * error, rel=0.05)
    assert (found.n, found.groups, found.test) == (805, 805, "sign-flip permutation")


def scores(values: list[float]) -> dict[str, float]:
    return {f"q{number}": value for number, value in enumerate(values)}


def test_only_items_of_both_are_paired() -> None:
    first = scores([10, 20, 30, 40]) | {"only here": 1000.0}
    second = scores([0, 20, 20, 0])
    found = paired_difference(first, second)
    assert (found.value, found.n) == (15.0, 4)
    with pytest.raises(ValueError, match="no item has a score of both"):
        paired_difference({"a": 1.0}, {"b": 1.0})


def test_one_group_has_a_difference_and_no_more() -> None:
    found = paired_difference({"a": 3.0}, {"a": 1.0})
    assert (found.value, found.low, found.high, found.standard_error) == (2.0, None, None, None)
    assert found.p == 1.0


def test_a_small_permutation_test_is_exact() -> None:
    differences = [3.0, 1.0, 2.0, -0.5, 4.0, 2.5]
    own = abs(sum(differences))
    patterns = list(product((-1, 1), repeat=6))
    extreme = sum(
        abs(sum(s * d for s, d in zip(signs, differences, strict=True))) >= own - 1e-12
        for signs in patterns
    )
    assert flip_p(np.array(differences)) == extreme / 64 == 4 / 64


def test_a_random_permutation_test_comes_close_to_the_exact_one_and_is_never_zero() -> None:
    rng = np.random.default_rng(5)
    differences = rng.normal(0.3, 1.0, 14)
    exact = flip_p(differences)
    assert flip_p(differences, flips=10_000) == pytest.approx(exact, abs=0.01)
    assert flip_p(np.ones(60), flips=999) == 1 / 1000


def test_no_difference_is_found_where_there_is_none() -> None:
    """At the 5 % level about 5 % of comparisons of equals come out: here 12 of 300 ± 3 sd."""
    rng = np.random.default_rng(1)
    found = [flip_p(rng.normal(size=40), flips=999, seed=n) < 0.05 for n in range(300)]
    assert 4 <= sum(found) <= 27


def test_items_that_belong_together_count_as_one() -> None:
    """Two turns that always agree are no more evidence than one."""
    rng = np.random.default_rng(2)
    single = rng.normal(0.2, 1.0, 50)
    first = {f"q{n} turn {turn}": 5 + value for n, value in enumerate(single) for turn in (1, 2)}
    second = dict.fromkeys(first, 5.0)
    groups = {name: name.split()[0] for name in first}
    grouped = paired_difference(first, second, groups=groups)
    loose = paired_difference(first, second)
    once = paired_difference(scores(list(single)), scores([0.0] * 50))
    assert (grouped.groups, grouped.n, loose.groups) == (50, 100, 100)
    assert grouped.value == pytest.approx(loose.value) == pytest.approx(once.value)
    assert grouped.standard_error == pytest.approx(once.standard_error)
    assert grouped.p == pytest.approx(once.p)
    assert grouped.standard_error is not None
    assert loose.standard_error == pytest.approx(grouped.standard_error / sqrt(2), rel=0.02)
    assert (grouped.low, grouped.high) == pytest.approx((once.low, once.high))


@pytest.mark.parametrize(
    ("wins", "losses", "p"),
    [(0, 0, 1.0), (5, 5, 1.0), (10, 0, 2 / 1024), (8, 2, 2 * (1 + 10 + 45) / 1024), (3, 2, 1.0)],
)
def test_the_sign_test_counts_coin_throws(wins: int, losses: int, p: float) -> None:
    assert sign_p(wins, losses) == pytest.approx(p)
    assert sign_p(losses, wins) == pytest.approx(p)


def test_accuracies_are_tested_exactly() -> None:
    first = scores([100.0] * 12 + [0.0] * 8)
    second = scores([100.0] * 2 + [0.0] * 17 + [100.0])
    found = paired_difference(first, second)
    assert found.test == "exact sign (McNemar)"
    assert found.p == pytest.approx(sign_p(10, 1))
    assert found.value == 45


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_intervals_hold_the_truth_about_as_often_as_they_say(method: str) -> None:
    """Skewed scores, 30 items: 400 intervals, of which 95 % should hold the mean of 1."""
    rng = np.random.default_rng(3)
    held = 0
    for number in range(400):
        values = rng.exponential(size=30)
        low, high = bootstrap_interval(
            values,
            np.ones(30),
            method="bca" if method == "bca" else "percentile",
            draws=400,
            seed=number,
        )
        held += low <= 1 <= high
    assert 0.88 * 400 <= held <= 0.98 * 400


def test_intervals_are_seeded() -> None:
    values, ones = np.random.default_rng(4).normal(size=60), np.ones(60)
    assert bootstrap_interval(values, ones, seed=1) == bootstrap_interval(values, ones, seed=1)
    assert bootstrap_interval(values, ones, seed=1) != bootstrap_interval(values, ones, seed=2)
    assert bootstrap_interval(ones, ones) == (1, 1)


def test_holm_adjusts_the_smallest_most() -> None:
    assert holm([0.01, 0.04, 0.03, 0.5]) == pytest.approx([0.04, 0.09, 0.09, 0.5])
    assert holm([0.4, 0.9]) == pytest.approx([0.8, 0.9])
    assert holm([]) == []


def test_a_verdict_says_who_is_higher_or_that_nobody_knows() -> None:
    found = paired_difference(scores([5, 6, 4, 7, 5, 6] * 4), scores([1, 2, 1, 3, 0, 2] * 4))
    sentence = verdict(found, first="A", second="B", adjusted=found.p)
    assert sentence.startswith("A is higher than B by 4.00 (95\u00a0%: +3.")
    turned = replace(found, value=-4.0, low=-4.5, high=-3.5)
    assert verdict(turned, first="A", second="B", adjusted=0.01) == (
        "B is higher than A by 4.00 (95\u00a0%: +3.50 to +4.50)."
    )
    unsure = verdict(found, first="A", second="B", adjusted=0.2)
    assert unsure.startswith("The data cannot tell A from B: the difference is +4.00")
    assert "With these 24 items it would have to be about" in unsure
    alone = paired_difference({"a": 3.0}, {"a": 1.0})
    assert verdict(alone, first="A", second="B", adjusted=1.0).endswith("is +2.00.")
