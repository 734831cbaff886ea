"""What is attractive, who retires, and what a trend does to both."""

from __future__ import annotations

from collections.abc import Sequence
from math import log
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.errors import ConfigError
from seedbed.recipes.sedi.choosing import (
    Credit,
    Lesson,
    attractive,
    batch_values,
    detrended,
    instructions,
    places,
    taught,
)
from seedbed.recipes.sedi.params import Steering
from seedbed.recipes.self_instruct import Seed
from seedbed.records import BatchSignals, Example, Instruction, Origin


def example(text: str, parents: Sequence[str] = (), response: str = "done") -> Example:
    origin = Origin(recipe="sedi", parents=tuple(parents))
    return Example(instruction=Instruction(text=text, origin=origin), response=response)


def lesson(
    step: int, norm: float, examples: Sequence[Example], values: Sequence[float] = ()
) -> Lesson:
    each = tuple({"head_grad_norm": value} for value in values) or tuple({} for _ in examples)
    signals = BatchSignals(step=step, batch={"grad_norm": norm}, examples=each)
    return Lesson(examples=tuple(examples), signals=signals)


def window(*norms: float) -> list[Lesson]:
    return [lesson(n, norm, [example(f"task {n}")]) for n, norm in enumerate(norms, 1)]


def how(**settings: Any) -> Steering:
    return Steering(**({"attractive_batches": 2, "every": 4} | settings))


def test_the_highest_the_lowest_or_any() -> None:
    steps = window(3.0, 9.0, 1.0, 5.0)
    assert attractive(steps, how(), Random(0)) == [1, 3]
    assert attractive(steps, how(prefer="lowest"), Random(0)) == [2, 0]
    drawn = {tuple(attractive(steps, how(prefer="random"), Random(n))) for n in range(200)}
    assert len(drawn) == 12


def test_of_equal_batches_the_earlier_is_the_attractive_one() -> None:
    assert attractive(window(2.0, 2.0, 2.0), how(), Random(0)) == [0, 1]


def test_without_its_trend_the_batch_that_stands_out_is_the_attractive_one() -> None:
    """Norms fall as training goes on; batch 3 stands out, batch 0 is only early."""
    steps = window(10.0, 8.0, 6.0, 5.5, 2.0, 0.0)
    assert attractive(steps, how(attractive_batches=1), Random(0)) == [0]
    flat = how(attractive_batches=1, detrend="step", every=6)
    assert attractive(steps, flat, Random(0)) == [3]


def test_without_its_length_a_batch_of_short_responses_does_not_stand_out() -> None:
    lengths = (400, 100, 200, 50, 300, 250)
    norms = [1000.0 - 100 * log(length) + (30 if length == 300 else 0) for length in lengths]
    steps = [
        lesson(n, norm, [example(f"task {n}", response="x" * length)])
        for n, (norm, length) in enumerate(zip(norms, lengths, strict=True), 1)
    ]
    one = {"attractive_batches": 1, "every": 6}
    assert attractive(steps, how(**one), Random(0)) == [3]
    assert attractive(steps, how(**one, detrend="step_and_length"), Random(0)) == [4]


@given(
    values=st.lists(st.floats(-100, 100), min_size=3, max_size=12),
    slope=st.floats(-50, 50),
    start=st.floats(-50, 50),
)
def test_adding_a_trend_changes_nothing_that_is_left_of_it(
    values: list[float], slope: float, start: float
) -> None:
    steps = [float(n) for n in range(len(values))]
    moved = [value + start + slope * step for value, step in zip(values, steps, strict=True)]
    assert detrended(moved, [steps]) == pytest.approx(detrended(values, [steps]), abs=1e-6)
    assert detrended(values, []) == values


def test_detrending_can_do_without_length_where_all_lengths_are_the_same() -> None:
    steps = window(3.0, 9.0, 1.0, 5.0, 2.0, 2.5)
    with_length, without = how(every=6, detrend="step_and_length"), how(every=6, detrend="step")
    assert batch_values(steps, with_length) == pytest.approx(batch_values(steps, without), abs=1e-9)


