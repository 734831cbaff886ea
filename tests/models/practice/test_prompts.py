"""The teacher reads rendered prompts: each file of Instruct-SkillMix is answered in its form."""

from __future__ import annotations

import asyncio

import pytest

from seedbed.models.practice import PracticeTeacher, make, skills, skills_of, topics, verify
from seedbed.prompts import load_prompts
from seedbed.recipes.skillmix.parse import parse_conversation, parse_names, parse_query_types
from seedbed.records import Drop, Message, Request
from seedbed.streams import rng

PROMPTS = load_prompts("seedbed.recipes.skillmix")
NAMES = {skill.name for skill in skills()}


def say(*turns: str, draw: int = 0, teacher: PracticeTeacher | None = None) -> str:
    """The answer to a conversation; turns alternate, the first and the last are the user's."""
    messages = tuple(
        Message("assistant" if place % 2 else "user", text) for place, text in enumerate(turns)
    )
    request = Request(messages=messages, draw=draw)
    return asyncio.run((teacher or PracticeTeacher()).complete(request)).text


def ask(name: str, /, **values: object) -> str:
    return say(PROMPTS.fill(name, **values))


def draft_prompt(skills: str = "adding_numbers, roman_numerals") -> str:
    return PROMPTS.fill(
        "draft", skills=skills, query_type="Error Detection", definition='A type.\n- "An example"'
    )


def example(text: str) -> tuple[str, str]:
    parsed = parse_conversation(text)
    assert not isinstance(parsed, Drop), text
    return parsed


def test_topics_are_listed_once_and_no_more_than_there_are() -> None:
    assert sorted(parse_names(ask("topics", count=50, known="none"))) == sorted(topics())
    known = ", ".join(topics()[:5])
    assert set(parse_names(ask("topics", count=50, known=known))) == set(topics()[5:])
    assert len(parse_names(ask("topics", count=3, known="none"))) == 3
    assert parse_names(ask("topics", count=3, known=", ".join(topics()))) == []


def test_skills_are_those_of_the_topic_that_are_not_listed_yet() -> None:
    mine = {skill.name for skill in skills() if skill.topic == "calendar_dates"}
    assert set(parse_names(ask("skills", topic="calendar_dates", count=25, known="none"))) == mine
    listed = sorted(mine)[0]
    rest = parse_names(ask("skills", topic="calendar_dates", count=25, known=listed))
    assert set(rest) == mine - {listed}
    assert len(parse_names(ask("skills", topic="Calendar Dates", count=2, known="none"))) == 2
    assert parse_names(ask("skills", topic="beekeeping", count=25, known="none")) == []


def test_query_types_come_in_the_asked_form() -> None:
    kinds = parse_query_types(ask("query_types", count=40, known="none"))
    assert len(kinds) >= 16
    assert all(kind.definition and len(kind.examples) == 2 for kind in kinds)
    rest = parse_query_types(ask("query_types", count=40, known=f"{kinds[0].name}, Planning"))
    assert {kind.name for kind in kinds} - {kind.name for kind in rest} == {
        kinds[0].name,
        "Planning",
    }
    assert len(parse_query_types(ask("query_types", count=5, known="none"))) == 5


def test_query_types_are_inferred_from_instructions() -> None:
    instructions = "- Compare a cat and a dog.\n- Plan a trip to Rome.\n- Find the errors in this."
    kinds = parse_query_types(ask("infer_query_types", count=9, instructions=instructions))
    examples = {kind.name: kind.examples for kind in kinds}
    assert examples["Comparative"] == ("Compare a cat and a dog.",)
    assert {"Planning", "Error Detection"} <= examples.keys()
    assert "Narrative" not in examples
    assert len(parse_query_types(ask("infer_query_types", count=1, instructions=instructions))) == 1


def test_a_practice_instruction_is_labelled_with_its_own_skills() -> None:
    instruction, response = make(["sorting_numbers", "json_formatting"], "Planning", rng(1))
    text = ask("label", limit=3, instruction=instruction, response=response)
    assert set(parse_names(text)) == {"sorting_numbers", "json_formatting"}
    assert len(parse_names(ask("label", limit=1, instruction=instruction, response=response))) == 1


@pytest.mark.parametrize(
    ("instruction", "labels"),
    [
        ("Arrange the following words alphabetically: ship, school, keep.", ["alphabetical_order"]),
        ("Convert 5 miles to kilometers", ["converting_length"]),
        ("Count the number of words in this text.\n\nIt is late.", ["counting_words"]),
        ("Find the sum of 6 and 12.", ["adding_numbers"]),
        ("Write a Python function that sorts a list of numbers in ascending order.", []),
        ("Write a story about a resort.", []),
        ("Describe an account manager's day.", []),
        ("### Response:\nWhat is this?", []),
    ],
)
def test_real_instructions_get_a_label_only_where_words_are_plain(
    instruction: str, labels: list[str]
) -> None:
    assert parse_names(ask("label", limit=3, instruction=instruction, response="r")) == labels


