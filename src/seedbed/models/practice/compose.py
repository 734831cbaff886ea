"""How skills compose: chains where types allow, else parts over shared material.

A task is one or more parts. A part starts from a material and applies its steps one after the
other; parts that start from the same kind share one material. Of all ways to arrange the skills,
those with the fewest parts are taken, provided that every step matters: leaving it out would
change the part's result. So "sort, then add up" is never asked, and every skill named is needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, permutations, product
from random import Random

from seedbed.models.practice.material import KINDS, draw_material
from seedbed.models.practice.skill import PracticeSkill
from seedbed.models.practice.values import Kind, Value
from seedbed.models.practice.world import skill_named
from seedbed.streams import rng as seeded

PROBES = 60
"""Random draws after which a chain counts as one in which some step can hardly ever matter."""

ATTEMPTS = 400
"""Draws of one arrangement before the next one is tried."""

ENUMERATED = 4
"""Up to so many skills all arrangements are listed; of more, `SAMPLED` orders are."""

SAMPLED = 24


@dataclass(frozen=True, slots=True)
class Step:
    skill: PracticeSkill
    parameters: Mapping[str, str]

    def __call__(self, value: Value) -> Value | None:
        if value.kind not in self.skill.accepts:
            return None
        return self.skill.apply(value, self.parameters)


@dataclass(frozen=True, slots=True)
class Part:
    """A material, the steps on it, and what each step results in."""

    material: Value
    steps: tuple[Step, ...]
    results: tuple[Value, ...]

    @property
    def result(self) -> Value:
        return self.results[-1]


Task = tuple[Part, ...]

Chain = tuple[Kind, tuple[str, ...]]
"""What a part starts from, and its skills in order."""

Arrangement = tuple[Chain, ...]


def run(material: Value, steps: Sequence[Step]) -> Part | None:
    """Apply the steps, or None where one is outside its domain."""
    values = [material]
    for step in steps:
        after = step(values[-1])
        if after is None:
            return None
        values.append(after)
    return Part(material, tuple(steps), tuple(values[1:]))


def draw_task(skills: Sequence[PracticeSkill], rng: Random) -> Task:
    """A random task that needs all of the skills.

    A single skill is a chain that can always be drawn, so the search ends: the arrangement in which
    every skill has a part of its own is among those tried.
    """
    names = tuple(sorted(skill.name for skill in skills))
    for group in arrangements(names):
        for arrangement in rng.sample(group, len(group)):
            for _ in range(ATTEMPTS):
                if task := _draw(arrangement, rng):
                    return task
    raise AssertionError(f"no task for {names}")


@lru_cache(maxsize=20_000)
def arrangements(names: tuple[str, ...]) -> tuple[tuple[Arrangement, ...], ...]:
    """The arrangements that can be drawn, those with the fewest parts first."""
    groups: dict[int, dict[Arrangement, None]] = {}
    for arrangement in _candidates(names):
        groups.setdefault(len(arrangement), {})[tuple(sorted(arrangement))] = None
    return tuple(
        viable
        for _, group in sorted(groups.items())
        if (viable := tuple(one for one in group if all(map(can_be_drawn, one))))
    )


def _candidates(names: tuple[str, ...]) -> Iterator[Arrangement]:
    """Every order, every way to cut it into chains, every kind that a chain can start from."""
    orders = list(permutations(names)) if len(names) <= ENUMERATED else _some_orders(names)
    for order in orders:
        for cuts in islice(product((False, True), repeat=len(order) - 1), 2**ENUMERATED):
            segments = [[order[0]]]
            for name, cut in zip(order[1:], cuts, strict=True):
                segments.append([name]) if cut else segments[-1].append(name)
            yield from product(*(list(_chains(tuple(segment))) for segment in segments))
    yield from product(*(list(_chains((name,)))[:1] for name in names))


def _some_orders(names: tuple[str, ...]) -> list[tuple[str, ...]]:
    random = seeded("practice orders", names)
    return [tuple(random.sample(names, len(names))) for _ in range(SAMPLED)]


@lru_cache(maxsize=50_000)
def _chains(names: tuple[str, ...]) -> tuple[Chain, ...]:
    """The kinds of material that this order of skills can start from."""
    return tuple((kind, names) for kind in KINDS if _fits(kind, names))


def _fits(kind: Kind, names: tuple[str, ...]) -> bool:
    for name in names:
        skill = skill_named(name)
        if kind not in skill.accepts:
            return False
        kind = skill.output(kind)
    return True


@lru_cache(maxsize=50_000)
def can_be_drawn(chain: Chain) -> bool:
    """Whether some of a fixed set of draws gives a part in which every step matters."""
    random = seeded("practice probe", *chain)
    return any(_draw((chain,), random) for _ in range(PROBES))


def _draw(arrangement: Arrangement, rng: Random) -> Task | None:
    kinds = dict.fromkeys(kind for kind, _ in arrangement)
    materials = {kind: draw_material(kind, rng) for kind in kinds}
    parts = []
    for kind, names in arrangement:
        part = _draw_part(materials[kind], names, rng)
        if part is None or not every_step_matters(part):
            return None
        parts.append(part)
    return tuple(parts)


def _draw_part(material: Value, names: tuple[str, ...], rng: Random) -> Part | None:
    value, steps, results = material, [], []
    for name in names:
        skill = skill_named(name)
        drawn = {slot: entry.draw(rng, value) for slot, entry in skill.parameters.items()}
        steps.append(Step(skill, drawn))
        after = steps[-1](value)
        if after is None or after == value:
            return None
        results.append(value := after)
    return Part(material, tuple(steps), tuple(results))


def every_step_matters(part: Part) -> bool:
    """Whether leaving out any one step would change the result, or could not be done at all."""
    before = (part.material, *part.results)
    for place in range(len(part.steps) - 1):
        without = run(before[place], part.steps[place + 1 :])
        if without is not None and without.result == part.result:
            return False
    return True
