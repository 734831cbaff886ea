"""Instruct-SkillMix (Kaur, Park, Goyal, Arora; ICLR 2025, arXiv 2408.14774).

A teacher writes an instruction that needs k random skills at once, answers it, criticises the
answer as the person who asked, and refines both. What the paper leaves open, and where we depart
from it, stands in the README beside this file.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Literal

from seedbed.errors import ConfigError
from seedbed.models.model import Model
from seedbed.prompts import Prompts
from seedbed.recipes.skillmix.mixes import Mix, deal
from seedbed.recipes.skillmix.parse import parse_conversation
from seedbed.recipes.skillmix.skillset import SkillSet
from seedbed.records import (
    Attempt,
    Completion,
    Drop,
    Dropped,
    DropSink,
    Example,
    Instruction,
    Message,
    Origin,
    QueryType,
    Request,
    Review,
    Sampling,
)
from seedbed.streams import ordered

Profile = Literal["three_turn", "five_turn"]

TURNS: dict[Profile, tuple[str, ...]] = {
    "three_turn": ("draft", "critique", "refine"),
    "five_turn": ("draft", "complete_draft", "critique", "refine", "complete_refined"),
}
"""The prompts of a conversation: the paper's for Claude 3.5 Sonnet, and for GPT-4-Turbo."""

DRAWS_PER_MIX = 100
"""Draw numbers kept free for each time that a mix is dealt, so that they never collide."""

HOPELESS = 10
"""Mixes without one example after which more of them are not worth their price."""

FIRST_ROUND = 32
"""Mixes of the first round."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """What shapes a run. `count` is of examples kept, not of attempts.

    `redraws`: fresh attempts at a mix whose example was dropped. `rounds`: how often the missing
    examples are asked for with further mixes. `trial`: mixes of the first of several rounds; it
    shows whether the teacher can do it at all before all are paid. `window`: mixes under way at
    once; no answer depends on it. `recipe`: whose examples they are, as their origin says.
    """

    count: int = 4000
    k: int = 2
    seed: int = 0
    profile: Profile = "three_turn"
    sampling: Sampling = Sampling(temperature=1.0, max_tokens=4096)
    redraws: int = 0
    rounds: int = 10
    avoid_alike: bool = True
    trial: int = FIRST_ROUND
    window: int = 512
    recipe: str = "skillmix"

    def __post_init__(self) -> None:
        if not 0 <= self.redraws < DRAWS_PER_MIX:
            raise ConfigError(f"redraws = {self.redraws}: expected 0 to {DRAWS_PER_MIX - 1}")


async def skillmix(
    pool: SkillSet,
    *,
    model: Model,
    prompts: Prompts,
    review: Review,
    drop: DropSink,
    params: Params,
    mixes: Iterator[Mix] | None = None,
) -> AsyncIterator[Example]:
    """Yield `params.count` examples in the order of their mixes, or fewer if too many fail.

    `mixes` are dealt uniformly from the pool unless others are given; as many are taken from them
    as are asked. Each round but the small first asks for exactly as many as are missing. So which
    requests are made depends on earlier answers and never on timing, and none is made in vain. A
    round of `HOPELESS` mixes or more that leads to no example is the last one.
    """

    async def make(mix: Mix) -> tuple[Example | None, list[tuple[Dropped, Drop]]]:
        drops: list[tuple[Dropped, Drop]] = []
        for attempt in range(params.redraws + 1):
            draw = mix.repeat * DRAWS_PER_MIX + attempt
            made = await converse(mix, draw, model, prompts, params)
            if not isinstance(made, Example):
                drops.append(made)
                continue
            verdict = await review(made)
            if isinstance(verdict, Example):
                return verdict, drops
            drops.append((made, verdict))
        return None, drops

    if mixes is None:
        mixes = deal(
            pool.names,
            pool.query_types,
            k=params.k,
            seed=params.seed,
            avoid_alike=params.avoid_alike,
        )
    missing = params.count
    for number in range(params.rounds):
        trial = number == 0 and params.rounds > 1
        before, asked = missing, min(missing, params.trial) if trial else missing
        async for example, drops in ordered(make, islice(mixes, asked), limit=params.window):
            for item, objection in drops:
                drop(item, objection)
            if example is not None:
                missing -= 1
                yield example
        if not missing or (missing == before and asked >= HOPELESS):
            return


async def converse(
    mix: Mix, draw: int, model: Model, prompts: Prompts, params: Params
) -> Example | tuple[Attempt, Drop]:
    """Hold one conversation with the teacher; its last turn holds the example."""
    kind = mix.query_type
    slots: dict[str, dict[str, object]] = {
        "draft": {
            "skills": ", ".join(mix.skills),
            "query_type": kind.name,
            "definition": definition(kind),
        }
    }
    origin = Origin(
        recipe=params.recipe,
        step=params.profile,
        seed=params.seed,
        round=mix.number,
        draw=draw,
        skills=mix.skills,
        query_type=kind.name,
    )
    messages: tuple[Message, ...] = ()
    completion = Completion(text="")
    turns = TURNS[params.profile]
    for turn in turns:
        messages += (Message("user", prompts.fill(turn, **slots.get(turn, {}))),)
        completion = await model.complete(
            Request(messages=messages, sampling=params.sampling, draw=draw)
        )
        origin = replace(origin, calls=(*origin.calls, completion.key))
        if objection := unfinished(completion, turn, turns):
            return Attempt(text=completion.text, origin=origin), objection
        messages += (Message("assistant", completion.text),)
    parsed = parse_conversation(completion.text)
    if isinstance(parsed, Drop):
        return Attempt(text=completion.text, origin=origin), parsed
    instruction, response = parsed
    return Example(instruction=Instruction(text=instruction, origin=origin), response=response)


def definition(kind: QueryType) -> str:
    """What a query type is, with its examples, as the teacher reads it."""
    examples = (f'\n- "{example}"' for example in kind.examples)
    return (kind.definition or kind.name) + "".join(examples)


COMPLETED_BY = {"draft": "complete_draft", "refine": "complete_refined"}


def unfinished(completion: Completion, turn: str, turns: tuple[str, ...]) -> Drop | None:
    """The objection to a turn that the teacher did not end by itself.

    A cut turn is none where another one is there to complete it.
    """
    reasons = {"length": "truncated", "refused": "refused", "rejected": "rejected"}
    if completion.finish_reason == "stop":
        return None
    if completion.finish_reason == "length" and COMPLETED_BY.get(turn) in turns:
        return None
    evidence = {"turn": turn, "note": completion.note}
    return Drop(reason=reasons[completion.finish_reason], evidence=evidence)
