"""What evolving means in the practice world: from one task to a harder one, or to a rarer one.

Every result is a task like any other, so what is written of it stays true by construction and can
be verified. Each way tries at random for a while, and gives None where it finds nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from random import Random

from seedbed.models.practice.compose import (
    Part,
    Step,
    Task,
    draw_task,
    every_step_matters,
    run,
)
from seedbed.models.practice.material import draw_material
from seedbed.models.practice.recognise import recognise
from seedbed.models.practice.skill import PracticeSkill
from seedbed.models.practice.values import Value
from seedbed.models.practice.world import skill_named, skills, skills_under

FORMING = "structured_output"
"""The topic of the skills that only give a result its form."""

MOST_PARTS = 4
MOST_STEPS = 4
TRIES = 40

Way = Callable[[Task, Random], Task | None]


def constrain(task: Task, rng: Random) -> Task | None:
    """A condition on the form of a result; where all have one, a part more."""
    return _with_a_step(task, skills_under(FORMING), rng) or deepen(task, rng)


def reason(task: Task, rng: Random) -> Task | None:
    """A step more in one of the chains of reasoning."""
    return _with_a_step(task, _working(), rng) or deepen(task, rng)


def deepen(task: Task, rng: Random) -> Task | None:
    """One more question about one of the materials."""
    if len(task) >= MOST_PARTS:
        return None
    part = _part_on(rng.choice(task).material, _working(), rng)
    return None if part is None or part in task else (*task, part)


def concretize(task: Task, rng: Random) -> Task | None:
    """The same steps on larger lists, or on other numbers, dates and sentences."""
    for _ in range(TRIES):
        larger = {part.material: _larger(part.material, rng) for part in task}
        parts = [run(larger[part.material], part.steps) for part in task]
        made = tuple(part for part in parts if part is not None and _is_sound(part))
        if len(made) == len(task):
            return made
    return None


def broaden(task: Task, rng: Random) -> Task | None:
    """A new task with a skill of the same topic and one of any other, neither of them used yet."""
    used = [step.skill for part in task for step in part.steps]
    topics = {skill.topic for skill in used}
    unused = [skill for skill in skills() if skill not in used]
    near = [skill for skill in unused if skill.topic in topics]
    others = [skill for skill in unused if skill.topic not in topics]
    chosen = [rng.choice(near)] if near else []
    return draw_task([*chosen, rng.choice(others)], rng)


def adopt(text: str, rng: Random) -> Task | None:
    """A task of this world about the words or numbers of a text that is not of this world.

    The skills are those that the text seems to need, where they can work on its material.
    """
    materials = list(_materials(text, rng))
    rng.shuffle(materials)
    wanted = [skill_named(name) for name in recognise(text)]
    for material in materials:
        if part := _part_on(material, wanted, rng) or _part_on(material, _working(), rng):
            return (part,)
    return None


_POLITE = re.compile(r"\b(?:please|thanks?|hope|enjoy|glad|happy)\b", re.IGNORECASE)
"""What may stand around the answer in a marked response, so that no result may begin with it."""

_SENTENCE = re.compile(
    r"(?<!\S)(?!If you|Have a|Just ask|Let me)[A-Z][A-Za-z0-9 ,]{20,140}[.?!](?=\s|\Z)"
)


def _materials(text: str, rng: Random) -> list[Value]:
    text = _POLITE.sub("", text)
    words = list(dict.fromkeys(re.findall(r"(?<![\w'])[a-z]{4,9}(?![\w'])", text)))
    numbers = re.findall(r"(?<![\d.,:])[1-9]\d?(?![\d.,:]\d|\d)", text)[:5]
    sentence = _SENTENCE.search(text)
    found = []
    if len(words) >= 3:
        chosen = sorted(rng.sample(range(len(words)), min(len(words), rng.randint(3, 5))))
        found.append(Value("words", tuple(words[place] for place in chosen)))
    if len(numbers) >= 3:
        found.append(Value("numbers", tuple(numbers)))
    if sentence:
        found.append(Value("sentence", (" ".join(sentence[0].split()),)))
    return found


def _working() -> list[PracticeSkill]:
    return [skill for skill in skills() if skill.topic != FORMING]


def _with_a_step(task: Task, among: Sequence[PracticeSkill], rng: Random) -> Task | None:
    for place in rng.sample(range(len(task)), len(task)):
        if longer := _longer(task[place], among, rng):
            return (*task[:place], longer, *task[place + 1 :])
    return None


def _longer(part: Part, among: Sequence[PracticeSkill], rng: Random) -> Part | None:
    """The part with one step more, at its end or before the step that gives the form."""
    if len(part.steps) >= MOST_STEPS:
        return None
    formed = part.result.kind == "block"
    kept, last = (part.steps[:-1], part.steps[-1:]) if formed else (part.steps, ())
    before = (part.material, *part.results)[len(kept)]
    for skill in rng.sample(among, len(among)):
        if before.kind not in skill.accepts:
            continue
        step = _step(skill, before, rng)
        made = run(part.material, (*kept, step, *last))
        if made is not None and _is_sound(made):
            return made
    return None


def _part_on(material: Value, among: Sequence[PracticeSkill], rng: Random) -> Part | None:
    for skill in rng.sample(among, len(among)):
        if material.kind not in skill.accepts:
            continue
        made = run(material, (_step(skill, material, rng),))
        if made is not None and _is_sound(made):
            return made
    return None


def _step(skill: PracticeSkill, before: Value, rng: Random) -> Step:
    return Step(skill, {slot: entry.draw(rng, before) for slot, entry in skill.parameters.items()})


def _is_sound(part: Part) -> bool:
    """Every step changes what it works on, and none could be left out."""
    values = (part.material, *part.results)
    changed = all(before != after for before, after in pairwise(values))
    return changed and every_step_matters(part)


def _larger(material: Value, rng: Random) -> Value:
    fresh = draw_material(material.kind, rng)
    if material.kind in ("numbers", "words"):
        return Value(material.kind, (*material.items, *fresh.items[: rng.randint(1, 3)]))
    return fresh
