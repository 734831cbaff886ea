"""Which skills meet in which example: uniform k-subsets, dealt from the seed alone.

The paper draws each tuple independently, which repeats pairs and, with a small pool, pairs a skill
with its double (methods: 2 repeated pairs in the 1,000 released). Here a tuple comes again only
when all have come, and near-duplicate skills never meet. Both can be switched off.

A longer run begins with the mixes of a shorter one, so that asking for more pays only for more.
"""

from __future__ import annotations

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

_ENUMERATED = 200_000
"""Up to so many subsets are listed and shuffled; more are drawn, and drawn again on a repeat."""

_TRIES = 10_000
"""Draws in vain after which a large pool counts as used up."""


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
    for number, query_type in enumerate(_balanced(query_types, seed)):
        mixed = next(tuples)
        question = (mixed, query_type.name)
        yield Mix(number=number, skills=mixed, query_type=query_type, repeat=seen[question])
        seen[question] += 1


def _balanced(query_types: Sequence[QueryType], seed: int) -> Iterator[QueryType]:
    """Every type once per block, each block in an order of its own."""
    for block in count():
        yield from rng("query types", seed, block).sample(query_types, len(query_types))


def _tuples(
    skills: Sequence[str], k: int, seed: int, avoid_alike: bool
) -> Iterator[tuple[str, ...]]:
    listed = comb(len(skills), k) <= _ENUMERATED
    for lap in count():
        random = rng("mixes", seed, k, lap)
        found = 0
        for mixed in _shuffled(skills, k, random) if listed else _drawn(skills, k, random):
            if avoid_alike and any(alike(*pair) for pair in combinations(mixed, 2)):
                continue
            found += 1
            yield tuple(random.sample(mixed, k))
        if not found:
            raise ConfigError(
                f"no {k} of the {len(skills)} skills may meet: their names are all alike",
                hint="Name the skills apart, or set avoid_alike = false under [skillmix].",
            )


def _shuffled(skills: Sequence[str], k: int, random: Random) -> list[tuple[str, ...]]:
    subsets = list(combinations(skills, k))
    random.shuffle(subsets)
    return subsets


def _drawn(skills: Sequence[str], k: int, random: Random) -> Iterator[tuple[str, ...]]:
    seen: set[frozenset[str]] = set()
    in_vain = 0
    while in_vain < _TRIES:
        mixed = tuple(random.sample(skills, k))
        if frozenset(mixed) in seen:
            in_vain += 1
            continue
        in_vain = 0
        seen.add(frozenset(mixed))
        yield mixed
