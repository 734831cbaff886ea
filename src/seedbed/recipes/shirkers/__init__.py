"""Shirkers: responses of low effort, planted to measure their harm (Instruct-SkillMix, 2408.14774).

The paper's ablation replaces a fifth of the responses and keeps the instructions. Its finding, that
a few shirkers cost far more than their share, is what `seedbed ablate` repeats. What is the
paper's and what is ours stands in the README beside this file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from seedbed.models.model import Model
from seedbed.prompts import Prompts
from seedbed.records import Drop, Example, Message, Request, Sampling, digest
from seedbed.streams import ordered

Kind = Literal["brevity", "junk"]

STEP = {"brevity": "shirker_brevity", "junk": "shirker_junk"}
"""The `Origin.step` that marks a planted response of each kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """How shirkers are planted.

    Args:
        kind: "brevity" asks for the least that passes, "junk" for long vagueness.
        fraction: the share of all examples that gets one, rounded to the nearest whole number.
        seed: which examples: a larger fraction holds those of a smaller one.
        sampling: of the teacher; ours, the paper's is not known.
        window: calls under way at once.
    """

    kind: Kind
    fraction: float
    seed: int = 0
    sampling: Sampling = Sampling(temperature=1.0, max_tokens=1024)
    window: int = 256


async def shirkers(
    examples: Sequence[Example],
    *,
    model: Model,
    prompts: Prompts,
    drop: Callable[[Example, Drop], None],
    params: Params,
) -> list[Example]:
    """The examples, in their order, some with a response that the teacher made no effort with.

    Where the teacher gives no usable reply, the example keeps its response and `drop` is told of
    the reply that was not planted, so that a reader sees by how much the fraction is short.
    """
    ranked = sorted(range(len(examples)), key=lambda at: _rank(params.seed, examples[at]))
    chosen = sorted(ranked[: round(params.fraction * len(examples))])

    async def shirk(place: int) -> tuple[int, Example | Drop]:
        example = examples[place]
        text = prompts.fill(params.kind, instruction=example.asked)
        request = Request(messages=(Message("user", text),), sampling=params.sampling)
        completion = await model.complete(request)
        reply = completion.text.strip().strip('"').strip()
        if completion.finish_reason in ("refused", "rejected") or not reply:
            return place, Drop(reason="no_shirker", evidence={"ended": completion.finish_reason})
        return place, _planted(example, reply, params.kind, completion.key)

    planted = list(examples)
    async for place, found in ordered(shirk, chosen, limit=params.window):
        if isinstance(found, Drop):
            drop(examples[place], found)
        else:
            planted[place] = found
    return planted


def _rank(seed: int, example: Example) -> str:
    return digest("shirkers", seed, example.id)


def _planted(example: Example, reply: str, kind: Kind, call: str) -> Example:
    origin = example.instruction.origin
    marked = replace(origin, step=STEP[kind], calls=(*origin.calls, call) if call else origin.calls)
    instruction = replace(example.instruction, origin=marked)
    return replace(example, instruction=instruction, response=reply, repairs=())