def test_relabelling_stays_within_the_closed_list() -> None:
    instruction, _ = make(["sorting_numbers", "json_formatting"], "Planning", rng(1))
    families = "cooking\nSorting Numbers\nstructured_output"
    text = ask("relabel", limit=3, families=families, instruction=instruction)
    assert sorted(text.splitlines()) == ["Sorting Numbers", "structured_output"]
    assert ask("relabel", limit=3, families="cooking", instruction=instruction) == "none"
    assert ask("relabel", limit=3, families=families, instruction="Sing.") == "none"


def test_labels_are_clustered_into_topics() -> None:
    labels = "adding_numbers\naveraging_numbers\nsorting_numbers\nbaking\nknitting"
    families = parse_names(ask("cluster", count=10, labels=labels))
    assert families == ["everyday_arithmetic", "ordering_items", "baking", "knitting"]
    assert len(parse_names(ask("cluster", count=3, labels=labels))) == 3
    assert len(parse_names(ask("cluster", count=1, labels=labels))) == 1


def test_presence_is_judged_skill_by_skill() -> None:
    instruction, response = make(["sorting_numbers", "json_formatting"], "Planning", rng(1))
    asked = "sorting_numbers, Structured Output, cooking"
    text = ask("presence", skills=asked, instruction=instruction, response=response)
    assert text.splitlines() == ["sorting_numbers: yes", "Structured Output: yes", "cooking: no"]
    wrong = ask("presence", skills=asked, instruction=instruction, response="Answer: [1]")
    assert wrong.splitlines() == ["sorting_numbers: no", "Structured Output: no", "cooking: no"]


def test_the_slots_of_a_draft_are_the_last_ones() -> None:
    instruction, response = example(say(draft_prompt()))
    assert sorted(skills_of(instruction)) == ["adding_numbers", "roman_numerals"]
    assert verify(instruction, response) is True


def test_a_draft_of_an_unknown_skill_is_declined_and_names_it() -> None:
    text = say(draft_prompt("adding_numbers, beekeeping"))
    assert "beekeeping" in text
    assert isinstance(parse_conversation(text), Drop)


def test_three_turns_keep_the_task_and_show_the_working() -> None:
    turns = [draft_prompt()]
    for name in ("critique", "refine"):
        turns += [say(*turns), PROMPTS.fill(name)]
    first, thin = example(turns[1])
    second, full = example(say(*turns))
    assert turns[3].startswith("- Weakness")
    assert first != second
    assert skills_of(first) == skills_of(second)
    assert thin.splitlines()[-1] == full.splitlines()[-1]
    assert len(full.splitlines()) > len(thin.splitlines())
    assert verify(second, full) is True


def test_five_turns_end_with_the_refined_instruction() -> None:
    turns = [draft_prompt()]
    for name in ("complete_draft", "critique", "refine", "complete_refined"):
        turns += [say(*turns), PROMPTS.fill(name)]
    refined, _ = example(turns[7])
    instruction, response = example(say(*turns))
    assert instruction == refined
    assert verify(instruction, response) is True


def test_a_spoiled_draft_is_written_anew_from_the_slots() -> None:
    for spoiled in ("", "I'm sorry.", "### Instruction:\nTake the numbers 3,"):
        turns = (draft_prompt(), spoiled, PROMPTS.fill("critique"), "…", PROMPTS.fill("refine"))
        instruction, response = example(say(*turns))
        assert sorted(skills_of(instruction)) == ["adding_numbers", "roman_numerals"]
        assert verify(instruction, response) is True


@pytest.mark.parametrize(
    ("turn", "expected"),
    [
        ("Please list every weakness of the response before we improve it.", "- Weakness"),
        ("Please refine your instruction and response now.", "### Instruction:"),
        ("Your text was cut off. Once more in full, please.", "### Instruction:"),
    ],
)
def test_reworded_turns_are_still_understood(turn: str, expected: str) -> None:
    assert say(draft_prompt(), say(draft_prompt()), turn).startswith(expected)


def test_reworded_first_prompts_are_still_understood() -> None:
    text = "Name broad topics.\nTopics already listed: none\nNumber of topics wanted: 4\n"
    assert len(parse_names(say(text))) == 4
    text = "Write skills.\nTopic: calendar_dates\nNumber of skills: 2\nOne a line."
    assert len(parse_names(say(text))) == 2
    text = "Go.\n## Task type: Planning\n## Skills: adding_numbers\n\nUse the form shown above."
    assert skills_of(example(say(text))[0]) == ("adding_numbers",)


def test_a_plain_instruction_is_answered_and_anything_else_honestly_declined() -> None:
    instruction, _ = make(["sorting_numbers", "adding_numbers"], "Planning", rng(1))
    assert verify(instruction, say(instruction)) is True
    wrapped = f"Below is an instruction.\n\n### Instruction:\n{instruction}\n\n### Response:"
    assert verify(instruction, say(wrapped)) is True
    assert "practice teacher of seedbed" in say("Who was Ada Lovelace?")
    assert "practice teacher of seedbed" in say("")
