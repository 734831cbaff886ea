"""Records know their own identity."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.records import Example, Instruction, Message, Origin, Request, Sampling, digest

REQUEST = Request(messages=(Message("user", "hello"),))


def test_a_digest_does_not_depend_on_the_order_of_keys() -> None:
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})


@given(st.text(), st.text())
def test_different_texts_have_different_digests(one: str, other: str) -> None:
    assert (digest(one) == digest(other)) == (one == other)


def test_a_lone_surrogate_has_a_digest() -> None:
    assert len(digest("\ud800")) == 64


@pytest.mark.parametrize(
    "change",
    [
        {"draw": 1},
        {"schema": {"type": "object"}},
        {"messages": (Message("system", "hello"),)},
        {"messages": (Message("user", "hello"), Message("assistant", ""))},
        {"sampling": Sampling(stop=("x",))},
        {"sampling": Sampling(top_logprobs=0)},
    ],
)
def test_whatever_shapes_an_answer_is_part_of_a_request(change: dict[str, Any]) -> None:
    assert digest(dataclasses.replace(REQUEST, **change).to_json()) != digest(REQUEST.to_json())


def test_every_sampling_parameter_is_part_of_a_request() -> None:
    written = REQUEST.to_json()["sampling"]
    assert written.keys() == {field.name for field in dataclasses.fields(Sampling)}
    assert REQUEST.to_json().keys() == {field.name for field in dataclasses.fields(Request)}


def test_the_same_words_from_another_parent_are_another_instruction() -> None:
    one = Instruction(text="Sort.", origin=Origin(parents=("a",)))
    other = Instruction(text="Sort.", origin=Origin(parents=("b",)))
    assert one.id != other.id
    assert Example(instruction=one, response="x").id != Example(instruction=other, response="x").id


def test_an_id_does_not_depend_on_which_calls_were_made() -> None:
    one = Instruction(text="Sort.", origin=Origin(calls=("a",)))
    assert one.id == Instruction(text="Sort.").id
