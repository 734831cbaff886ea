"""Means over seeds and differences, held against what Student's t says."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from scipy.stats import ttest_rel

from seedbed.ablate.arms import Arm
from seedbed.ablate.table import Row, compared
from seedbed.ablate.working import Cell
from seedbed.evaluate.measurement import Item, Measurement, Result


def cell(arm: str, seed: int, right: Sequence[bool]) -> Cell:
    scores = [100.0 * one for one in right]
    items = tuple(
        Item(id=str(place), scores={"accuracy": score}, chars=1)
        for place, score in enumerate(scores)
    )
    measurement = Measurement(
        benchmark="practice",
        metric="accuracy",
        value=sum(scores) / len(scores),
        n=len(scores),
        expected_n=len(scores),
        student=arm,
    )
    return Cell(
        group="own",
        match="examples",
        arm=Arm(name=arm, set={}),
        seed=seed,
        examples=10,
        calls=20.0,
        dollars=0.0,
        result=Result(measurements=(measurement,), items=items),
    )


def answers(right: int, of: int = 20) -> list[bool]:
    return [place < right for place in range(of)]


def rows(cells: Sequence[Cell]) -> tuple[Row, ...]:
    (found,) = compared(cells)
    return found.rows


def test_the_difference_is_student_s_t_over_seeds_that_are_paired() -> None:
    first, second = [10, 12, 9], [14, 15, 14]
    cells = [cell("a", seed, answers(n)) for seed, n in enumerate(first)]
    cells += [cell("b", seed, answers(n)) for seed, n in enumerate(second)]
    base, other = rows(cells)
    truth = ttest_rel([5.0 * n for n in second], [5.0 * n for n in first])
    span = truth.confidence_interval(0.95)
    assert base.value == pytest.approx(100 * 31 / 60)
    assert other.difference == pytest.approx(20.0)
    assert (other.low, other.high) == pytest.approx((span.low, span.high))
    assert other.p == pytest.approx(truth.pvalue)
    assert other.verdict == "better"
    assert base.difference is None


def test_p_is_adjusted_for_the_number_of_arms() -> None:
    results = {"a": [10, 12, 9], "b": [14, 15, 14], "c": [11, 12, 12]}
    cells = [
        cell(arm, seed, answers(n))
        for arm, values in results.items()
        for seed, n in enumerate(values)
    ]
    alone = rows([one for one in cells if one.arm.name != "c"])[1]
    _, among, undecided = rows(cells)
    assert alone.p is not None
    assert among.p == pytest.approx(2 * alone.p)
    assert undecided.verdict == "the data cannot tell"


def test_one_seed_is_compared_over_its_items() -> None:
    cells = [cell("a", 0, answers(4)), cell("b", 0, answers(18))]
    _, other = rows(cells)
    assert other.difference == pytest.approx(70.0)
    assert other.low is not None
    assert other.low > 40
    assert other.verdict == "better"


def test_seeds_that_agree_to_the_digit_make_no_division_by_zero() -> None:
    cells = [cell(arm, seed, answers(7)) for arm in "ab" for seed in (0, 1)]
    _, other = rows(cells)
    assert (other.difference, other.p) == (0.0, 1.0)
