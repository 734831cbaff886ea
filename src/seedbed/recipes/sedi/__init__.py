"""SeDi-Instruct (Kim, Kim, Lee; arXiv 2502.04774), a reconstruction.

A teacher writes new tasks from seeds, as in Self-Instruct; a relaxed filter keeps more of them;
batches are composed to be diverse; a student is trained on them while the teacher goes on; and
what the training step says of a batch decides which of its instructions become seeds, and which
seeds go. The paper's own text was not available to us: the README beside this file says of each
choice whether a source backs it or we made it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing

from seedbed.curate.diversity import Batches, Embed
from seedbed.models.model import Model
from seedbed.prompts import Prompts
from seedbed.recipes.sedi.asking import Ways, asked
from seedbed.recipes.sedi.params import Params
from seedbed.recipes.sedi.steering import Moved, Note, Steering, Trained
from seedbed.recipes.self_instruct.growing import grower
from seedbed.recipes.self_instruct.pool import Accept, Pool, prompt_of
from seedbed.recipes.self_instruct.seeds import Seed
from seedbed.records import Drop, DropSink, Example, Feedback, Review

__all__ = ["Moved", "Note", "Params", "Trained", "sedi"]


async def sedi(
    seeds: Sequence[Seed],
    *,
    model: Model,
    prompts: Prompts,
    feedback: Feedback,
    review: Review,
    drop: DropSink,
    accept: Accept,
    note: Note,
    params: Params,
    embed: Embed | None = None,
) -> AsyncIterator[Example]:
    """Yield `params.count` examples, batch by batch as they are trained on, then the rest.

    Fewer, if the teacher has no more that are novel. While the student trains on a batch the
    teacher already writes for later ones: what is written for batch i is asked with seeds that
    know the feedback of batches up to i - `steering.lag`. So lag 1 is one after the other, and
    which requests are made depends on earlier answers and signals, never on how long they took.

    Args:
        seeds: what the run starts from.
        feedback: trains the student one step on a batch.
        accept: is told each instruction as it enters the pool.
        note: is told each trained batch and each move of a seed.
        embed: texts to vectors for the clusters; TF-IDF unless given.
    """
    batches: Batches[Example] = Batches(
        params.composition, text_of=lambda example: example.instruction.text, embed=embed
    )
    pool = Pool(seeds, prompts=prompts, params=params.asking, recipe="sedi")
    steering = Steering(pool.seeds, feedback=feedback, note=note, how=params.steering)
    grow = grower(model=model, prompts=prompts, review=review, step=params.asking.instances)
    template = prompts.templates[prompt_of(params.asking)]
    ways = Ways(model=model, grow=grow, asked_with=template, accept=accept)
    missing = params.count
    asking = asked(pool, steering, ways, missing=lambda: missing, params=params)
    async with aclosing(steering), aclosing(asking):
        async for entries in asking:
            for entry in entries:
                if not isinstance(entry, Example):
                    drop(*entry)
                elif missing:
                    missing -= 1
                    batches.add(entry)
                else:
                    drop(entry, Drop(reason="beyond_count"))
            for batch in batches.due():
                steering.train(batch)
                for example in batch.items:
                    yield example
        for batch in batches.rest():
            steering.train(batch)
            for example in batch.items:
                yield example
        for example in batches.left():
            yield example
        await steering.finish()
