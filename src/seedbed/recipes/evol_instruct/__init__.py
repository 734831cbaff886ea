"""Evol-Instruct (Xu et al., WizardLM; ICLR 2024, arXiv 2304.12244).

A teacher rewrites instructions into harder ones, or into rarer ones of the same domain, round
after round, and answers each; what the elimination objects to fails, and its parent is tried again
in the next round. What the paper, its code and we do differently stands in the README beside this
file.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from itertools import islice
from math import inf

from seedbed.models.model import Model
from seedbed.prompts import Prompts
from seedbed.recipes.evol_instruct.calls import (
    Evolved,
    Failure,
    answerer,
    comparer,
    original,
    reviewed,
    rewriter,
)
from seedbed.recipes.evol_instruct.elimination import duplicates
from seedbed.recipes.evol_instruct.operations import Step, draw_step
from seedbed.recipes.evol_instruct.params import Params
from seedbed.recipes.evol_instruct.seeds import Seed, seeds_of
from seedbed.records import Drop, DropSink, Example, Instruction, Review
from seedbed.streams import ordered


async def evol_instruct(
    seeds: Iterable[Example | Instruction],
    *,
    model: Model,
    judge: Model,
    prompts: Prompts,
    review: Review,
    drop: DropSink,
    params: Params,
) -> AsyncIterator[Example]:
    """Yield every kept evolution: seed by seed, and round by round within a seed.

    The paper's pool of a round holds one instruction for each seed, the last that was kept. So the
    rounds of one seed are a chain that needs no other, and none waits for another's round: which
    requests are made follows from the seed, the parameters and the chain's own earlier answers.
    With a `count`, as many seeds are begun as are surely needed, and others when those fell short.
    """
    rewrite = rewriter(model, prompts, params)
    gains = comparer(judge, prompts, params)
    answer = answerer(model, params)

    async def evolve(seed: Seed, parent: Instruction, step: Step) -> Example | Failure:
        outcome: Evolved | Example | Failure = await rewrite(seed, parent, step)
        if isinstance(outcome, Evolved):
            outcome = await gains(outcome)
        if isinstance(outcome, Evolved):
            outcome = await answer(outcome)
        return await reviewed(outcome, review)

    async def lineage(seed: Seed) -> list[Example | Failure]:
        if seed.repeated:
            return [(seed.root, Drop(reason="repeated_seed"))]
        outcomes = [await reviewed(one, review) for one in await original(seed, answer, params)]
        parent, tries = seed.root, 0
        for number in range(1, params.rounds + 1):
            step = draw_step(parent.id, number=number, draw=tries, params=params)
            outcomes.append(evolved := await evolve(seed, parent, step))
            if isinstance(evolved, Example):
                parent, tries = evolved.instruction, 0
            else:
                tries += 1
        return outcomes

    waiting, repeats = seeds_of(seeds, joint=params.joint), duplicates(params.elimination)
    missing = inf if params.count is None else params.count
    while batch := list(islice(waiting, params.seeds_for(missing))):
        async for outcomes in ordered(lineage, batch, limit=params.window):
            for outcome in outcomes:
                if not isinstance(outcome, Example):
                    drop(*outcome)
                elif objection := repeats(outcome):
                    drop(outcome, objection)
                elif missing > 0:
                    missing -= 1
                    yield outcome
                else:
                    drop(outcome, Drop(reason="beyond_count"))
