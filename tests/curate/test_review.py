"""The last word on an example, put together from filters, repairs and judges."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from seedbed.curate.review import all_of, filtered, mended
from seedbed.records import Drop, Example, Instruction, Review

EXAMPLE = Example(instruction=Instruction(text="Ask."), response="Answer.")


def reviewed(review: Review, example: Example = EXAMPLE) -> Example | Drop:
    async def run() -> Example | Drop:
        return await review(example)

    return asyncio.run(run())


def told(name: str, order: list[str], objection: Drop | None = None) -> Review:
    async def review(example: Example) -> Example | Drop:
        order.append(name)
        return objection or replace(example, repairs=(*example.repairs, name))

    return review


def test_repairs_add_up_in_order() -> None:
    order: list[str] = []
    result = reviewed(all_of(told("a", order), told("b", order)))
    assert isinstance(result, Example)
    assert result.repairs == ("a", "b")


def test_the_first_objection_decides_and_nobody_after_it_is_asked() -> None:
    order: list[str] = []
    no = Drop(reason="no")
    assert reviewed(all_of(told("a", order), told("b", order, no), told("c", order))) == no
    assert order == ["a", "b"]


def test_no_reviews_object_to_nothing() -> None:
    assert reviewed(all_of()) is EXAMPLE
    assert reviewed(filtered()) is EXAMPLE


def test_filters_are_asked_until_one_objects() -> None:
    asked: list[str] = []

    def silent(example: Example) -> None:
        asked.append("silent")

    def against(example: Example) -> Drop:
        asked.append("against")
        return Drop(reason="against", evidence={"length": len(example.response)})

    assert reviewed(filtered(silent, against, silent)) == against(EXAMPLE)
    assert asked[:2] == ["silent", "against"]
    assert len(asked) == 3
    assert reviewed(filtered(silent)) is EXAMPLE


def test_a_repair_may_mend_or_object() -> None:
    def repair(example: Example) -> Example | Drop:
        if not example.response:
            return Drop(reason="empty")
        return replace(example, response=example.response.strip("."))

    result = reviewed(mended(repair))
    assert isinstance(result, Example)
    assert result.response == "Answer"
    assert reviewed(mended(repair), replace(EXAMPLE, response="")) == Drop(reason="empty")
