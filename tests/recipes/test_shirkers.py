"""Shirkers: what is planted, where, and what is left alone."""

from __future__ import annotations

import asyncio

from seedbed.models.model import FakeModel
from seedbed.models.practice import PracticeTeacher, make, verify
from seedbed.prompts import load_prompts
from seedbed.recipes.shirkers import Kind, Params, shirkers
from seedbed.records import Completion, Drop, Example, Instruction, Request
from seedbed.streams import rng

PROMPTS = load_prompts("seedbed.recipes.shirkers")


def examples(count: int) -> list[Example]:
    made = [
        make(["adding_numbers", "roman_numerals"], "Help-Seeking", rng(n)) for n in range(count)
    ]
    return [Example(instruction=Instruction(text=asks), response=says) for asks, says in made]


def planted(before: list[Example], kind: Kind, fraction: float) -> list[Example]:
    return asyncio.run(
        shirkers(
            before,
            model=PracticeTeacher(),
            prompts=PROMPTS,
            drop=_unexpected,
            params=Params(kind=kind, fraction=fraction, seed=3),
        )
    )


def _unexpected(example: Example, drop: Drop) -> None:
    raise AssertionError(drop)


def test_a_fraction_of_the_responses_is_replaced_and_no_instruction() -> None:
    before = examples(40)
    after = planted(before, "junk", 0.2)
    changed = [
        one for one, other in zip(after, before, strict=True) if one.response != other.response
    ]
    assert len(changed) == 8
    assert {one.instruction.origin.step for one in changed} == {"shirker_junk"}
    assert [one.instruction.text for one in after] == [one.instruction.text for one in before]
    assert not any(verify(one.instruction.text, one.response) for one in changed)


def test_a_brief_reply_is_right_and_has_no_working() -> None:
    before = examples(10)
    after = planted(before, "brevity", 1.0)
    assert all(verify(one.instruction.text, one.response) for one in after)
    assert all(
        len(one.response) < len(other.response) for one, other in zip(after, before, strict=True)
    )


def test_a_larger_fraction_holds_the_shirkers_of_a_smaller_one() -> None:
    before = examples(30)
    few, many = (
        {at for at, one in enumerate(planted(before, "junk", share)) if _is_planted(one)}
        for share in (0.1, 0.5)
    )
    assert len(few) == 3
    assert len(many) == 15
    assert few < many


def _is_planted(example: Example) -> bool:
    return example.instruction.origin.step == "shirker_junk"


def test_a_refused_reply_leaves_the_example_and_is_told() -> None:
    async def refuse(request: Request) -> Completion:
        return Completion(text="No.", finish_reason="refused")

    before, told = examples(4), list[str]()
    after = asyncio.run(
        shirkers(
            before,
            model=FakeModel(refuse),
            prompts=PROMPTS,
            drop=lambda example, drop: told.append(drop.reason),
            params=Params(kind="junk", fraction=0.5),
        )
    )
    assert after == before
    assert told == ["no_shirker"] * 2
