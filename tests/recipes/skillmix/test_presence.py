"""The judge of whether an example needs its skills."""

from __future__ import annotations

import asyncio

import pytest

from seedbed.models.model import FakeModel
from seedbed.prompts import load_prompts
from seedbed.recipes.skillmix.presence import skill_presence, verdict
from seedbed.records import Completion, Drop, Example, Instruction, Origin, Request

EXAMPLE = Example(
    instruction=Instruction(
        text="What is 3 % of 40 apples?",
        origin=Origin(skills=("unit_conversion", "3d_modeling")),
    ),
    response="1.2 apples.",
)


@pytest.mark.parametrize(
    "text",
    [
        "unit_conversion: yes\n3d_modeling: yes",
        "3d_modeling: Yes.\nunit_conversion: YES, it converts.",
        "- **Unit conversion**: **yes**\n- 3D modeling: yes",
        "1. unit_conversion: yes\n2. 3d_modeling: yes",
        "Verdicts:\n\nunit_conversion : yes\r\n3d_modeling:yes\r\n",
    ],
)
def test_an_example_stays_when_each_of_its_skills_is_marked_present(text: str) -> None:
    assert verdict(EXAMPLE, text) is EXAMPLE


def test_an_absent_skill_is_an_objection_that_names_it() -> None:
    found = verdict(EXAMPLE, "unit_conversion: yes\n3d_modeling: no, only named: yes or no")
    assert isinstance(found, Drop)
    assert (found.reason, found.evidence["skills"]) == ("skill_absent", "3d_modeling")


@pytest.mark.parametrize(
    "text",
    ["", "yes\nyes", "unit_conversion: yes", "unit_conversion: yes\n3d_modeling: perhaps"],
)
def test_no_verdict_is_not_a_yes(text: str) -> None:
    found = verdict(EXAMPLE, text)
    assert isinstance(found, Drop)
    assert found.reason == "unjudged"


def test_the_judge_reads_the_skills_and_the_whole_example_and_is_asked_once() -> None:
    asked: list[Request] = []

    async def answer(request: Request) -> Completion:
        asked.append(request)
        return Completion(text="unit_conversion: yes\n3d_modeling: no")

    prompts = load_prompts("seedbed.recipes.skillmix")

    async def judge() -> Example | Drop:
        return await skill_presence(FakeModel(answer), prompts)(EXAMPLE)

    judged = asyncio.run(judge())
    assert isinstance(judged, Drop)
    [request] = asked
    text = request.messages[0].content
    for part in ("unit_conversion, 3d_modeling", "What is 3 % of 40 apples?", "1.2 apples."):
        assert part in text
    assert request.sampling.temperature == 0
