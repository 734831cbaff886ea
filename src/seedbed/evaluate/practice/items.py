"""Held-out skill mixes of the practice world: instructions that nobody trained on.

Items are drawn from content, one by one, so a
larger set holds the smaller one, and two students that are given the same arguments see the same.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from seedbed.errors import ConfigError
from seedbed.models.practice.compose import Task, draw_task
from seedbed.models.practice.query_types import QUERY_TYPES, query_type_named
from seedbed.models.practice.wording import (
    read_instruction,
    write_instruction,
    write_response,
)
from seedbed.models.practice.world import WORLD_VERSION, skill_named, skills, unknown
from seedbed.records import Example, Instruction, digest
from seedbed.streams import rng

ATTEMPTS = 200
"""Draws for one item before there is said to be no instruction left that was not trained on."""

Pair = tuple[str, str]
"""Two skills, in alphabetical order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PracticeItem:
    """An instruction that nobody trained on, its skills in alphabetical order, a true response."""

    instruction: str
    skills: tuple[str, ...]
    response: str

    @property
    def id(self) -> str:
        return digest("practice item", self.instruction)[:16]

    @property
    def example(self) -> Example:
        """The item with its true response, as one trains on."""
        return Example(instruction=Instruction(text=self.instruction), response=self.response)

    @property
    def k(self) -> int:
        return len(self.skills)

    @property
    def pairs(self) -> frozenset[Pair]:
        return pairs_of(self.skills)


@dataclass(frozen=True, slots=True, kw_only=True)
class PracticeSettings:
    """What a held-out set is drawn from.

    Args:
        skills: names of practice skills; all that there are unless given.
        counts: items for each k.
        query_types: names of practice query types; all of them unless given. ("",) is a neutral
            wording.
        seed: another one gives another set.
    """

    skills: tuple[str, ...] = field(default_factory=lambda: tuple(one.name for one in skills()))
    counts: Mapping[int, int] = field(default_factory=lambda: {1: 200, 2: 200, 3: 200})
    query_types: tuple[str, ...] = tuple(kind.name for kind in QUERY_TYPES)
    seed: int = 0

    @property
    def digest(self) -> str:
        """Names what the set is drawn from, the version of the world included."""
        counts = sorted(self.counts.items())
        return digest(WORLD_VERSION, sorted(self.skills), counts, self.query_types, self.seed)[:16]


def pairs_of(names: Iterable[str]) -> frozenset[Pair]:
    """The unordered pairs among some skills."""
    return frozenset((one, two) for one, two in combinations(sorted(set(names)), 2))


def skills_in(instructions: Iterable[str]) -> list[tuple[str, ...]]:
    """The skills of each instruction, in alphabetical order; () where it is of another world."""
    return [_skills_of(read_instruction(text)) for text in instructions]


def _skills_of(task: Task | None) -> tuple[str, ...]:
    return tuple(sorted({step.skill.name for part in task or () for step in part.steps}))


def held_out(
    settings: PracticeSettings,
    *,
    trained: Iterable[str] = (),
    balance: Collection[Pair] | None = None,
) -> tuple[PracticeItem, ...]:
    """Draw a held-out set, k by k.

    Args:
        settings: what it is drawn from.
        trained: instructions that were trained on. No item is the same task as one of them, in
            whatever wording: the materials, the steps and their order would have to differ.
        balance: pairs of skills seen in training. Where given, mixes whose pairs were all seen,
            partly seen and never seen take turns (as far as there are any), so that each group has
            enough items to compare; without it all mixes are equally likely. Students that are to
            be compared with each other need the same `balance`.

    Raises:
        ConfigError: an unknown skill, fewer skills than k, or no task is left.
    """
    _check(settings)
    taken = {key for text in trained if (key := task_key(read_instruction(text)))}
    items: list[PracticeItem] = []
    for k, count in sorted(settings.counts.items()):
        groups = _groups(settings, k, balance)
        for number in range(count):
            item = _draw(settings, k, number, groups[number % len(groups)], taken)
            taken.add(task_key(read_instruction(item.instruction)))
            items.append(item)
    return tuple(items)


def _check(settings: PracticeSettings) -> None:
    names = {skill.name for skill in skills()}
    if wrong := [name for name in settings.skills if name not in names]:
        raise ConfigError(
            f"practice: no skill {wrong[0]!r}",
            hint=f"{'It is a topic. ' if not unknown(wrong[:1]) else ''}"
            f"There are: {', '.join(sorted(names))}.",
        )
    if (most := max(settings.counts, default=0)) > len(set(settings.skills)):
        raise ConfigError(
            f"practice: k = {most} needs as many skills; {len(settings.skills)} given"
        )


def _groups(
    settings: PracticeSettings, k: int, balance: Collection[Pair] | None
) -> list[list[tuple[str, ...]]]:
    """Mixes of k skills, those of one kind together: pairs all seen, none seen, some seen."""
    mixes = list(combinations(sorted(set(settings.skills)), k))
    if balance is None or k == 1:
        return [mixes]
    known = frozenset(balance)
    groups: dict[str, list[tuple[str, ...]]] = {name: [] for name in ("seen", "unseen", "partly")}
    for mix in mixes:
        groups[seen(pairs_of(mix), known)].append(mix)
    return [group for group in groups.values() if group]


def seen(pairs: Collection[Pair], known: Collection[Pair]) -> str:
    """ "seen" where all of the pairs are known, "unseen" where none is, else "partly"."""
    shared = sum(pair in known for pair in pairs)
    return "seen" if shared == len(pairs) else "partly" if shared else "unseen"


def _draw(
    settings: PracticeSettings,
    k: int,
    number: int,
    mixes: Sequence[tuple[str, ...]],
    taken: Collection[str],
) -> PracticeItem:
    random = rng("practice held out", WORLD_VERSION, settings.seed, k, number)
    for _ in range(ATTEMPTS):
        mix = random.choice(mixes)
        task = draw_task([skill_named(name) for name in mix], random)
        kind = query_type_named(random.choice(settings.query_types))
        instruction = write_instruction(task, kind, random, purpose=random.random() < 0.5)
        response = write_response(task, random)
        if task_key(task) not in taken:
            return PracticeItem(instruction=instruction, skills=mix, response=response)
    raise ConfigError(
        f"practice: after {number:,} items of k = {k} no task is left that was not trained on",
        hint="Ask for fewer items, or give more skills.",
    )


def task_key(task: Task | None) -> str:
    """Names what is to be worked out, whatever the wording; empty for another world's."""
    if task is None:
        return ""
    parts = [
        [
            part.material.kind,
            list(part.material.items),
            [[step.skill.name, dict(step.parameters)] for step in part.steps],
        ]
        for part in task
    ]
    return digest(sorted(parts, key=repr))
