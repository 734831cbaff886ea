from __future__ import annotations

from itertools import combinations

import pytest

from seedbed.models.practice import make, skills, skills_of, verify
from seedbed.models.practice.trouble import falsified
from seedbed.models.practice.wording import read_instruction, write_response
from seedbed.streams import rng

ADD = "Take the numbers 3, 5, 8. Add up the numbers."
SORT = "Take the numbers 9, 2, 4. Sort the numbers from smallest to largest."
WEEKDAY = "Take the date 2024-02-29. Name the weekday of the date."
SHOUT = "Take the words fig, ant. Write the words in capital letters."
BULLETS = "Take the words fig, ant. Write the words as bullet points."
JSON = "Take the words fig, ant. Write the words as JSON."
TABLE = "Take the words fig, ant. Write the words as a table with the columns No. and Entry."
SHIFT = "Take the date 2024-02-28. Add 2 days to the date."
METRES = "Take the number 12. Convert the number from kilometres to metres."
TWO = (
    "Take the numbers 9, 2, 4. Take the date 2024-02-29. There are several parts. "
    "(a) Sort the numbers from smallest to largest. (b) Name the weekday of the date."
)


@pytest.mark.parametrize(
    ("instruction", "response"),
    [
        (ADD, "16"),
        (ADD, "Answer: 16"),
        (ADD, "The answer is 16."),
        (ADD, "The sum of 3, 5 and 8 is 16."),
        (ADD, "3 + 5 = 8 and 8 + 8 = 16. So the total is **16**. I hope this helps!"),
        (ADD, "The final answer is: 16, because 3 + 5 + 8 = 16."),
        (ADD, "3 + 5 + 8 = 16\n\nLet me know if you need anything else."),
        (SORT, "2, 4, 9"),
        (SORT, "Sorted they are 2, 4, and 9."),
        (SORT, "Answer: [2, 4, 9]"),
        (SORT, "Sure!\nFrom smallest to largest, the numbers are 2, 4 and 9."),
        (WEEKDAY, "It is a Thursday."),
        (WEEKDAY, "29 February 2024 is a Thursday.\nAnswer: Thursday"),
        (WEEKDAY, "answer: thursday."),
        (SHOUT, "Answer: FIG, ANT"),
        (BULLETS, "Here you are:\n* fig\n* ant"),
        (BULLETS, "Answer:\n- fig\n- ant\n\nHope this helps."),
        (JSON, 'Answer:\n```json\n[\n  "fig",\n  "ant"\n]\n```'),
        (TABLE, "Answer:\n| No. | Entry |\n|:---|---|\n| 1 | fig |\n| 2 | ant |"),
        (SHIFT, "Two days later it is March 1, 2024."),
        (SHIFT, "Answer: 1st March 2024"),
        (METRES, "Answer: 12,000 metres"),
        (METRES, "12 km is 12000 m."),
        (TWO, "Answer (a): 2, 4, 9\nAnswer (b): Thursday"),
        (TWO, "(a) The sorted numbers are 2, 4, 9.\n(b) It is a Thursday."),
        (TWO, "2, 4, 9\nThursday"),
    ],
)
def test_reasonable_wordings_of_a_right_answer_pass(instruction: str, response: str) -> None:
    assert verify(instruction, response) is True


@pytest.mark.parametrize(
    ("instruction", "response"),
    [
        (ADD, ""),
        (ADD, "Answer:"),
        (ADD, "Answer: 15"),
        (ADD, "Answer: 1"),
        (ADD, "Answer: 161"),
        (ADD, "Answer: -16"),
        (ADD, "Answer: 16.5"),
        (ADD, "3 + 5 + 8 = 16.\nAnswer: 17"),
        (ADD, "Answer: 16\nNo, the answer is 17."),
        (ADD, "Answer: 16. No, wait, it is 17."),
        (ADD, "Answer: 15 or 16"),
        (ADD, "Answer: 16 or 17"),
        (ADD, "Answer: 14, 15, 16, 17"),
        (ADD, "You should add up the numbers."),
        (SORT, "Answer: 2, 4"),
        (SORT, "Answer: 2, 4, 9, 10"),
        (SORT, "Answer: 1, 2, 4, 9"),
        (SORT, "Answer: 9, 4, 2"),
        (SORT, "Answer: 2, 4, 99"),
        (WEEKDAY, "Answer: Friday"),
        (WEEKDAY, "Answer: Thurs"),
        (SHOUT, "Answer: fig, ant"),
        (BULLETS, "Answer:\n- fig"),
        (BULLETS, "Answer:\n- ant\n- fig"),
        (BULLETS, "Answer: fig, ant"),
        (JSON, 'Answer: ["fig"'),
        (JSON, 'Answer: ["ant", "fig"]'),
        (TABLE, "Answer:\n| No. | Entry |\n|---|---|\n| 1 | fig |"),
        (SHIFT, "Answer: 2024-03-02"),
        (TWO, "Answer (a): 2, 4, 9"),
        (TWO, "Answer (a): 2, 4, 9\nAnswer (b):"),
        (TWO, "Answer (a): 2, 4, 9\nAnswer (b): Friday"),
        (TWO, "Answer (a): Thursday\nAnswer (b): 2, 4, 9"),
    ],
)
def test_wrong_missing_and_truncated_answers_fail(instruction: str, response: str) -> None:
    assert verify(instruction, response) is False


@pytest.mark.parametrize(
    "instruction",
    [
        "",
        "Write a poem about the sea.",
        "Sort the numbers 3, 1, 2.",
        f"{ADD} Then write a poem about the result.",
        "Add up the numbers.",
        "Take the numbers 3, 5. Take the words fig, ant. Add up the numbers.",
        "Take the date 2024-02-30. Name the weekday of the date.",
        "Take the number 0. Write the number as a Roman numeral.",
        "Take the numbers 3, 5. (b) Add up the numbers. (a) Count the entries in the numbers.",
    ],
)
def test_what_is_not_of_this_world_is_neither_right_nor_wrong(instruction: str) -> None:
    assert verify(instruction, "16") is None
    assert skills_of(instruction) == ()


def test_line_breaks_and_spaces_do_not_matter() -> None:
    assert verify("Take the numbers 3, 5, 8.\n\n Add  up the numbers. ", "Answer: 16") is True


def test_false_answers_to_all_pairs_are_rejected() -> None:
    for pair in combinations([skill.name for skill in skills()], 2):
        random = rng("false", pair)
        instruction, _ = make(pair, "Planning", random)
        task = read_instruction(instruction)
        assert task is not None
        response = write_response(falsified(task, random), random)
        assert verify(instruction, response) is False, f"{instruction}\n{response}"


def test_the_answer_of_another_instruction_is_rejected() -> None:
    """Swapping responses among instructions with the same skills: the form fits, the truth not."""
    wrong = right = 0
    for skill in skills():
        made = [make([skill.name], "", rng("swap", skill.name, n)) for n in range(6)]
        for (instruction, true), (_, other) in combinations(made, 2):
            same = true.partition("Answer:")[2] == other.partition("Answer:")[2]
            assert verify(instruction, other) is same, f"{instruction}\n{other}"
            wrong, right = wrong + (not same), right + same
    assert wrong > 5 * right


def test_a_response_cut_anywhere_before_its_last_answer_never_passes() -> None:
    """With two parts, so that a cut always loses the last one."""
    for seed in range(50):
        instruction, response = make(["adding_numbers", "naming_weekdays"], "", rng("cut", seed))
        start = response.rindex("Answer (b):")
        assert verify(instruction, response[: start + len("Answer (b):")]) is False
