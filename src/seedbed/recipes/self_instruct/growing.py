"""From an accepted instruction to its examples: steps 2 and 3, and the last word on each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from seedbed.models.model import Model
from seedbed.prompts import Prompts
from seedbed.recipes.self_instruct.bootstrap import Left
from seedbed.recipes.self_instruct.classify import classified
from seedbed.recipes.self_instruct.instances import instances, whole
from seedbed.recipes.self_instruct.params import Instances
from seedbed.recipes.self_instruct.pool import Accepted
from seedbed.records import Example, Review

Grow = Callable[[Accepted | Left], Awaitable[list[Example | Left]]]
"""The examples of what was accepted, and what was left out; what is left out stays so."""


def grower(*, model: Model, prompts: Prompts, review: Review, step: Instances | None) -> Grow:
    """`step` is None where the instruction came with its input and response."""

    async def grow(found: Accepted | Left) -> list[Example | Left]:
        if not isinstance(found, Accepted):
            return [found]
        if step is None:
            written = whole(found)
        else:
            task = await classified(found.instruction, model=model, prompts=prompts, step=step)
            written = await instances(task, model=model, prompts=prompts, step=step)
        return [await reviewed(entry) for entry in written]

    async def reviewed(entry: Example | Left) -> Example | Left:
        if not isinstance(entry, Example):
            return entry
        verdict = await review(entry)
        return verdict if isinstance(verdict, Example) else (entry, verdict)

    return grow
