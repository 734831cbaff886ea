"""Instructions that work on material which comes apart from them, and material for them."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import combinations
from random import Random

from seedbed.models.practice.compose import Task
from seedbed.models.practice.material import KINDS, draw_material, show_material
from seedbed.models.practice.values import Kind
from seedbed.models.practice.wording import read_instruction
from seedbed.streams import rng as seeded

TRIES = 40
"""Draws of material until a task works on it, or until another label comes out."""


def shown(task: Task, rng: Random) -> str:
    """The materials of a task, each kind once."""
    materials = {part.material.kind: part.material for part in task}
    return " ".join(show_material(material, rng) for material in materials.values())


def with_material(text: str, rng: Random) -> Task | None:
    """The task of an instruction that lacks its material, with one drawn for it."""
    kinds = _kinds_wanted(text)
    for _ in range(TRIES if kinds else 0):
        if task := _tried(text, kinds, rng):
            return task
    return None


@lru_cache(maxsize=10_000)
def _kinds_wanted(text: str) -> tuple[Kind, ...]:
    """The kinds of material that an instruction works on; none where it is not of this world."""
    random = seeded("practice kinds", text)
    for size in (1, 2, 3):
        for kinds in combinations(KINDS, size):
            if any(_tried(text, kinds, random) for _ in range(8)):
                return kinds
    return ()


def _tried(text: str, kinds: tuple[Kind, ...], rng: Random) -> Task | None:
    shown = " ".join(show_material(draw_material(kind, rng), rng) for kind in kinds)
    return read(f"{text} {shown}")


def read(text: str) -> Task | None:
    """Also where Self-Instruct's `str.capitalize()` has made all but the first letter small."""
    return read_instruction(text) or read_instruction(
        _SMALL.sub(lambda found: found[0].upper(), text)
    )


_SMALL = re.compile(r"(?:(?<=[.!?] )|(?<=\([a-j]\) )|\A)[a-z]|\bi\b")
"""Letters that are capitals in a text that has any."""
