"""Which skills meet: uniform, distinct as long as they last, and the same for every length."""

from __future__ import annotations

from collections import Counter
from itertools import combinations, islice
from math import comb

import pytest

from seedbed.errors import ConfigError
from seedbed.recipes.skillmix.mixes import Mix, deal
from seedbed.recipes.skillmix.skillset import alike
from seedbed.records import QueryType

TYPES = tuple(QueryType(name=name) for name in ("asking", "planning", "comparing", "checking"))


def named(count: int) -> list[str]:
    return [f"skill{number:04}" for number in range(count)]


def dealt(count: int, *, skills: list[str], k: int = 2, seed: int = 0) -> list[Mix]:
    return list(islice(deal(skills, TYPES, k=k, seed=seed), count))


@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize("size", [7, 1132])
def test_tuples_are_distinct_as_long_as_they_last(k: int, size: int) -> None:
    count = min(comb(size, k), 3000)
    mixes = dealt(count, skills=named(size), k=k)
    assert len({frozenset(mix.skills) for mix in mixes}) == count
    assert {len(set(mix.skills)) for mix in mixes} == {k}


def test_every_tuple_comes_once_before_any_comes_again() -> None:
    skills = named(40)
    laps = comb(40, 3)
    sets = [frozenset(mix.skills) for mix in dealt(2 * laps, skills=skills, k=3)]
    everything = set(map(frozenset, combinations(skills, 3)))
    assert set(sets[:laps]) == set(sets[laps:]) == everything
    assert sets[:laps] != sets[laps:]


@pytest.mark.parametrize("k", [1, 2, 3, 10])
def test_each_skill_comes_about_equally_often(k: int) -> None:
    """Chi-square over the skills: its mean is n - 1 or a little less, its deviation √2n."""
    size, count = 1132, 4000
    uses = Counter(name for mix in dealt(count, skills=named(size), k=k) for name in mix.skills)
    expected = count * k / size
    chi = sum((uses[name] - expected) ** 2 / expected for name in named(size))
    assert chi < size + 4 * (2 * size) ** 0.5


def test_pairs_and_their_orders_are_uniform() -> None:
    """Over 400 seeds the first pair of six skills: 30 ordered pairs, chi-square with 29 degrees."""
    firsts = Counter(dealt(1, skills=named(6), seed=seed)[0].skills for seed in range(400))
    expected = 400 / 30
    chi = sum(
        (firsts[pair] - expected) ** 2 / expected
        for one, two in combinations(named(6), 2)
        for pair in ((one, two), (two, one))
    )
    assert chi < 29 + 4 * 58**0.5


def test_query_types_are_balanced_within_one_at_every_length() -> None:
    seen: Counter[str] = Counter()
    for mix in dealt(403, skills=named(50)):
        seen[mix.query_type.name] += 1
        counts = [seen[kind.name] for kind in TYPES]
        assert max(counts) - min(counts) <= 1


def test_query_types_do_not_come_in_a_fixed_order() -> None:
    kinds = [mix.query_type.name for mix in dealt(40, skills=named(50))]
    assert len({tuple(kinds[start : start + 4]) for start in range(0, 40, 4)}) > 3


@pytest.mark.parametrize("size", [5, 1132])
def test_a_longer_run_begins_with_the_mixes_of_a_shorter_one(size: int) -> None:
    skills = named(size)
    assert dealt(300, skills=skills)[:80] == dealt(80, skills=skills)


def test_the_seed_decides() -> None:
    assert dealt(50, skills=named(100), seed=1) == dealt(50, skills=named(100), seed=1)
    assert dealt(50, skills=named(100), seed=1) != dealt(50, skills=named(100), seed=2)


@pytest.mark.parametrize("k", [1, 2])
def test_the_same_question_never_has_the_same_repeat_twice(k: int) -> None:
    mixes = dealt(500, skills=named(4), k=k)
    questions = [(mix.skills, mix.query_type.name, mix.repeat) for mix in mixes]
    assert len(set(questions)) == 500
    assert max(mix.repeat for mix in mixes) > 0
    assert [mix.number for mix in mixes] == list(range(500))


def test_near_duplicates_never_meet_unless_that_is_allowed() -> None:
    skills = ["data_analysis", "data_analysis_methods", "cooking", "music_theory"]
    mixes = dealt(60, skills=skills)
    assert not any(alike(*mix.skills) for mix in mixes)
    assert len({frozenset(mix.skills) for mix in mixes}) == 5
    every = islice(deal(skills, TYPES, k=2, seed=0, avoid_alike=False), 60)
    assert len({frozenset(mix.skills) for mix in every}) == 6


@pytest.mark.parametrize(
    ("skills", "kinds", "k", "message"),
    [
        (["a"], TYPES, 2, "k = 2 needs at least 2 skills, but the pool has 1"),
        ([], TYPES, 1, "needs at least 1"),
        (["a", "b"], (), 2, "no query types"),
        (["data_analysis", "data_analysis_skills"], TYPES, 2, "no 2 of the 2 skills may meet"),
    ],
)
def test_a_pool_without_a_mix_is_an_error(
    skills: list[str], kinds: tuple[QueryType, ...], k: int, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        next(deal(skills, kinds, k=k, seed=0))


def test_a_large_pool_without_a_mix_ends_too() -> None:
    """Eight families of five spellings each: no nine may meet, among 273 million nines."""
    crafts = [
        "cooking",
        "sewing",
        "painting",
        "sailing",
        "welding",
        "diving",
        "acting",
        "coding",
    ]
    fillers = ("skills", "methods", "techniques", "training", "practice")
    skills = [f"{craft}_{filler}" for craft in crafts for filler in fillers]
    with pytest.raises(ConfigError, match="no 9 of the 40 skills may meet"):
        next(deal(skills, TYPES, k=9, seed=0))
