"""New tasks that take after the tasks that a prompt shows, as those of real teachers do."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from seedbed.models.practice.asked import Asked
from seedbed.models.practice.bare import shown, with_material
from seedbed.models.practice.compose import Task, draw_task
from seedbed.models.practice.material import take_materials
from seedbed.models.practice.query_types import QUERY_TYPES
from seedbed.models.practice.recognise import recognise
from seedbed.models.practice.wording import write_instruction
from seedbed.models.practice.world import skill_named

_BLOCK = re.compile(
    r"^\d{1,4}\. Instruction: (?P<instruction>.+)\n\d{1,4}\. Input:\n(?P<input>.*)", re.MULTILINE
)
_ITEM = re.compile(r"^(?:Task )?\d{1,4}[.:] (?P<instruction>\S.*)$", re.MULTILINE)

MOST = 3
"""Skills of a demonstration that are imitated."""

IN_ITS_WORDS = 0.5
"""Share of imitations that keep the words, and only the material is another."""


@dataclass(frozen=True, slots=True)
class Model:
    """A task that a prompt shows: its instruction, and the skills that it needs."""

    instruction: str
    skills: tuple[str, ...]


def imitable(asked: Asked) -> list[Model]:
    """The tasks that the prompt shows; those that need no skill of ours are left out."""
    blocks = [(found["instruction"], found["input"]) for found in _BLOCK.finditer(asked.prompt)]
    items = [(found["instruction"], "") for found in _ITEM.finditer(asked.prompt)]
    return [
        Model(instruction, names[:MOST])
        for instruction, given in blocks or items
        if (names := recognise(f"{instruction} {given}".strip()))
    ]


def imitation(models: Sequence[Model], asked: Asked) -> tuple[str, str, Task] | None:
    """An instruction, its input and its task, after one of those shown; None without any."""
    if not models:
        return None
    rng, model = asked.rng, asked.rng.choice(models)
    if rng.random() < IN_ITS_WORDS:
        _, text = take_materials(model.instruction)
        if task := with_material(text, rng):
            return f"{text} {shown(task, rng)}", "", task
    task = draw_task([skill_named(name) for name in model.skills], rng)
    text = write_instruction(task, rng.choice(QUERY_TYPES), rng, purpose=rng.random() < 0.5)
    return text, "", task
