"""What is forecast of a run holds the run: calls and tokens, stage by stage."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest

from seedbed.forecast import Range, Stage, total
from seedbed.models.metered import Metered, Tally
from seedbed.models.model import FakeModel, Model
from seedbed.models.practice import PracticeTeacher, Trouble
from seedbed.prompts import load_prompts
from seedbed.recipes.skillmix import Params, Profile, skillmix
from seedbed.recipes.skillmix.extract import (
    ExtractParams,
    skills_from_examples,
    skills_from_teacher,
)
from seedbed.recipes.skillmix.forecast import (
    PRACTICE,
    TEACHER,
    Lengths,
    forecast_extraction,
    forecast_generation,
    forecast_presence,
)
from seedbed.recipes.skillmix.presence import skill_presence
from seedbed.recipes.skillmix.skillset import SkillSet
from seedbed.records import Completion, Drop, Example, Instruction, Request, Usage, digest

PROMPTS = load_prompts("seedbed.recipes.skillmix")

BYTES_PER_TOKEN = 4.4


def tokens(text: str) -> int:
    return round(len(text.encode()) / BYTES_PER_TOKEN)


def metered(model: Model) -> tuple[Model, Tally]:
    tally = Tally()
    return Metered(model, tally), tally


def held(tally: Tally, stages: Iterable[Stage]) -> None:
    whole = total(list(stages))
    for real, range_ in (
        (tally.calls, whole.calls),
        (tally.prompt_tokens, whole.prompt_tokens),
        (tally.completion_tokens, whole.completion_tokens),
    ):
        assert range_.low <= real <= range_.high


def writer(answer: Callable[[str], str]) -> Model:
    """A teacher with a tokenizer like today's, from which a text of any length can be had."""

    async def complete(request: Request) -> Completion:
        text = answer(request.messages[-1].content)
        prompt = sum(tokens(message.content) for message in request.messages)
        return Completion(
            text=text, usage=Usage(prompt_tokens=prompt, completion_tokens=tokens(text))
        )

    return FakeModel(complete)


def prose(size: int) -> str:
    return "word " * round(size * BYTES_PER_TOKEN / 5)


def conversing(prompt: str) -> str:
    """As long as the released rows; one in ten without the form."""
    if "list its weaknesses" in prompt:
        return prose(400)
    if int(digest(prompt)[:4], 16) < 6554:
        return prose(600)
    return f"### Instruction:\n{prose(80)}\n### Response:\n{prose(520)}"


def listing(prompt: str) -> str:
    wanted = int(re.findall(r"(?:write now|at most)[: ]+(\d+)", prompt)[-1])
    if "query" in prompt and "Topic:" not in prompt and "### Topics" not in prompt:
        body = "It is asked so, and not otherwise, by somebody who wants to know it. " * 2
        examples = '- "How do I do this in a good way?"\n- "What about that other thing?"'
        return "\n\n".join(f"### Kind {n}\n{body}\n{examples}" for n in range(wanted))
    topic = re.search(r"Topic: (\w+)", prompt)
    return "\n".join(f"{topic[1] if topic else 'some'}_skill_{n}" for n in range(wanted))


async def approve(example: Example) -> Example | Drop:
    return example


def generate(model: Model, pool: SkillSet, params: Params) -> list[Example]:
    async def run() -> list[Example]:
        stream = skillmix(
            pool,
            model=model,
            prompts=PROMPTS,
            review=approve,
            drop=lambda item, drop: None,
            params=params,
        )
        return [example async for example in stream]

    return asyncio.run(run())


def extract(model: Model, params: ExtractParams) -> SkillSet:
    return asyncio.run(skills_from_teacher(model=model, prompts=PROMPTS, params=params))


PARAMS = ExtractParams(topics=6, skills_per_topic=12, query_types=10)


def test_the_forecast_of_an_extraction_holds_what_it_took() -> None:
    model, tally = metered(writer(listing))
    pool = extract(model, PARAMS)
    assert len(pool.query_types) == 10
    held(tally, forecast_extraction(PROMPTS, PARAMS, TEACHER, sampled=None))


