"""Seed tasks: what a run starts from. Ours ship with the package."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files

from seedbed.recipes.self_instruct.params import PACKAGE
from seedbed.records import JSON, Example, Instruction, Origin

CLASSIFICATION = "classification"
"""The query type of a task whose answer is one of few labels; others have none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seed:
    """A human-written task. `examples` are its instances; bootstrapping alone needs none.

    `is_classification` is None where nobody has said.
    """

    instruction: Instruction
    examples: tuple[Example, ...] = ()
    is_classification: bool | None = None


def shipped_seeds() -> tuple[Seed, ...]:
    """The 175 tasks written for this project, 25 of them classification."""
    text = (files(PACKAGE) / "seed_tasks.jsonl").read_text(encoding="utf-8")
    return tuple(_shipped(json.loads(line)) for line in text.splitlines())


def _shipped(row: Mapping[str, JSON]) -> Seed:
    kind = CLASSIFICATION if row["is_classification"] else ""
    asked = Instruction(text=row["instruction"], origin=Origin(step=row["name"], query_type=kind))
    return Seed(
        instruction=asked,
        examples=(Example(instruction=asked, input=row["input"], response=row["response"]),),
        is_classification=row["is_classification"],
    )


def seeds_of(
    tasks: Iterable[Example | Instruction], *, classification: Mapping[str, bool]
) -> tuple[Seed, ...]:
    """Seeds of what a dataset holds: one for each distinct instruction, with all its examples.

    Args:
        tasks: the user's examples, or instructions that nobody has answered.
        classification: by the instruction's text, for those where the file says it.
    """
    found: dict[str, list[Example]] = {}
    instructions: dict[str, Instruction] = {}
    for task in tasks:
        instruction = task.instruction if isinstance(task, Example) else task
        instructions.setdefault(instruction.text, instruction)
        answered = [task] if isinstance(task, Example) else []
        found.setdefault(instruction.text, []).extend(answered)
    return tuple(
        Seed(
            instruction=instruction,
            examples=tuple(found[text]),
            is_classification=classification.get(
                text, True if instruction.origin.query_type == CLASSIFICATION else None
            ),
        )
        for text, instruction in instructions.items()
    )
