"""Step 4: rows for finetuning a model that knows no format yet."""

from __future__ import annotations

import random

from seedbed.recipes.self_instruct import shipped_seeds
from seedbed.recipes.self_instruct.format import (
    END,
    WITH_INPUT,
    WITHOUT_INPUT,
    finetuning_rows,
    laid_out,
)
from seedbed.records import Example, Instruction

SEEDS = [example for seed in shipped_seeds() for example in seed.examples]


def example(given: str = "", response: str = "R") -> Example:
    return Example(instruction=Instruction(text=" I "), input=given, response=response)


def layouts(given: str) -> set[tuple[str, str]]:
    return {laid_out(example(given), random.Random(n), end="<e>") for n in range(500)}


def test_there_are_seven_layouts_with_an_input_and_six_without() -> None:
    assert layouts("A sentence") == {
        ("I\nInput: A sentence\nOutput:", " R<e>"),
        ("I\n\nInput: A sentence\n\nOutput:", " R<e>"),
        ("Task: I\nInput: A sentence\nOutput:", " R<e>"),
        ("I\n\nA sentence\n\nOutput:", " R<e>"),
        ("I\n\nA sentence\n\n", "R<e>"),
        ("I\nA sentence\n\n", "R<e>"),
        ("Task: I\n\nA sentence\n\n", "R<e>"),
    }
    assert layouts("") == {
        ("I Output:", " R<e>"),
        ("I\nOutput:", " R<e>"),
        ("I\n\nOutput:", " R<e>"),
        ("I\n", "R<e>"),
        ("I\n\n", "R<e>"),
        ("Task: I\n\n", "R<e>"),
    }
    assert (len(WITH_INPUT), len(WITHOUT_INPUT)) == (7, 6)


def test_half_of_the_inputs_lose_the_name_of_their_only_field_and_blank_lines() -> None:
    given = "Text: one\n\ntwo"
    bare = [prompt for prompt, _ in layouts(given) if "Text:" not in prompt]
    whole = [prompt for prompt, _ in layouts(given) if "Text:" in prompt]
    assert all("one\ntwo" in prompt for prompt in bare)
    assert all(given in prompt for prompt in whole)
    assert len(bare) == len(whole) == 7
    assert not [p for p, _ in layouts("Question: a\nHint: b") if "Question:" not in p]


def test_rows_are_all_there_shuffled_and_the_same_each_time() -> None:
    rows = finetuning_rows(SEEDS)
    assert len(rows) == 175
    assert rows == finetuning_rows(reversed(SEEDS))
    assert rows != finetuning_rows(SEEDS, seed=1)
    for one in SEEDS:
        ends = [row for row in rows if row["completion"].strip() == one.response.strip() + END]
        assert any(one.instruction.text in row["prompt"] for row in ends)
    assert all(row["completion"].endswith(END) for row in rows)


def test_the_same_prompt_and_completion_stand_once() -> None:
    twice = [example(), Example(instruction=Instruction(text="I "), response="R")]
    counts = {len(finetuning_rows(twice, seed=seed)) for seed in range(40)}
    assert counts == {1, 2}
