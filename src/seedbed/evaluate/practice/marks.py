"""Marking responses to held-out items, and the two students that answer without reading."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from seedbed.errors import ConfigError
from seedbed.evaluate.practice.items import PracticeItem
from seedbed.models.practice.marking import parts_right
from seedbed.models.practice.wording import LETTERS, read_instruction


@dataclass(frozen=True, slots=True, kw_only=True)
class PracticeMark:
    """`right` is exact: every part. `parts` is the share of parts that are right."""

    right: bool
    parts: float


def mark(item: PracticeItem, response: str) -> PracticeMark:
    """Mark a response to an item."""
    task = read_instruction(item.instruction)
    if task is None:
        raise ValueError(f"not an instruction of the practice world: {item.instruction!r}")
    parts = parts_right(task, response)
    return PracticeMark(right=all(parts), parts=sum(parts) / len(parts))


@dataclass(frozen=True, slots=True)
class Guesses:
    """The commonest answers: over all parts, and over the parts that end in a given skill."""

    overall: str
    by_skill: Mapping[str, str]

    def response(self, item: PracticeItem, *, by_skill: bool) -> str:
        """What a student would say that answers without reading the material."""
        task = read_instruction(item.instruction) or ()
        answers = [
            self.by_skill.get(part.steps[-1].skill.name, self.overall) if by_skill else self.overall
            for part in task
        ]
        if len(answers) == 1:
            return f"Answer:\n{answers[0]}" if "\n" in answers[0] else f"Answer: {answers[0]}"
        return "\n".join(
            f"Answer ({letter}):\n{answer}" if "\n" in answer else f"Answer ({letter}): {answer}"
            for letter, answer in zip(LETTERS, answers, strict=False)
        )


def commonest(instructions: Iterable[str]) -> Guesses:
    """The commonest true answers to some instructions: those trained on, or a draw of others.

    Raises:
        ConfigError: none of them is of the practice world.
    """
    overall: Counter[str] = Counter()
    by_skill: dict[str, Counter[str]] = {}
    for text in instructions:
        for part in read_instruction(text) or ():
            answer = part.result.text
            overall[answer] += 1
            by_skill.setdefault(part.steps[-1].skill.name, Counter())[answer] += 1
    if not overall:
        raise ConfigError("practice: none of these instructions is of the practice world")
    return Guesses(
        overall.most_common(1)[0][0],
        {name: counter.most_common(1)[0][0] for name, counter in by_skill.items()},
    )
