"""Means over seeds and differences, held against what Student's t says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from scipy.stats import ttest_rel

from seedbed.ablate.arms import Arm
from seedbed.ablate.measuring import LOSS
from seedbed.ablate.table import Row, compared
from seedbed.ablate.working import Cell
from seedbed.ablate.writing import markdown
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
    assert base.accuracy.value == pytest.approx(100 * 31 / 60)
    assert other.accuracy.difference == pytest.approx(20.0)
    assert (other.accuracy.low, other.accuracy.high) == pytest.approx((span.low, span.high))
    assert other.accuracy.p == pytest.approx(truth.pvalue)
    assert other.accuracy.verdict == "better"
    assert base.accuracy.difference is None


def test_p_is_adjusted_for_the_number_of_arms() -> None:
    results = {"a": [10, 12, 9], "b": [14, 15, 14], "c": [11, 12, 12]}
    cells = [
        cell(arm, seed, answers(n))
        for arm, values in results.items()
        for seed, n in enumerate(values)
    ]
    alone = rows([one for one in cells if one.arm.name != "c"])[1]
    _, among, undecided = rows(cells)
    assert alone.accuracy.p is not None
    assert among.accuracy.p == pytest.approx(2 * alone.accuracy.p)
    assert undecided.accuracy.verdict == "the data cannot tell"


def test_one_seed_is_compared_over_its_items() -> None:
    cells = [cell("a", 0, answers(4)), cell("b", 0, answers(18))]
    _, other = rows(cells)
    assert other.accuracy.difference == pytest.approx(70.0)
    assert other.accuracy.low is not None
    assert other.accuracy.low > 40
    assert other.accuracy.verdict == "better"


def test_seeds_that_agree_to_the_digit_make_no_division_by_zero() -> None:
    cells = [cell(arm, seed, answers(7)) for arm in "ab" for seed in (0, 1)]
    _, other = rows(cells)
    assert (other.accuracy.difference, other.accuracy.p) == (0.0, 1.0)


def test_of_a_loss_less_is_better_and_its_p_is_adjusted_apart() -> None:
    results = {"a": [1.0, 1.1, 0.9], "b": [0.5, 0.61, 0.41], "c": [1.5, 1.61, 1.41]}
    cells = []
    for arm, losses in results.items():
        for seed, loss in enumerate(losses):
            plain = cell(arm, seed, answers(7))
            first = plain.result.measurements[0]
            told = replace(first, metric=LOSS, value=loss)
            result = Result(measurements=(first, told), items=plain.result.items)
            cells.append(replace(plain, result=result))
    base, lower, higher = rows(cells)
    assert base.loss is not None
    assert lower.loss is not None
    assert higher.loss is not None
    assert (lower.loss.verdict, higher.loss.verdict) == ("better", "worse")
    assert lower.loss.difference == pytest.approx(-1.48 / 3)
    assert lower.accuracy.p == 1.0


def test_without_losses_there_is_no_row_of_them() -> None:
    cells = [cell(arm, seed, answers(7 + seed)) for arm in "ab" for seed in (0, 1)]
    assert [row.loss for row in rows(cells)] == [None, None]
    assert "loss |" not in markdown(compared(cells))
