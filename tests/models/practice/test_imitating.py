"""The `imitated` dial: new tasks of the skills of those shown, some in their words, all true."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from seedbed.curate.novelty import NoveltyIndex
from seedbed.models.practice import PracticeTeacher, Trouble, verify
from seedbed.models.practice.marking import skills_of
from seedbed.prompts import load_prompts
from seedbed.recipes.self_instruct import PRESETS, Seed
from seedbed.recipes.self_instruct.params import PACKAGE
from seedbed.recipes.self_instruct.pool import Pool
from seedbed.recipes.self_instruct.proposals import FORMS, Task
from seedbed.records import Example, Instruction

PROMPTS = load_prompts(PACKAGE)
SHOWN = (
    "My number is 58. Please decide if the number is even or odd.",
    "I have the date 2025-12-10. Please find the date 8 days after the date.",
    'Here is a sentence: "The tired farmer sold 3 eggs." Please count the words in the sentence.',
)


def seeds() -> list[Seed]:
    found = []
    for text in SHOWN:
        asked = Instruction(text=text)
        found.append(
            Seed(instruction=asked, examples=(Example(instruction=asked, response="done"),))
        )
    return found


def new_tasks(preset: str, *, imitated: float, number: int) -> list[Task]:
    params = PRESETS["alpaca" if preset == "alpaca" else "chat"]
    params = replace(params, seed=number)
    (ask,) = Pool(seeds(), prompts=PROMPTS, params=params).asks(1)
    teacher = PracticeTeacher(Trouble(imitated=imitated))
    completion = asyncio.run(teacher.complete(ask.request))
    read = FORMS[params.bootstrap.form].read(completion.text, ask.shown)
    return [task for task in read if isinstance(task, Task)]


def test_new_tasks_need_the_skills_of_those_shown() -> None:
    known = {skills_of(text) for text in SHOWN}
    assert len(known - {()}) == 3
    for preset in ("alpaca", "chat"):
        for imitated, expected in ((1.0, True), (0.0, False)):
            tasks = new_tasks(preset, imitated=imitated, number=1)
            assert len(tasks) >= 2
            skills = [set(skills_of(f"{task.instruction} {task.input}".strip())) for task in tasks]
            alike = [any(found == set(names) for names in known) for found in skills if found]
            assert all(alike) == expected, (preset, imitated)


def test_imitations_are_right_and_some_are_too_similar_even_at_0_85() -> None:
    tasks = [task for n in range(6) for task in new_tasks("alpaca", imitated=1.0, number=n)]
    for task in tasks:
        assert verify(f"{task.instruction}\n{task.input}", task.response) is True
    dropped = []
    for threshold in (0.7, 0.85):
        index = NoveltyIndex(threshold)
        index.add_all(SHOWN)
        dropped.append(
            sum(drop is not None for drop in index.admit_all(task.instruction for task in tasks))
        )
    assert dropped[0] >= dropped[1] > 0
