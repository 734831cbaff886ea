"""The practice teacher reads Evol-Instruct's prompts, ours and the paper's own layout."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from seedbed.models.practice import PracticeTeacher, Trouble, make, skills_of, verify
from seedbed.models.practice.compose import Task
from seedbed.models.practice.data_formats import DATA_FORMATS, as_data, format_named, plain
from seedbed.models.practice.material import KINDS, draw_material, show_material
from seedbed.models.practice.wording import read_instruction
from seedbed.prompts import load_prompts
from seedbed.recipes.evol_instruct.operations import Step, evolving_prompt
from seedbed.recipes.evol_instruct.params import FORMATS, OPERATIONS, Operation
from seedbed.records import Completion, Message, Request
from seedbed.streams import rng

PROMPTS = load_prompts("seedbed.recipes.evol_instruct")
PAIRS = (
    ("adding_numbers", "roman_numerals"),
    ("sorting_numbers", "bullet_points"),
    ("shifting_dates", "naming_weekdays"),
    ("extracting_numbers", "finding_extremes"),
    ("alphabetical_order", "first_letters"),
    ("counting_words",),
)
INSTRUCTIONS = [make(pair, "Planning", rng("evolve", pair))[0] for pair in PAIRS]

IN_THE_PAPERS_LAYOUT = (
    "I want you act as a rewriter.\nYou should complicate it using the following method:\n"
    "Please add one more constraint or requirement into it.\n"
    "#Given Prompt#:\n{given}\n#Rewritten Prompt#:\n"
)


def say(text: str, teacher: PracticeTeacher | None = None, draw: int = 0) -> Completion:
    request = Request(messages=(Message("user", text),), draw=draw)
    return asyncio.run((teacher or PracticeTeacher()).complete(request))


def evolved(
    operation: Operation,
    given: str,
    *,
    form: str = "JSON data",
    teacher: PracticeTeacher | None = None,
) -> str:
    name = form if operation == "complicate_input" else ""
    step = Step(operation=operation, format=name, round=1, draw=0)
    return say(evolving_prompt(PROMPTS, step, given), teacher).text


def task_of(text: str) -> Task:
    task = read_instruction(plain(text))
    assert task is not None, text
    return task


def steps(text: str) -> int:
    return sum(len(part.steps) for part in task_of(text))


@pytest.mark.parametrize("given", INSTRUCTIONS)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_gives_a_new_task_that_the_teacher_answers_truly(
    operation: Operation, given: str
) -> None:
    text = evolved(operation, given)
    assert task_of(text) != task_of(given) or "```" in text
    assert verify(plain(text), say(text).text) is True


@pytest.mark.parametrize("given", INSTRUCTIONS)
def test_operations_do_what_their_names_say(given: str) -> None:
    for operation in ("constrain", "deepen", "reason"):
        assert steps(evolved(operation, given)) == steps(given) + 1
    assert len(task_of(evolved("deepen", given))) == len(task_of(given)) + 1
    forms = {"bullet_points", "json_formatting", "numbered_lists", "table_layout"}
    assert forms & set(skills_of(evolved("constrain", given)))
    assert set(skills_of(evolved("concretize", given))) == set(skills_of(given))
    assert not set(skills_of(evolved("broaden", given))) & set(skills_of(given))


@pytest.mark.parametrize("form", FORMATS)
def test_complicated_input_stands_in_its_format_and_can_be_evolved_again(form: str) -> None:
    for given in INSTRUCTIONS:
        text = evolved("complicate_input", given, form=form)
        assert f"```{format_named(form).fence}\n" in text
        assert task_of(text) == task_of(given)
        again = evolved("complicate_input", text, form=form)
        assert "```" in again
        assert again != text


@pytest.mark.parametrize("name", DATA_FORMATS)
def test_a_material_comes_back_from_every_format(name: str) -> None:
    for kind in KINDS:
        value = draw_material(kind, rng("format", kind))
        shown = show_material(value, rng("shown", kind))
        data = as_data(f"Look here. {shown} That is all.", value, DATA_FORMATS[name])
        assert shown not in data
        assert value.text in plain(data)
    code = "Fix it:\n```python\nnumbers = [\n    3,\n]\n```"
    assert plain(code) == code


def test_prompts_in_the_papers_own_layout_are_read_as_well() -> None:
    text = say(IN_THE_PAPERS_LAYOUT.format(given=INSTRUCTIONS[0])).text
    assert steps(text) == steps(INSTRUCTIONS[0]) + 1
    judged = say(
        "Do you think they are equal?\nThe First Prompt: Name a bird.\nThe Second Prompt: "
        "Name two birds.\nYour Judgement (Just answer: Equal or Not Equal.):"
    )
    assert judged.text == "Not equal"


def test_real_instructions_become_tasks_about_their_own_words() -> None:
    given = "Which of the three offers is cheapest per litre? Show the calculation for each."
    for operation in OPERATIONS:
        text = evolved(operation, given)
        assert verify(plain(text), say(text).text) is True
    words = set(given.lower().replace("?", "").replace(".", "").split())
    reworded = [evolved(operation, given) for operation in ("constrain", "reason")]
    for text in reworded:
        items = {
            word for part in task_of(text) for item in part.material.items for word in item.split()
        }
        assert len(items & {*given.replace("?", "").split(), *given.split(), *words}) >= 3


def test_where_it_finds_nothing_to_work_on_it_says_so() -> None:
    assert "I can't help" in evolved("deepen", "请解释天空为什么是蓝色的？")


def test_the_judge_sees_through_wording_but_not_past_the_task() -> None:
    def judged(first: str, second: str) -> str:
        return say(PROMPTS.fill("equal", first=first, second=second)).text

    task = read_instruction(INSTRUCTIONS[0])
    assert task is not None
    first, second = (make(PAIRS[0], "Planning", rng("same"))[0] for _ in range(2))
    assert judged(first, second) == "Equal"
    assert judged(INSTRUCTIONS[0], f"I could use a hand. {INSTRUCTIONS[0]}") == "Equal"
    assert judged(INSTRUCTIONS[0], evolved("reason", INSTRUCTIONS[0])) == "Not equal"
    assert judged(INSTRUCTIONS[0], evolved("complicate_input", INSTRUCTIONS[0])) == "Not equal"
    assert judged("Name two birds!", "name TWO birds") == "Equal"
    assert judged("Name two birds!", "Name two fish") == "Not equal"


def test_the_dials_make_the_trouble_of_real_teachers() -> None:
    lazy = PracticeTeacher(Trouble(duplicate=1.0))
    assert evolved("deepen", INSTRUCTIONS[0], teacher=lazy) == INSTRUCTIONS[0]
    wrong = PracticeTeacher(Trouble(wrong=1.0))
    said: Counter[str] = Counter()
    for operation in OPERATIONS:
        for given in INSTRUCTIONS:
            text = evolved(operation, given, teacher=wrong)
            said["leaked" if "Prompt#" in text else "answered" if "Answer" in text else "?"] += 1
    assert set(said) == {"leaked", "answered"}
    assert min(said.values()) > 8
    prompt = evolving_prompt(PROMPTS, Step(operation="deepen", round=1, draw=0), INSTRUCTIONS[0])
    assert say(prompt, PracticeTeacher(Trouble(refused=1.0))).finish_reason == "refused"
    assert say(prompt, PracticeTeacher(Trouble(truncated=1.0))).finish_reason == "length"
