"""Showing demonstrations, and reading new tasks from what models really write."""

from __future__ import annotations

import pytest

from seedbed.recipes.self_instruct.proposals import (
    FORMS,
    Task,
    read_continued,
    read_labelled,
    read_listed,
    read_tasks,
)
from seedbed.records import Drop

TASKS = [
    Task(instruction="Add the  two\nnumbers:", input="2, 3", response="5"),
    Task(instruction="Sing."),
]


def texts(found: list[Task | tuple[str, Drop]]) -> list[str]:
    return [entry.instruction for entry in found if isinstance(entry, Task)]


def test_demonstrations_are_shown_on_one_line_without_a_colon_at_the_end() -> None:
    shown = "1. Add the two numbers\n2. Sing."
    assert FORMS["continued"].show(TASKS, 7) == {"demonstrations": shown, "next": "3."}
    assert FORMS["labelled"].show(TASKS, 7) == {
        "demonstrations": "Task 1: Add the two numbers\nTask 2: Sing.",
        "next": "Task 3:",
    }
    assert FORMS["listed"].show(TASKS, 8) == {
        "demonstrations": shown,
        "first": 3,
        "last": 10,
        "count": 8,
    }


def test_alpacas_blocks_have_input_and_output_and_end_with_a_begun_one() -> None:
    shown = FORMS["tasks"].show(TASKS, 16)
    assert shown["demonstrations"] == (
        "###\n1. Instruction: Add the two numbers\n1. Input:\n2, 3\n1. Output:\n5\n"
        "###\n2. Instruction: Sing.\n2. Input:\n<noinput>\n2. Output:\n\n"
        "###\n3. Instruction:"
    )
    assert shown["total"] == 19


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (
            " Write a poem.\n10. Sort the list.\n11. Why?",
            ["Write a poem.", "Sort the list.", "Why?"],
        ),
        ("9. Write a poem.\n10. Sort it.", ["Write a poem.", "Sort it."]),
        (
            " Pay 3.5 dollars. Then\nwait.\n10 . Next one",
            ["Pay 3.5 dollars. Then wait.", "Next one"],
        ),
        (" In 2020.\n10. A", ["In 2020.", "A"]),
        (" A\n10.B\n11. C", ["A 10.B", "C"]),
        (" A\n10. \n11. C", ["A", "", "C"]),
        ("", [""]),
    ],
)
def test_the_code_parts_where_a_line_begins_with_a_number_and_a_dot(
    text: str, wanted: list[str]
) -> None:
    assert texts(read_continued(text, 8)) == wanted


def test_the_papers_form_parts_at_task_and_a_number() -> None:
    text = " Write a poem.\nTask 10: 1. Sort. 2. Count.\nTask 11: Why?"
    assert texts(read_labelled(text, 8)) == ["Write a poem.", "1. Sort. 2. Count.", "Why?"]
    assert texts(read_labelled("Task 9: Again.\n\nTask 10: On.", 8)) == ["Again.", "On."]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("9. Write a poem.\n10. Sort it.", ["Write a poem.", "Sort it."]),
        ("1. From one.\n2. And two.", ["From one.", "And two."]),
        ("Sure! Here are 8 tasks:\n\n9. First.\n\n10. Second.", ["First.", "Second."]),
        ("**9.** First.\n**10.** Second.", ["First.", "Second."]),
        ("**9. First.**\n**10. Second.**", ["First.", "Second."]),
        ("9) First.\n10) Second.", ["First.", "Second."]),
        ("### 9. First.\n### 10. Second.", ["First.", "Second."]),
        ("Task 9: First.\nTask 10: Second.", ["First.", "Second."]),
        ('9. "Quoted."\n10. **Bold.**\n11. `Code.`', ["Quoted.", "Bold.", "Code."]),
        ("9. **Task:** First.\n10. Instruction: Second.", ["First.", "Second."]),
        (
            "9. Do these:\n1. Wash.\n2. Dry.\n10. Second.\n3. Not an item.",
            ["Do these:\n1. Wash.\n2. Dry.", "Second.\n3. Not an item."],
        ),
        (
            '9. Say "a" and "b".\n10. Go **now** or **never**',
            ['Say "a" and "b".', "Go **now** or **never**"],
        ),
        ("9. Mend this:\r\n    x = 1  \r\n10. B", ["Mend this:\n    x = 1", "B"]),
        ("9. 把句子翻译成英文。\n10. ¿Qué hora es?", ["把句子翻译成英文。", "¿Qué hora es?"]),
        ("9. A\n11. Skipped, so it belongs to A.", ["A\n11. Skipped, so it belongs to A."]),
    ],
)
def test_chat_models_lists_are_read_with_all_their_wrapping(text: str, wanted: list[str]) -> None:
    assert texts(read_listed(text, 8)) == wanted


@pytest.mark.parametrize(
    "text", ["", "I cannot do that.", "- Write a poem.\n- Sort it.", "10. Late."]
)
def test_a_list_without_the_next_number_is_no_list(text: str) -> None:
    (found,) = read_listed(text, 8)
    assert not isinstance(found, Task)
    assert found[1].reason == "unparsed"
    assert "9." in str(found[1].evidence["expected"])


BLOCK = "{0}. Instruction: Do {0}.\n{0}. Input:\n{1}\n{0}. Output:\nout {0}\n"


def test_alpacas_blocks_are_read_whether_or_not_the_first_is_begun_again() -> None:
    first, second = BLOCK.format(4, "<noinput>"), BLOCK.format(5, "a\nb")
    wanted = [
        Task(instruction="Do 4.", response="out 4"),
        Task(instruction="Do 5.", input="a\nb", response="out 5"),
    ]
    for begun in (first.removeprefix("4. Instruction:"), first, f"###\n{first}"):
        assert read_tasks(f"{begun}###\n{second}###\n", 3) == wanted


@pytest.mark.parametrize("marker", ["<noinput>", "<NoInput>", "No input.", "N/A", "< noinput >"])
def test_every_spelling_of_no_input_is_none(marker: str) -> None:
    (task,) = read_tasks(BLOCK.format(4, marker), 3)
    assert isinstance(task, Task)
    assert task.input == ""


@pytest.mark.parametrize(
    "second",
    [
        BLOCK.format(6, "x"),
        "5. Instruction: Do.\n5. Output:\nout\n",
        BLOCK.format(5, "x") + BLOCK.format(5, "y"),
        "5. Instruction: Do.\n5. Output:\nout\n5. Input:\nx\n",
        "Hello.",
    ],
)
def test_a_block_without_exactly_its_three_fields_is_no_task(second: str) -> None:
    found = read_tasks(BLOCK.format(4, "x") + "###\n" + second + "###\n" + BLOCK.format(6, "z"), 3)
    assert [isinstance(entry, Task) for entry in found] == [True, False, True]
