"""Instruct-SkillMix: its tables of the config, its two stages, its forecast."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace

from seedbed.files import write_text
from seedbed.forecast import JUDGE, Forecast
from seedbed.models.metered import Metered
from seedbed.models.model import Model
from seedbed.plan import RunPlan
from seedbed.recipes.skillmix import Params, skillmix
from seedbed.recipes.skillmix.extract import (
    ExtractParams,
    asker,
    query_types_from_teacher,
    skills_from_examples,
    skills_from_teacher,
)
from seedbed.recipes.skillmix.forecast import (
    PRACTICE,
    TEACHER,
    forecast_extraction,
    forecast_generation,
    forecast_presence,
)
from seedbed.recipes.skillmix.presence import skill_presence
from seedbed.recipes.skillmix.skillset import SkillSet, edited, load_skills, skills_to_json
from seedbed.records import Example, Review, Sampling, digest
from seedbed.session import Session
from seedbed.wiring.wiring import Wiring


def wanted(plan: RunPlan) -> int:
    return plan.config.count or 4000


def params(plan: RunPlan) -> Params:
    table = plan.config.skillmix
    return Params(
        count=wanted(plan),
        k=table.k,
        seed=plan.config.seed,
        profile=table.profile,
        sampling=Sampling(
            temperature=table.temperature, top_p=table.top_p, max_tokens=table.max_tokens
        ),
        redraws=table.redraws,
        rounds=table.rounds,
        avoid_alike=table.avoid_alike,
        window=plan.window,
    )


def extract_params(plan: RunPlan) -> ExtractParams:
    table = plan.config.skills
    return ExtractParams(
        topics=table.topics,
        skills_per_topic=table.skills_per_topic,
        query_types=table.query_types,
        keep_topics=table.keep_topics,
        asks=table.asks,
        sampling=Sampling(temperature=table.temperature, max_tokens=table.max_tokens),
        window=plan.window,
        labels_per_example=table.labels_per_example,
        families=table.families,
    )


def forecast(plan: RunPlan) -> Forecast:
    """What the run will take: for each of its stages, prompt by prompt."""
    table, prompts = plan.config.skills, plan.prompts
    lengths = PRACTICE if plan.config.teacher.model == "practice" else TEACHER
    stages: Forecast = {}
    pool = load_skills(plan.path(table.path)) if table.path else None
    if pool is None:
        sampled = None
        if table.dataset is not None:
            from seedbed.wiring.reading import find

            find(plan, table.dataset)
            sampled = table.dataset.sample
        stages["skills"] = forecast_extraction(
            prompts, extract_params(plan), lengths, sampled=sampled
        )
    stages["examples"] = forecast_generation(prompts, params(plan), lengths, pool=pool)
    if plan.config.skillmix.presence_judge:
        stages[JUDGE] = [forecast_presence(prompts, params(plan), lengths)]
    return stages


def settings(plan: RunPlan) -> Mapping[str, str]:
    """What the dataset card says of the recipe's settings."""
    table = plan.config.skillmix
    return {
        "skills per example (k)": str(table.k),
        "conversation": table.profile,
        "temperature": f"{table.temperature:g}",
        "leaked commentary": table.leaks,
        "filters for unsound examples": "on" if table.sound else "off",
        "skill-presence judge": "on" if table.presence_judge else "off",
    }


async def grow(
    plan: RunPlan, session: Session, teacher: Model, judge: Model
) -> AsyncIterator[Example]:
    """Both stages."""
    pool = await skills(plan, session, teacher)
    async for example in skillmix(
        pool,
        model=Metered(teacher, session.tally("examples")),
        prompts=plan.prompts,
        review=review(plan, session, judge),
        drop=session.drop,
        params=params(plan),
    ):
        yield example


def review(plan: RunPlan, session: Session, judge: Model) -> Review:
    """The last word on an example, as the config wants it."""
    # Here, because their patterns take a while to compile: the first request is out by then.
    from seedbed.curate.filters import sound
    from seedbed.curate.leaks import guard
    from seedbed.curate.review import all_of, filtered, mended

    mode = plan.config.skillmix.leaks
    reviews: list[Review] = [mended(lambda example: guard(example, mode=mode))]
    if plan.config.skillmix.sound:
        reviews.append(filtered(*sound()))
    if plan.config.skillmix.presence_judge:
        judging = Metered(judge, session.tally(JUDGE))
        reviews.append(skill_presence(judging, plan.prompts))
    return all_of(*reviews)


async def skills(plan: RunPlan, session: Session, teacher: Model) -> SkillSet:
    """Stage one: the user's file, the run's own if a person has edited it, or paid extraction."""
    model = Metered(teacher, session.tally("skills"))
    table, extracting, by_hand = plan.config.skills, extract_params(plan), False
    if table.path:
        pool = load_skills(plan.path(table.path))
    elif by_hand := edited(plan.folder.skills):
        pool = load_skills(plan.folder.skills)
        session.notes.append("skills.json was edited by hand: it is used as it is.")
    elif table.dataset is not None:
        from seedbed.datasets import sample
        from seedbed.wiring.reading import opened

        dataset = opened(plan, table.dataset)
        examples = sample(dataset, table.dataset.sample, seed=plan.config.seed)
        session.notes.append(str(dataset.report))
        pool = await skills_from_examples(
            examples, model=model, prompts=plan.prompts, params=extracting
        )
    else:
        pool = await skills_from_teacher(model=model, prompts=plan.prompts, params=extracting)
    if not pool.query_types:
        ask = asker(model, plan.prompts, extracting.sampling)
        pool = replace(pool, query_types=await query_types_from_teacher(ask, extracting))
    session.counts |= {"skills": len(pool.skills), "query_types": len(pool.query_types)}
    if not by_hand:
        write_text(plan.folder.skills, skills_to_json(pool))
    session.digests["skills"] = digest(skills_to_json(pool))
    return pool


WIRING = Wiring(
    wanted=wanted,
    forecast=forecast,
    settings=settings,
    grow=grow,
    skills=skills,
)
