"""A sample depends on what a dataset holds, and on nothing else."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.datasets import sample
from seedbed.records import Example, Instruction

RECORDS = [Instruction(text=f"Instruction {number}") for number in range(200)]


@given(st.permutations(RECORDS[:30]), st.integers(0, 40))
def test_the_order_of_the_records_does_not_matter(order: list[Instruction], count: int) -> None:
    assert sample(order, count, seed=1) == sample(RECORDS[:30], count, seed=1)


@pytest.mark.parametrize(("count", "expected"), [(0, 0), (1, 1), (200, 200), (999, 200)])
def test_it_has_the_size_asked_for_or_all_there_is(count: int, expected: int) -> None:
    found = sample(RECORDS, count, seed=0)
    assert len(found) == len(set(found)) == expected


def test_a_larger_sample_only_adds() -> None:
    assert sample(RECORDS, 50, seed=0)[:20] == sample(RECORDS, 20, seed=0)


def test_another_seed_gives_another_sample() -> None:
    assert sample(RECORDS, 20, seed=0) != sample(RECORDS, 20, seed=1)


def test_it_is_in_random_order() -> None:
    assert sample(RECORDS, 200, seed=0) != RECORDS


def test_equal_records_count_once() -> None:
    assert sample([RECORDS[0]] * 50 + RECORDS[1:3], 3, seed=0) == sample(RECORDS[:3], 3, seed=0)


def test_every_record_is_as_likely() -> None:
    records = RECORDS[:10]
    counts = Counter(
        record.text for seed in range(1000) for record in sample(records, 3, seed=seed)
    )
    # Each count is binomial with mean 300 and standard deviation 14.5; the seeds are fixed.
    assert all(240 < counts[record.text] < 360 for record in records)


def test_examples_that_differ_in_the_response_are_different() -> None:
    examples = [Example(instruction=RECORDS[0], response=str(number)) for number in range(5)]
    assert len(sample(examples, 9, seed=0)) == 5
