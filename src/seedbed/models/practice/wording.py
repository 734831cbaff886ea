"""From a task to an instruction and back, and from a task to a response.

The wording is regular, so that a small student can learn it and so that an instruction can be read
from its text alone:

    frame sentences · materials · task · frame sentences        (materials may follow the task)
    task: "Sort the numbers from smallest to largest, then write the result as JSON."
          "(a) Add up the numbers. (b) Name the weekday of the date."
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from random import Random

from seedbed.models.practice.compose import Part, Step, Task, run
from seedbed.models.practice.data_formats import plain
from seedbed.models.practice.material import show_material, take_materials
from seedbed.models.practice.query_types import (
    FRAME_SENTENCES,
    HEADS,
    PURPOSES,
    PracticeQueryType,
)
from seedbed.models.practice.skill import REFERENCES, RESULT, PracticeSkill
from seedbed.models.practice.values import Kind, Value
from seedbed.models.practice.world import skills

JOINS = (", then ", " and then ", ", and after that ")
LEADS = ("", "Please ", "I need you to ", "Now ", "Could you ", "Can you ")
LETTERS = "abcdefghij"

RESPONSE_LEADS = ("Let us work it out.", "Here is how it goes.", "Step by step:", "Gladly.", "")
"""What the assistant may say first."""

_JOIN = re.compile("|".join(map(re.escape, JOINS)))
_PART = re.compile(r"(?:^|\s)\(([a-j])\) ")


def write_instruction(task: Task, kind: PracticeQueryType, rng: Random, *, purpose: bool) -> str:
    """Word a task for a query type; `purpose` adds what it is for."""
    materials = {part.material.kind: part.material for part in task}
    shown = " ".join(show_material(material, rng) for material in materials.values())
    body = _body(task, rng)
    core = f"{body} {shown}" if rng.random() < 0.3 else f"{shown} {body}"
    pieces = (
        rng.choice(kind.openings),
        rng.choice(PURPOSES) if purpose else "",
        core,
        rng.choice(kind.closings),
    )
    return " ".join(piece for piece in pieces if piece)


def _body(task: Task, rng: Random) -> str:
    if len(task) == 1:
        lead = rng.choice(LEADS)
        clauses = _clauses(task[0], rng)
        return f"{lead}{clauses if lead else _capital(clauses)}{'?' if _asks(lead) else '.'}"
    parts = (
        f"({letter}) {_capital(_clauses(part, rng))}."
        for letter, part in zip(LETTERS, task, strict=False)
    )
    return " ".join((rng.choice(HEADS), *parts))


def _asks(lead: str) -> bool:
    return lead in ("Could you ", "Can you ")


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _clauses(part: Part, rng: Random) -> str:
    join = rng.choice(JOINS)
    references = (REFERENCES[part.material.kind], *[RESULT] * (len(part.steps) - 1))
    return join.join(
        rng.choice(step.skill.phrasings).format(it=reference, **step.parameters)
        for step, reference in zip(part.steps, references, strict=True)
    )


def write_response(task: Task, rng: Random, *, worked: bool = True) -> str:
    """The working, a line per step, and the answers; without the working a bare answer."""
    lines = [rng.choice(RESPONSE_LEADS)] if worked else ["Here is what you asked for."]
    lettered = len(task) > 1
    if worked:
        for letter, part in zip(LETTERS, task, strict=False):
            working = list(_working(part))
            lines += [f"({letter}) {working[0]}", *working[1:]] if lettered else working
    for letter, part in zip(LETTERS, task, strict=False):
        label = f"Answer ({letter}):" if lettered else "Answer:"
        text = part.result.text
        lines.append(f"{label}\n{text}" if "\n" in text else f"{label} {text}")
    return "\n".join(line for line in lines if line)


def _working(part: Part) -> Iterator[str]:
    before = part.material
    for step, after in zip(part.steps, part.results, strict=True):
        yield step.skill.explain(before, step.parameters, after)
        before = after


def read_instruction(text: str) -> Task | None:
    """The task of an instruction of the practice world, or None if it is anything else.

    The whole text has to be accounted for: a sentence that no rule explains might ask for more.
    """
    materials, rest = take_materials(" ".join(plain(text).split()))
    body = _without_frame(rest)
    texts = _part_texts(body)
    parts = [_read_part(part, materials) for part in texts]
    task = tuple(part for part in parts if part is not None)
    if not task or len(task) < len(parts):
        return None
    used = {part.material.kind for part in task}
    return task if used == materials.keys() else None


def _without_frame(text: str) -> str:
    """Take known sentences off both ends until none is left there."""
    while True:
        before = text
        for sentence in FRAME_SENTENCES:
            text = text.removeprefix(sentence).removesuffix(sentence).strip()
        if text == before:
            return text


def _part_texts(body: str) -> list[str]:
    marks = list(_PART.finditer(body))
    if not marks:
        lead = next((lead for lead in LEADS[1:] if body.startswith(lead)), "")
        ending = "?" if _asks(lead) else "."
        return [body.removeprefix(lead).removesuffix(ending)] if body.endswith(ending) else []
    if body[: marks[0].start()].strip() or [mark[1] for mark in marks] != list(
        LETTERS[: len(marks)]
    ):
        return []
    ends = [mark.start() for mark in marks[1:]] + [len(body)]
    return [
        body[mark.end() : end].strip().removesuffix(".")
        for mark, end in zip(marks, ends, strict=True)
    ]


def _read_part(text: str, materials: Mapping[Kind, Value]) -> Part | None:
    clauses = [_read_clause(clause) for clause in _JOIN.split(text)]
    found = [clause for clause in clauses if clause is not None]
    if not found or len(found) < len(clauses):
        return None
    references = [reference for reference, _ in found]
    start = next((kind for kind, name in REFERENCES.items() if name == references[0]), None)
    if start is None or start not in materials or set(references[1:]) - {RESULT}:
        return None
    return run(materials[start], [step for _, step in found])


def _read_clause(clause: str) -> tuple[str, Step] | None:
    """What the clause works on, and its step."""
    text = clause[:1].lower() + clause[1:]
    for skill, pattern in _PHRASINGS.get(text.split(" ")[0], ()):
        if match := pattern.fullmatch(text):
            values = match.groupdict()
            return values.pop("it"), Step(skill, values)
    return None


def _by_first_word() -> Mapping[str, list[tuple[PracticeSkill, re.Pattern[str]]]]:
    table: dict[str, list[tuple[PracticeSkill, re.Pattern[str]]]] = {}
    for skill in skills():
        for phrasing, pattern in zip(skill.phrasings, skill.patterns(), strict=True):
            table.setdefault(phrasing.split(" ")[0], []).append((skill, pattern))
    return table


_PHRASINGS = _by_first_word()
