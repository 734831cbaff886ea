"""Each rule on the field it belongs to, alone and in the recipe."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest
from tests.recipes.evol_instruct.teachers import PROMPTS, RESPONSE, Teacher, grown, seeds

from seedbed.curate.filters import first_objection
from seedbed.recipes.evol_instruct.elimination import (
    Rewriting,
    duplicates,
    instruction_rules,
    response_rules,
)
from seedbed.recipes.evol_instruct.params import NO_BOUND, Elimination, Growth, Operation, Params
from seedbed.recipes.evol_instruct.presets import PRESETS
from seedbed.records import Drop, Example, Instruction

ALL = Elimination()
NONE = PRESETS["wizardlm"].elimination
PARENT = "Explain why the sky is blue."
GOOD = "Explain to a child why the sky is blue at noon but red in the evening."


def about_instruction(
    text: str,
    *,
    parent: str = PARENT,
    root: str = PARENT,
    operation: Operation = "deepen",
    elimination: Elimination = ALL,
) -> Drop | None:
    made = Rewriting(operation=operation, root=root, parent=parent, text=text)
    return first_objection(made, instruction_rules(elimination, PROMPTS))


def about_response(text: str, *, elimination: Elimination = ALL) -> Drop | None:
    example = Example(instruction=Instruction(text=GOOD), response=text)
    return first_objection(example, response_rules(elimination))


def reason(drop: Drop | None) -> str:
    return "" if drop is None else drop.reason


LEAKS = (
    "#Rewritten Prompt#: Explain why the sky is blue.",
    "Take the given prompt and explain why the sky is blue at noon.",
    "Explain the REWRITTEN\nprompt about the sky.",
    "Explain the sky. It must make sense, be understood by a person at once, please.",
)


@pytest.mark.parametrize("text", LEAKS)
def test_copied_words_of_the_evolving_prompt_fail_the_instruction(text: str) -> None:
    found = about_instruction(text)
    assert reason(found) == "leaked_prompt"
    assert found is not None
    assert found.evidence["field"] == "instruction"
    assert about_instruction(text, elimination=replace(ALL, leaked=False)) is None


def test_what_the_parent_says_itself_is_not_copied() -> None:
    parent = "Is the given prompt a good one?"
    assert about_instruction(f"{parent} Name two reasons.", parent=parent) is None


@pytest.mark.parametrize("text", ["", " \n", "\u200b"])
def test_an_empty_rewriting_fails_whatever_the_settings(text: str) -> None:
    assert reason(about_instruction(text, elimination=NONE)) == "empty"


@pytest.mark.parametrize("text", [PARENT, "explain why the Sky is blue", f"**{PARENT}**"])
def test_a_rewriting_with_the_same_words_is_unchanged(text: str) -> None:
    assert reason(about_instruction(text)) == "unchanged"
    assert about_instruction(text, elimination=NONE) is None
    back = about_instruction(text, parent="Explain the sky at night, please, in full.")
    assert back == Drop(reason="unchanged", evidence={"as": "seed", "words": 6})


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("I'm sorry, but I cannot assist with rewriting that.", "refusal"),
        ("As an AI language model, can you explain the sky?", "self_talk"),
        ("Sure! The sky is blue because of scattering.", "answered"),
        ("The sky is blue because air scatters short waves of light.", "answered"),
        (f"{GOOD}\n\nAnswer: Because air scatters blue light.", "answered"),
        ("Explain why the sky is blue, and then also because of the", "truncated"),
        (GOOD, ""),
    ],
)
def test_what_is_no_rewriting_fails_with_its_reason(text: str, wanted: str) -> None:
    assert reason(about_instruction(text)) == wanted


def test_growth_is_bounded_for_one_evolution_and_for_all_of_a_lineage() -> None:
    def say(words: int) -> str:
        return "Explain " + " ".join(f"thing{number}" for number in range(words - 1)) + "."

    parent, bound = say(10), replace(ALL, growth=Growth(words=20, characters=None, words_in_all=50))
    assert about_instruction(say(30), parent=parent, elimination=bound) is None
    found = about_instruction(say(31), parent=parent, elimination=bound)
    assert found == Drop(reason="grown", evidence={"unit": "words", "added": 21, "maximum": 20})
    with_data = about_instruction(
        say(60), parent=parent, root=say(10), operation="complicate_input", elimination=bound
    )
    assert with_data is None
    later = about_instruction(say(60), parent=say(50), root=say(5), elimination=bound)
    assert later is not None
    assert later.evidence == {"unit": "words_in_all", "added": 55, "maximum": 50}
    short = replace(ALL, growth=replace(NO_BOUND, characters=40))
    long_words = about_instruction(say(12), parent=say(2), elimination=short)
    assert long_words is not None
    assert long_words.evidence["unit"] == "characters"
    assert about_instruction(say(900), elimination=replace(ALL, growth=NO_BOUND)) is None


def test_growth_counts_scripts_without_spaces_too() -> None:
    bound = replace(ALL, growth=Growth(words=20, characters=None, words_in_all=None))
    found = about_instruction("请解释" * 10, parent="请解释天空", elimination=bound)
    assert reason(found) == "grown"


@pytest.mark.parametrize(
    ("text", "wanted", "setting"),
    [
        ("Sorry, there is nothing that I know of it.", "short_apology", "short_apology"),
        ("It is that, and this!", "no_content", "no_content"),
        ("... !", "no_content", "no_content"),
        ("I'm sorry, but I can't help with that request.", "refusal", "refusal"),
        ("Could you please provide the text that you mean?", "asks_back", "asks_back"),
        ("Understood. What shall we begin with?", "asks_back", "asks_back"),
        ("It has three causes, of which the first is,", "truncated", "truncated"),
    ],
)
def test_each_rule_about_responses_has_its_reason_and_its_switch(
    text: str, wanted: str, setting: str
) -> None:
    found = about_response(text)
    assert found is not None
    assert (found.reason, found.evidence["field"]) == (wanted, "response")
    off = {"short_apology": 0} if setting == "short_apology" else {setting: False}
    assert reason(about_response(text, elimination=replace(ALL, **off))) != wanted
    assert about_response(text, elimination=NONE) is None


def test_a_sound_response_passes_and_an_empty_one_never() -> None:
    assert about_response(RESPONSE) is None
    assert about_response("Yes.") is None
    assert reason(about_response("", elimination=NONE)) == "empty"
    long = "Sorry to hear that you failed. " + "Try it again with a friend next week. " * 12
    assert about_response(long) is None
    letter = "Dear Ms Lee, please provide the documents by Friday. " + "Here is why. " * 40
    assert about_response(letter) is None


def test_sorry_counts_in_the_response_and_not_in_the_instruction() -> None:
    sorry = "Write a short letter that says sorry for the late delivery of a parcel."
    teacher = Teacher(rewrite=lambda request: sorry)
    assert len(grown(teacher, replace(Params(), rounds=1), given=seeds(1))[0]) == 1
    teacher = Teacher(answer=lambda request: "Sorry, we were late.")
    examples, drops = grown(teacher, replace(Params(), rounds=2), given=seeds(1))
    assert examples == []
    assert [drop.reason for _, drop in drops] == ["short_apology", "short_apology"]
    assert all(isinstance(item, Example) for item, _ in drops)


def test_the_papers_elimination_is_the_papers_four_rules() -> None:
    paper = PRESETS["paper"].elimination
    on = {name for name, setting in asdict(paper).items() if setting} - {"growth"}
    assert on == {"equality", "short_apology", "no_content", "leaked"}
    assert paper.short_apology == 80
    assert paper.growth == NO_BOUND


def test_duplicates_are_those_with_the_same_words() -> None:
    check = duplicates(ALL)
    first = Example(instruction=Instruction(text="Name a bird."), response="Owl")
    assert check(first) is None
    assert check(replace(first, input="that swims")) is None
    again = check(replace(first, instruction=Instruction(text="name a BIRD"), response="Jay"))
    assert again == Drop(reason="duplicate", evidence={"of": first.id})
