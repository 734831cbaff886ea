"""Directed mixes: Instruct-SkillMix whose skills are drawn by what the student lacks. Ours.

Instruct-SkillMix draws its mixes uniformly and trains afterwards. Here a student is trained while
the data is made; after each round its loss on held-out examples says of every topic or skill how
it stands, and the next mixes are drawn accordingly. The README beside this file says why so.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from functools import partial

from seedbed.models.model import Model
from seedbed.prompts import Prompts
from seedbed.recipes.directed.lessons import Lessons, Note, Round
from seedbed.recipes.directed.mixes import Mixes
from seedbed.recipes.directed.needs import arms_of
from seedbed.recipes.directed.params import Directing, Params
from seedbed.recipes.skillmix import skillmix
from seedbed.recipes.skillmix.skillset import SkillSet
from seedbed.records import DropSink, Example, Feedback, Probe, Review

__all__ = ["Directing", "Note", "Params", "Round", "directed"]

Hold = Callable[[Example], None]
"""Takes a held-out example."""


async def directed(
    pool: SkillSet,
    *,
    model: Model,
    prompts: Prompts,
    feedback: Feedback,
    probe: Probe,
    review: Review,
    drop: DropSink,
    hold: Hold,
    note: Note,
    params: Params,
) -> AsyncIterator[Example]:
    """Yield `params.mixing.count` examples round by round, or fewer if too many fail.

    First some examples of single skills of each arm are made and held out; they are not among
    those yielded. The mixes of a round know what was measured after the rounds up to `lag` before
    it, so with a lag of 2 the teacher writes a round while the student learns the one before. What
    is asked depends on earlier answers and measurements, never on how long they took.

    Args:
        feedback: trains the student one step on a batch.
        probe: its loss on examples, without training.
        hold: is told each held-out example.
        note: is told of each round.
    """
    mixing = params.mixing
    arms = arms_of(pool, params.directing.arms)
    mixes = Mixes(pool, arms, k=mixing.k, seed=mixing.seed, avoid_alike=mixing.avoid_alike)
    ask = partial(skillmix, pool, model=model, prompts=prompts, review=review, drop=drop)
    held_out: list[Example] = []
    if params.directing.need != "none":
        covering = mixes.covering(params.directing.held_out_per_arm)
        held = params.held_out(len(covering))
        async for example in ask(params=held, mixes=iter(covering)):
            hold(example)
            held_out.append(example)
    lessons = Lessons(arms, held_out, feedback=feedback, probe=probe, note=note, params=params)
    missing, number = mixing.count, 0
    async with aclosing(lessons):
        while missing:
            number, wanted, kept = number + 1, min(params.round, missing), list[Example]()
            by = await lessons.shares(number)
            async for example in ask(params=params.of_round(wanted), mixes=mixes.deal(by)):
                kept.append(example)
                yield example
            missing -= len(kept)
            lessons.learn(number, kept, by)
            if len(kept) < wanted:
                break
        await lessons.finish()
