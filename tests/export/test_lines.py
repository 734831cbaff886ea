"""A line of `examples.jsonl` is the example: nothing is lost on the way and back."""

from __future__ import annotations

import json
from math import inf, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.errors import DatasetError
from seedbed.export import drop_to_json, example_from_json, example_to_json
from seedbed.files import json_line
from seedbed.records import Attempt, Drop, Example, Instruction, Origin

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()))


def examples(text: st.SearchStrategy[str]) -> st.SearchStrategy[Example]:
    texts = st.lists(text, max_size=3).map(tuple)
    numbers = st.integers(0, 10**30)
    origins = st.builds(
        Origin,
        recipe=text,
        step=text,
        seed=numbers,
        round=numbers,
        draw=numbers,
        skills=texts,
        query_type=text,
        parents=texts,
        calls=texts,
    )
    instructions = st.builds(Instruction, text=text, origin=origins)
    return st.builds(Example, instruction=instructions, input=text, response=text, repairs=texts)


@given(examples(ANY_TEXT))
def test_any_example_comes_back(example: Example) -> None:
    assert example_from_json(example_to_json(example)) == example


@given(examples(st.text()))
def test_any_unicode_comes_back_from_a_line(example: Example) -> None:
    line = json_line(example_to_json(example)).encode("utf-8")
    assert example_from_json(json.loads(line)) == example


@given(examples(ANY_TEXT))
def test_any_example_can_be_written(example: Example) -> None:
    line = json_line(example_to_json(example))
    assert example_to_json(example_from_json(json.loads(line.encode("utf-8")))).keys()


EXAMPLE = Example(
    instruction=Instruction(
        text="Q",
        origin=Origin(
            recipe="skillmix",
            step="three_turn",
            seed=1,
            round=2,
            draw=3,
            skills=("a", "b"),
            query_type="t",
            parents=("p",),
            calls=("k",),
        ),
    ),
    input="I",
    response="A",
    repairs=("tail",),
)


def test_the_keys_are_readable_and_in_a_stable_order() -> None:
    assert example_to_json(EXAMPLE) == {
        "id": EXAMPLE.id,
        "instruction_id": EXAMPLE.instruction.id,
        "instruction": "Q",
        "input": "I",
        "response": "A",
        "recipe": "skillmix",
        "step": "three_turn",
        "seed": 1,
        "round": 2,
        "draw": 3,
        "skills": ["a", "b"],
        "query_type": "t",
        "parents": ["p"],
        "calls": ["k"],
        "repairs": ["tail"],
    }
    keys = (
        "id instruction_id instruction input response recipe step seed round draw skills query_type"
    )
    assert " ".join(example_to_json(EXAMPLE)) == f"{keys} parents calls repairs"


def test_a_line_edited_by_hand_gets_its_own_id() -> None:
    edited = example_from_json(example_to_json(EXAMPLE) | {"response": "B", "note": "mine"})
    assert edited.response == "B"
    assert edited.id != EXAMPLE.id


def test_only_the_instruction_and_the_response_have_to_be_there() -> None:
    expected = Example(instruction=Instruction(text="Q"), response="A")
    assert example_from_json({"instruction": "Q", "response": "A"}) == expected
    assert example_from_json({"instruction": "Q", "response": "A", "skills": None}) == expected


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"response": 4}, "`response` is 4; expected text"),
        ({"seed": "1"}, "`seed` is '1'; expected a whole number"),
        ({"seed": True}, "`seed` is True; expected a whole number"),
        ({"round": 1.5}, "`round` is 1.5; expected a whole number"),
        ({"skills": "a"}, "`skills` is 'a'; expected a list of texts"),
        ({"calls": [1]}, r"`calls` is \[1\]; expected a list of texts"),
    ],
)
def test_a_value_of_the_wrong_type_is_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        example_from_json(example_to_json(EXAMPLE) | change)


@pytest.mark.parametrize("key", ["instruction", "response"])
def test_a_missing_key_is_named(key: str) -> None:
    row = example_to_json(EXAMPLE)
    del row[key]
    with pytest.raises(DatasetError, match=f"no `{key}`; found id, "):
        example_from_json(row)


DROP = Drop(reason="leaked_commentary", evidence={"score": 0.5, "found": "This refined"})


def test_a_dropped_example_is_written_with_its_reason_and_its_origin() -> None:
    row = drop_to_json(EXAMPLE, DROP)
    assert list(row)[:3] == ["reason", "evidence", "kind"]
    assert row["reason"] == "leaked_commentary"
    assert row["evidence"] == {"score": 0.5, "found": "This refined"}
    assert row["kind"] == "example"
    assert example_from_json(row) == EXAMPLE


def test_a_dropped_instruction_or_attempt_says_what_it_is() -> None:
    instruction = drop_to_json(EXAMPLE.instruction, DROP)
    assert instruction["kind"] == "instruction"
    assert (instruction["instruction"], instruction["id"]) == ("Q", EXAMPLE.instruction.id)
    attempt = drop_to_json(Attempt(text="Sorry,", origin=EXAMPLE.instruction.origin), DROP)
    assert (attempt["kind"], attempt["text"], attempt["calls"]) == ("attempt", "Sorry,", ["k"])


def test_evidence_that_is_no_finite_number_can_be_written() -> None:
    row = drop_to_json(EXAMPLE, Drop(reason="odd", evidence={"a": nan, "b": -inf}))
    assert row["evidence"] == {"a": "nan", "b": "-inf"}
    assert json.loads(json_line(row)) == row
