"""Which skills meet in which example: uniform k-subsets, dealt from the seed alone.

The paper draws each tuple independently, which repeats pairs and, with a small pool, pairs a skill
with its double (methods: 2 repeated pairs in the 1,000 released). Here a tuple comes again only
when all have come, and near-duplicate skills never meet (which `avoid_alike` can switch off).

A longer run begins with the mixes of a shorter one, so that asking for more pays only for more.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, count
from math import comb
from random import Random

from seedbed.errors import ConfigError
from seedbed.recipes.skillmix.skillset import alike
from seedbed.records import QueryType
from seedbed.streams import rng

_TRIES = 100_000
"""Subsets in a row with near-duplicates after which we take it that no other subset is left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """One example to be made. `repeat` says how often the same question has been dealt before."""

    number: int
    skills: tuple[str, ...]
    query_type: QueryType
    repeat: int = 0


def deal(
    skills: Sequence[str],
    query_types: Sequence[QueryType],
    *,
    k: int,
    seed: int,
    avoid_alike: bool = True,
) -> Iterator[Mix]:
    """Deal mixes without end.

    Raises:
        ConfigError: fewer than k skills, no query type, or no k skills that may meet.
    """
    if len(skills) < k:
        raise ConfigError(
            f"k = {k} needs at least {k} skills, but the pool has {len(skills)}",
            hint="Ask for more skills, or lower k.",
        )
    if not query_types:
        raise ConfigError("the pool has no query types", hint="Add some to skills.json.")
    tuples = _tuples(skills, k, seed, avoid_alike)
    seen: Counter[tuple[tuple[str, ...], str]] = Counter()
    for number, query_type in enumerate(balanced(query_types, seed)):
        mixed = next(tuples)
        question = (mixed, query_type.name)
        yield Mix(number=number, skills=mixed, query_type=query_type, repeat=seen[question])
        seen[question] += 1


def balanced(query_types: Sequence[QueryType], seed: int) -> Iterator[QueryType]:
    """Every type once per block, each block in an order of its own."""
    for block in count():
        yield from rng("query types", seed, block).sample(query_types, len(query_types))


def _tuples(
    skills: Sequence[str], k: int, seed: int, avoid_alike: bool
) -> Iterator[tuple[str, ...]]:
    for lap in count():
        random = rng("mixes", seed, k, lap)
        found = in_vain = 0
        for mixed in _subsets(skills, k, random):
            if avoid_alike and any(alike(*pair) for pair in combinations(mixed, 2)):
                in_vain += 1
                if in_vain >= _TRIES:
                    break
                continue
            found, in_vain = found + 1, 0
            yield tuple(random.sample(mixed, k))
        if not found:
            raise ConfigError(
                f"no {k} of the {len(skills)} skills may meet: their names are too much alike",
                hint="Name the skills apart, or set avoid_alike = false under [skillmix].",
            )


def _subsets(skills: Sequence[str], k: int, random: Random) -> Iterator[tuple[str, ...]]:
    """Every k-subset once, in random order: a shuffle that keeps only what it has moved."""
    moved: dict[int, int] = {}
    for last in range(comb(len(skills), k) - 1, -1, -1):
        place = random.randint(0, last)
        rank, moved[place] = moved.get(place, place), moved.get(last, last)
        moved.pop(last, None)
        yield tuple(skills[index] for index in _subset(rank, k, len(skills)))


def _subset(rank: int, k: int, total: int) -> Iterator[int]:
    """The k-subset of range(total) with this rank in the combinatorial number system."""
    for size in range(k, 0, -1):
        index = bisect_right(range(total), rank, key=lambda n: comb(n, size)) - 1
        rank -= comb(index, size)
        yield index
