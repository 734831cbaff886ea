from __future__ import annotations

from random import Random

import pytest

from seedbed.errors import ConfigError
from seedbed.models.practice import PracticeSkill, make, skills, skills_of, topics, verify
from seedbed.models.practice.compose import Step, run
from seedbed.models.practice.skills_arithmetic import in_words
from seedbed.models.practice.values import Kind, Value
from seedbed.models.practice.wording import read_instruction, write_response
from seedbed.models.practice.world import skill_named
from seedbed.recipes.skillmix.skillset import alike, normalise
from seedbed.streams import rng


def result(name: str, kind: Kind, items: str, **parameters: str) -> str:
    entries = tuple(items.split(", ")) if kind in ("numbers", "words") else (items,)
    part = run(Value(kind, entries), [Step(skill_named(name), parameters)])
    return "none" if part is None else part.result.text


def test_there_are_enough_skills_and_topics() -> None:
    assert len(skills()) >= 28
    assert len(topics()) >= 7
    assert {skill.topic for skill in skills()} == set(topics())


def test_skill_names_are_distinct_and_already_normalised() -> None:
    names = [skill.name for skill in skills()]
    assert len(set(names)) == len(names)
    assert [normalise(name) for name in (*names, *topics())] == [*names, *topics()]


def test_no_two_skills_are_so_alike_that_a_mix_would_leave_them_out() -> None:
    names = [skill.name for skill in skills()]
    pairs = [(a, b) for place, a in enumerate(names) for b in names[place + 1 :] if alike(a, b)]
    assert pairs == []


@pytest.mark.parametrize("skill", skills(), ids=lambda skill: skill.name)
def test_every_phrasing_is_read_as_its_own_skill(skill: PracticeSkill) -> None:
    assert len(set(skill.phrasings)) >= 4
    random = rng("phrasings", skill.name)
    for phrasing in skill.phrasings:
        instruction, response = worded(skill, phrasing, random)
        assert skills_of(instruction) == (skill.name,)
        assert verify(instruction, response) is True


def worded(skill: PracticeSkill, phrasing: str, random: Random) -> tuple[str, str]:
    """An instruction in one exact phrasing: taken from many until it comes up."""
    start = phrasing.partition("{")[0]
    for _ in range(1000):
        instruction, response = make([skill.name], "", random)
        if start in instruction or start.capitalize() in instruction:
            return instruction, response
    raise AssertionError(f"{phrasing!r} never came up")


