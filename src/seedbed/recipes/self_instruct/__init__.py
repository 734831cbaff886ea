"""Self-Instruct (Wang, Kordi, Mishra, Liu, Smith, Khashabi, Hajishirzi; arXiv 2212.10560).

From 175 human-written tasks a teacher writes new ones like them, tells which are classifications,
and writes instances of each; what is too similar to what there is already, or unsound, is left
out. With the preset `alpaca` one prompt brings whole tasks (Taori et al. 2023). What differs
between the paper, its code, Alpaca and our default for chat models stands in the README beside
this file. The fourth step, the format for finetuning, is in `format.py`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing

from seedbed.models.model import Model
from seedbed.prompts import Prompts
from seedbed.recipes.self_instruct.bootstrap import bootstrap
from seedbed.recipes.self_instruct.growing import grower
from seedbed.recipes.self_instruct.params import Params
from seedbed.recipes.self_instruct.pool import Accept, Accepted
from seedbed.recipes.self_instruct.presets import PRESETS, Preset
from seedbed.recipes.self_instruct.seeds import Seed, shipped_seeds
from seedbed.records import DropSink, Example, Review
from seedbed.streams import ordered

__all__ = ["PRESETS", "Accepted", "Params", "Preset", "Seed", "self_instruct", "shipped_seeds"]


async def self_instruct(
    seeds: Sequence[Seed],
    *,
    model: Model,
    prompts: Prompts,
    review: Review,
    drop: DropSink,
    accept: Accept,
    params: Params,
) -> AsyncIterator[Example]:
    """Yield the examples of `params.count` new instructions, in the order of these.

    Fewer, if the teacher has no more that are novel. `accept` is told each instruction as it enters
    the pool. What is asked depends on the seeds, `params` and earlier answers, never on timing,
    and `params.window` changes nothing.
    """
    grow = grower(model=model, prompts=prompts, review=review, step=params.instances)
    candidates = bootstrap(seeds, model=model, prompts=prompts, accept=accept, params=params)
    async with aclosing(candidates):
        async for entries in ordered(grow, candidates, limit=params.window):
            for entry in entries:
                if isinstance(entry, Example):
                    yield entry
                else:
                    drop(*entry)
