"""Mixes drawn by shares, and mixes that look at every arm."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from random import Random

from seedbed.errors import ConfigError
from seedbed.recipes.skillmix.mixes import Mix, balanced
from seedbed.recipes.skillmix.skillset import SkillSet, alike
from seedbed.streams import rng

TRIES = 10_000
"""Draws of a skill that may not meet the others after which we take it that none may."""

FRESH = 20
"""Draws of a mix after which one that was dealt before is dealt again."""


class Mixes:
    """Deals mixes one after the other; each is a function of the seed, its number and the shares.

    Args:
        arms: of each skill.
        k, seed, avoid_alike: as in Instruct-SkillMix.

    Raises:
        ConfigError: fewer than k skills, or no query type.
    """

    def __init__(
        self, pool: SkillSet, arms: Mapping[str, str], *, k: int, seed: int, avoid_alike: bool
    ) -> None:
        if len(pool.skills) < k:
            raise ConfigError(
                f"k = {k} needs at least {k} skills, but the pool has {len(pool.skills)}",
                hint="Ask for more skills, or lower k.",
            )
        if not pool.query_types:
            raise ConfigError("the pool has no query types", hint="Add some to skills.json.")
        self._k, self._seed, self._avoid_alike = k, seed, avoid_alike
        self._skills: dict[str, list[str]] = {}
        for skill in pool.names:
            self._skills.setdefault(arms[skill], []).append(skill)
        self._types = balanced(pool.query_types, seed)
        self._number = 0
        self._questions: Counter[tuple[tuple[str, ...], str]] = Counter()
        self._met: set[frozenset[str]] = set()

    @property
    def arms(self) -> tuple[str, ...]:
        return tuple(self._skills)

    def deal(self, shares: Mapping[str, float]) -> Iterator[Mix]:
        """Mixes without end, each skill from an arm that is drawn by the shares."""
        while True:
            yield self._next(shares)

    def covering(self, times: int) -> list[Mix]:
        """So many mixes of a single skill for each arm: what they tell is of that arm alone."""
        return [
            self._dealt((rng("covering skill", self._seed, block, arm).choice(self._skills[arm]),))
            for block in range(times)
            for arm in rng("covering arms", self._seed, block).sample(self.arms, len(self.arms))
        ]

    def _next(self, shares: Mapping[str, float]) -> Mix:
        random = rng("directed mix", self._seed, self._number)
        drawn = (self._draw(shares, random) for _ in range(FRESH))
        mixed = next((mix for mix in drawn if frozenset(mix) not in self._met), None)
        return self._dealt(mixed or self._draw(shares, random))

    def _dealt(self, skills: tuple[str, ...]) -> Mix:
        kind = next(self._types)
        question = (tuple(sorted(skills)), kind.name)
        mix = Mix(
            number=self._number, skills=skills, query_type=kind, repeat=self._questions[question]
        )
        self._met.add(frozenset(skills))
        self._questions[question] += 1
        self._number += 1
        return mix

    def _draw(self, shares: Mapping[str, float], random: Random) -> tuple[str, ...]:
        names, weights = list(shares), list(shares.values())
        chosen = list[str]()
        for _ in range(TRIES):
            skill = random.choice(self._skills[random.choices(names, weights=weights)[0]])
            if self._may_join(skill, chosen):
                chosen.append(skill)
            if len(chosen) == self._k:
                return tuple(random.sample(chosen, self._k))
        raise ConfigError(
            f"no {self._k} of the {sum(map(len, self._skills.values()))} skills may meet: their "
            "names are too much alike",
            hint="Name the skills apart, or set avoid_alike = false under [skillmix].",
        )

    def _may_join(self, skill: str, chosen: Sequence[str]) -> bool:
        if skill in chosen:
            return False
        return not (self._avoid_alike and any(alike(skill, other) for other in chosen))