WORKED: list[tuple[str, Kind, str, dict[str, str], str]] = [
    ("adding_numbers", "numbers", "3, 5, 8", {}, "16"),
    ("averaging_numbers", "numbers", "3, 5, 9", {}, "5"),
    ("multiplying_by_factor", "numbers", "3, 5", {"n": "4"}, "12, 20"),
    ("finding_remainders", "number", "17", {"n": "5"}, "2"),
    ("sorting_numbers", "numbers", "10, 9, 2", {"order": "from smallest to largest"}, "2, 9, 10"),
    ("alphabetical_order", "words", "pen, fig, ant", {}, "ant, fig, pen"),
    ("reversing_order", "words", "pen, fig, ant", {}, "ant, fig, pen"),
    ("ordering_by_length", "words", "apple, fig, moon", {"order": "shortest first"},
     "fig, moon, apple"),
    ("counting_words", "sentence", "The fox saw 3 hens.", {}, "5"),
    ("counting_vowels", "sentence", "The fox saw 3 hens.", {}, "4"),
    ("counting_items", "words", "pen, fig, ant", {}, "3"),
    ("measuring_words", "words", "apple, fig", {}, "5, 3"),
    ("capital_letters", "words", "apple, fig", {}, "APPLE, FIG"),
    ("backward_spelling", "words", "apple, fig", {}, "elppa, gif"),
    ("first_letters", "words", "apple, fig, moon", {}, "AFM"),
    ("removing_vowels", "words", "apple, fig", {}, "ppl, fg"),
    ("extracting_numbers", "sentence", "The fox saw 3 hens and 12 eggs.", {}, "3, 12"),
    ("listing_words", "sentence", "The fox saw 3 hens.", {}, "the, fox, saw, hens"),
    ("longest_word", "words", "apple, fig, moon", {}, "apple"),
    ("longest_word", "words", "pen, fig, moon, lamp", {}, "none"),
    ("words_with_letter", "words", "apple, fig, plum", {"letter": "p"}, "apple, plum"),
    ("removing_duplicates", "numbers", "3, 5, 3", {}, "3, 5"),
    ("common_members", "numbers", "3, 5, 8", {"list": "5, 8, 9"}, "5, 8"),
    ("filtering_by_limit", "numbers", "3, 5, 8", {"n": "3"}, "5, 8"),
    ("finding_extremes", "numbers", "3, 11, 8", {"which": "largest"}, "11"),
    ("checking_parity", "number", "10", {}, "even"),
    ("converting_length", "number", "12", {"units": "from kilometres to metres"}, "12000"),
    ("converting_weight", "number", "3", {"units": "from kilograms to grams"}, "3000"),
    ("converting_time", "number", "3", {"units": "from hours to minutes"}, "180"),
    ("converting_money", "number", "3", {"units": "from dollars to cents"}, "300"),
    ("shifting_dates", "date", "2024-02-28", {"n": "2"}, "2024-03-01"),
    ("naming_weekdays", "date", "2024-02-29", {}, "Thursday"),
    ("day_of_year", "date", "2024-12-31", {}, "366"),
    ("writing_out_dates", "date", "2025-07-04", {}, "4 July 2025"),
    ("json_formatting", "words", "apple, fig", {}, '["apple", "fig"]'),
    ("json_formatting", "number", "12", {}, '{"result": 12}'),
    ("bullet_points", "numbers", "3, 5", {}, "- 3\n- 5"),
    ("numbered_lists", "words", "fig, ant", {}, "1. fig\n2. ant"),
    ("table_layout", "numbers", "3, 5", {}, "| No. | Entry |\n|---|---|\n| 1 | 3 |\n| 2 | 5 |"),
    ("rectangle_area", "number", "6", {"n": "7"}, "42"),
    ("rectangle_perimeter", "number", "6", {"n": "7"}, "26"),
    ("square_area", "number", "6", {}, "36"),
    ("cuboid_volume", "number", "6", {"n": "2"}, "24"),
    ("roman_numerals", "number", "1994", {}, "MCMXCIV"),
    ("roman_numerals", "number", "0", {}, "none"),
    ("binary_notation", "number", "13", {}, "1101"),
    ("number_words", "number", "42", {}, "forty-two"),
    ("splitting_digits", "number", "405", {}, "4, 0, 5"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "kind", "items", "parameters", "expected"), WORKED)
def test_each_skill_computes_what_it_says(
    name: str, kind: Kind, items: str, parameters: dict[str, str], expected: str
) -> None:
    assert result(name, kind, items, **parameters) == expected


def test_every_skill_has_a_worked_example() -> None:
    assert {name for name, *_ in WORKED} == {skill.name for skill in skills()}


def test_number_words_are_right_at_the_turns() -> None:
    assert in_words(0) == "zero"
    assert in_words(100) == "one hundred"
    assert in_words(219) == "two hundred nineteen"
    assert in_words(999_999) == "nine hundred ninety-nine thousand nine hundred ninety-nine"


def test_a_topic_stands_for_one_of_its_skills_that_is_not_there_yet() -> None:
    for seed in range(20):
        instruction, _ = make(["calendar_dates", "naming_weekdays"], "", Random(seed))
        others = set(skills_of(instruction)) - {"naming_weekdays"}
        assert len(others) == 1
        assert skill_named(others.pop()).topic == "calendar_dates"


def test_an_unknown_skill_is_an_error_that_names_it() -> None:
    with pytest.raises(ConfigError, match="beekeeping"):
        make(["adding_numbers", "beekeeping"], "", Random(0))
    with pytest.raises(ConfigError, match="at least one"):
        make([], "", Random(0))


def test_a_response_shows_its_working_and_ends_with_the_answer() -> None:
    task = read_instruction("Take the numbers 3, 5, 8. Add up the numbers, then write the result "
                            "as a Roman numeral.")  # fmt: skip
    assert task is not None
    lines = write_response(task, Random(1)).splitlines()
    assert lines[-3:] == ["3 + 5 + 8 = 16.", "In Roman numerals, 16 is XVI.", "Answer: XVI"]
