"""What is asked and what is read: operations, the judge's verdict, repairs."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from tests.recipes.evol_instruct.teachers import PROMPTS, Teacher, given, grown, seeds

from seedbed.recipes.evol_instruct.equality import verdict
from seedbed.recipes.evol_instruct.operations import Step, draw_step, evolving_prompt, operation_of
from seedbed.recipes.evol_instruct.params import IN_DEPTH, OPERATIONS, Operation, Params
from seedbed.recipes.evol_instruct.presets import PRESETS
from seedbed.recipes.evol_instruct.rewriting import repaired

TEXT = "What is $5 in euros?"


@pytest.mark.parametrize("operation", OPERATIONS)
def test_each_operation_asks_for_itself_and_ends_with_the_instruction(operation: Operation) -> None:
    form = "JSON data" if operation == "complicate_input" else ""
    prompt = evolving_prompt(PROMPTS, Step(operation=operation, format=form, round=1, draw=0), TEXT)
    heading = "Created" if operation == "broaden" else "Rewritten"
    assert prompt.endswith(f"### Given prompt:\n{TEXT}\n\n### {heading} prompt:")
    if operation in IN_DEPTH:
        assert f"Method: {PROMPTS.templates[operation]}" in prompt
    if form:
        assert prompt.count("### Data format: JSON data\n") == 1


def test_what_operations_share_comes_first() -> None:
    prompts = [
        evolving_prompt(PROMPTS, Step(operation=one, round=1, draw=0), TEXT) for one in IN_DEPTH
    ]
    shared = PROMPTS.templates["rewrite"].partition("$method")[0]
    assert all(prompt.startswith(shared) for prompt in prompts)
    assert len(set(prompts)) == 4


def test_a_step_follows_from_seed_round_and_parent_alone() -> None:
    params = Params(seed=3)
    step = draw_step("abc", number=2, draw=0, params=params)
    assert step == draw_step("abc", number=2, draw=0, params=params)
    steps = {
        draw_step(parent, number=number, draw=0, params=replace(params, seed=seed)).name
        for parent in ("abc", "def", "ghi")
        for number in (1, 2, 3)
        for seed in (1, 2, 3)
    }
    assert {operation_of(name) for name in steps} == set(OPERATIONS)


def test_the_released_code_has_no_complicate_input() -> None:
    code = PRESETS["wizardlm"]
    drawn = Counter(
        draw_step(str(number), number=1, draw=0, params=code).name for number in range(500)
    )
    assert set(drawn) == {*IN_DEPTH, "broaden"}
    assert min(drawn.values()) > 70
    assert (code.rounds, code.sampling.top_p, code.elimination.equality) == (1, 0.95, False)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Equal", "equal"),
        ("**Equal.**", "equal"),
        ("Not Equal", "not equal"),
        ("not equal.", "not equal"),
        ("They are not quite equal.", "not equal"),
        ("These two are unequal", "not equal"),
        ("They aren't equal", "not equal"),
        ("At first they look equal.\nJudgement: Not equal", "not equal"),
        ("Same demands? No, not equal there.\nYet in depth the same.\nEqual", "equal"),
        ("Hard to say", None),
        ("", None),
    ],
)
def test_not_equal_is_read_before_equal(text: str, wanted: str | None) -> None:
    assert verdict(text) == wanted


@pytest.mark.parametrize(
    ("text", "wanted", "names"),
    [
        ("  Name two birds. \n", "Name two birds.", ()),
        ("#Rewritten Prompt#:\nName two birds.", "Name two birds.", ("heading_removed",)),
        ("### Rewritten prompt: Name two birds.", "Name two birds.", ("heading_removed",)),
        (
            "#Given Prompt#:\nName a bird.\n#Rewritten Prompt#:\nName two birds.",
            "Name two birds.",
            ("heading_removed",),
        ),
        (
            "#Rewritten Prompt#:\nName a bird.\n\n#Rewritten Prompt#:\nName two birds.",
            "Name two birds.",
            ("heading_removed",),
        ),
        (
            "Sure! Here is a more complex version of the prompt:\n\nName two birds.",
            "Name two birds.",
            ("preface_removed",),
        ),
        ('"Name two birds."', "Name two birds.", ("quotes_removed",)),
        ('"Fly" and "swim": which is harder?', '"Fly" and "swim": which is harder?', ()),
        ("Here is a list of birds:\n\nowl, jay", "Here is a list of birds:\n\nowl, jay", ()),
        ("Rewritten prompt:", "Rewritten prompt:", ()),
        ("Name the rewritten prompt twice.", "Name the rewritten prompt twice.", ()),
    ],
)
def test_what_stands_around_a_rewriting_is_taken_off(
    text: str, wanted: str, names: tuple[str, ...]
) -> None:
    assert repaired(text) == (wanted, names)


def test_repairs_are_told_and_can_be_off() -> None:
    teacher = Teacher(rewrite=lambda request: f'"{given(request)} Name three causes."')
    params = replace(Params(), rounds=1, operations=("deepen",))
    [example], _ = grown(teacher, params, given=seeds(1))
    assert example.repairs == ("quotes_removed",)
    assert example.instruction.text == "Explain topic number 0. Name three causes."
    [raw], _ = grown(teacher, replace(params, repair=False), given=seeds(1))
    assert (raw.instruction.text[0], raw.repairs) == ('"', ())


def test_a_dollar_sign_in_an_instruction_is_no_placeholder() -> None:
    prompt = evolving_prompt(PROMPTS, Step(operation="broaden", round=1, draw=0), "Why $x and $$?")
    assert "### Given prompt:\nWhy $x and $$?\n" in prompt