def test_what_training_says_nothing_of_is_never_attractive() -> None:
    silent = Lesson(
        examples=(example("s"),), signals=BatchSignals(step=4, batch={}, examples=({},))
    )
    for prefer in ("highest", "lowest"):
        steps = [*window(3.0, 9.0), silent]
        order = attractive(steps, how(prefer=prefer, attractive_batches=3, every=3), Random(0))
        assert order[-1] == 2
    by_signal = how(example_signal="head_grad_norm")
    said = lesson(1, 1.0, [example("a"), example("b")], [-5.0, -6.0])
    shares = taught([said, silent], by_signal, Random(0))
    assert shares == [[1.0, 0.5], [0.0]]
    with pytest.raises(ConfigError, match="no training step"):
        attractive([silent], how(), Random(0))


def test_a_trend_needs_a_window_that_shows_it() -> None:
    with pytest.raises(ConfigError, match="from 4 batches"):
        how(detrend="step")


def test_instructions_of_a_batch_are_distinct_and_chosen_by_signal_or_at_random() -> None:
    twice = example("b", response="one"), example("b", response="two")
    steps = lesson(1, 1.0, [example("a"), *twice, example("c")], [1.0, 3.0, 4.0, 2.0])
    by_signal = how(example_signal="head_grad_norm", instructions_per_batch=2)
    assert [e.response for e in instructions(steps, by_signal, Random(0))] == ["two", "done"]
    lowest = how(example_signal="head_grad_norm", prefer="lowest", instructions_per_batch=1)
    assert [e.instruction.text for e in instructions(steps, lowest, Random(0))] == ["a"]
    drawn = {
        tuple(sorted(e.instruction.text for e in instructions(steps, how(), Random(n))))
        for n in range(50)
    }
    assert drawn == {("a", "b", "c")}


def test_credit_is_the_place_in_the_window() -> None:
    steps = [lesson(n, norm, [example("a"), example("b")]) for n, norm in ((1, 5.0), (2, 1.0))]
    assert taught(steps, how(), Random(0)) == [[1.0, 1.0], [0.0, 0.0]]
    each = [
        lesson(1, 0.0, [example("a"), example("b")], [4.0, 1.0]),
        lesson(2, 0.0, [example("c")], [3.0]),
    ]
    by_signal = how(example_signal="head_grad_norm")
    assert taught(each, by_signal, Random(0)) == [[1.0, 0.0], [0.5]]


@given(st.permutations(range(6)))
def test_places_are_shares_of_the_order(order: list[int]) -> None:
    found = places(order)
    assert sorted(found) == pytest.approx([n / 5 for n in range(6)])
    assert found[order[0]] == 1
    assert places([0]) == [1.0]


def seed(text: str) -> Seed:
    return Seed(instruction=Instruction(text=text))


def test_who_retires_has_offspring_that_taught_least_and_enough_stay() -> None:
    good, bad, new, none = (seed(name) for name in ("good", "bad", "new", "none"))
    good_id, bad_id, new_id = (one.instruction.id for one in (good, bad, new))
    steps = [
        lesson(1, 9.0, [example(f"g{n}", [good_id]) for n in range(3)]),
        lesson(2, 1.0, [example(f"b{n}", [bad_id, good_id]) for n in range(3)]),
        lesson(3, 0.0, [example("n", [new_id])]),
    ]
    credit = Credit()
    credit.add(steps, how(every=3), Random(0))
    assert credit.mean(good) == pytest.approx((3 * 1.0 + 3 * 0.5) / 6)
    assert credit.mean(bad) == pytest.approx(0.5)
    seeds = [none, good, bad, new]
    judging = {"least_offspring": 3, "least_seeds": 1}
    assert credit.worst(seeds, how(retire=1, **judging)) == [bad]
    assert credit.worst(seeds, how(**judging), come=1) == [bad]
    assert credit.worst(seeds, how(**judging)) == []
    assert credit.worst(seeds, how(retire=9, **judging)) == [bad, good]
    assert credit.worst(seeds, how(retire=9, least_offspring=1, least_seeds=3)) == [new]
    assert credit.worst(seeds, how(retire=9, least_offspring=1, least_seeds=4)) == []