@pytest.mark.parametrize("profile", ["three_turn", "five_turn"])
@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("k", [1, 3])
def test_the_forecast_of_a_generation_holds_what_it_took(
    profile: Profile, known: bool, k: int
) -> None:
    pool = extract(writer(listing), PARAMS)
    params = Params(count=120, k=k, profile=profile)
    model, tally = metered(writer(conversing))
    assert len(generate(model, pool, params)) == 120
    stages = forecast_generation(PROMPTS, params, TEACHER, pool=pool if known else None)
    held(tally, stages)
    assert stages[0].name == "draft"


@pytest.mark.parametrize("trouble", [Trouble(), Trouble(malformed=0.05, truncated=0.05)])
def test_the_forecast_for_the_practice_teacher_holds_what_it_took(trouble: Trouble) -> None:
    model, tally = metered(PracticeTeacher(trouble))
    params = ExtractParams(topics=6, skills_per_topic=10, query_types=8, keep_topics=False)
    pool = extract(model, params)
    held(tally, forecast_extraction(PROMPTS, params, PRACTICE, sampled=None))
    model, tally = metered(PracticeTeacher(trouble))
    wanted = Params(count=100)
    assert len(generate(model, pool, wanted)) == 100
    held(tally, forecast_generation(PROMPTS, wanted, PRACTICE, pool=pool))


def needs(prompt: str) -> str:
    if "Name the skills" in prompt:
        found = re.findall(r"number (\d+)", prompt)[-1]
        return "none" if int(found) % 3 == 0 else f"fine_label_{found}\nother_label_{found}"
    if "Choose from the list" in prompt:
        return prompt.split("### List:\n")[1].splitlines()[1]
    if "Group them" in prompt:
        return "\n".join(f"whole_family_{n}" for n in range(20))
    return listing(prompt)


@pytest.mark.parametrize("sampled", [30, 450])
def test_the_forecast_of_a_dataset_extraction_holds_what_it_took(sampled: int) -> None:
    params = ExtractParams(families=20, query_types=6, labels_per_cluster=100)
    rows = [
        Example(
            instruction=Instruction(text=f"Do number {number}. {prose(40)}"), response=prose(60)
        )
        for number in range(sampled)
    ]
    model, tally = metered(writer(needs))
    pool = asyncio.run(skills_from_examples(rows, model=model, prompts=PROMPTS, params=params))
    assert pool.skills
    held(tally, forecast_extraction(PROMPTS, params, TEACHER, sampled=sampled))


def test_the_forecast_of_the_judge_holds_what_it_took() -> None:
    pool = extract(writer(listing), PARAMS)
    params = Params(count=40)
    examples = generate(writer(conversing), pool, params)

    def judging(prompt: str) -> str:
        skills = re.search(r"### Skills: (.*)", prompt)
        assert skills is not None
        return "\n".join(f"{skill}: yes" for skill in skills[1].split(", "))

    model, tally = metered(writer(judging))

    async def judge() -> None:
        for example in examples:
            assert isinstance(await skill_presence(model, PROMPTS)(example), Example)

    asyncio.run(judge())
    held(tally, [forecast_presence(PROMPTS, params, TEACHER)])


@pytest.mark.parametrize("lengths", [TEACHER, PRACTICE])
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_low_is_never_above_high(lengths: Lengths, size: int) -> None:
    params = ExtractParams(
        topics=size, skills_per_topic=size, query_types=size, asks=1 + size % 3, families=size
    )
    generation = Params(count=size, k=1 + size % 3, profile="five_turn")
    stages = [
        *forecast_extraction(PROMPTS, params, lengths, sampled=None),
        *forecast_extraction(PROMPTS, params, lengths, sampled=size),
        *forecast_generation(PROMPTS, generation, lengths, pool=None),
        forecast_presence(PROMPTS, generation, lengths),
    ]
    for stage in stages:
        dollars = stage.dollars(input_price=2.5, output_price=10)
        for range_ in (stage.calls, stage.prompt_tokens, stage.completion_tokens, dollars):
            assert 0 <= range_.low <= range_.high


def test_what_is_forecast_grows_with_what_is_asked() -> None:
    params = Params(count=10)
    few = total(forecast_generation(PROMPTS, params, TEACHER, pool=None))
    many = total(forecast_generation(PROMPTS, replace(params, count=20), TEACHER, pool=None))
    assert many.calls == few.calls * 2
    assert many.prompt_tokens.low == pytest.approx(few.prompt_tokens.low * 2)
    assert few.calls == Range(30, 37.5)
