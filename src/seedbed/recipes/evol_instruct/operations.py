"""The six operations, which one a parent gets, and the prompt that asks for it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from seedbed.prompts import Prompts
from seedbed.recipes.evol_instruct.params import BROADEN, COMPLICATE, IN_DEPTH, Operation, Params
from seedbed.streams import rng


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What is tried with a parent in a round; `draw` counts earlier tries with the same parent."""

    operation: Operation
    format: str = ""
    round: int
    draw: int

    @property
    def name(self) -> str:
        """The origin's step: `deepen`, or `complicate_input:sql_database`."""
        slug = re.sub(r"\W+", "_", self.format.lower()).strip("_")
        return f"{self.operation}:{slug}" if slug else self.operation


def operation_of(step: str) -> str:
    """The operation of an origin's step."""
    return step.partition(":")[0]


def draw_step(parent: str, *, number: int, draw: int, params: Params) -> Step:
    """One of the operations, uniformly, in round `number`; `parent` is an instruction's id."""
    random = rng("evolve", params.seed, number, parent)
    operation = random.choice(params.operations)
    kind = random.choice(params.formats) if operation == COMPLICATE else ""
    return Step(operation=operation, format=kind, round=number, draw=draw)


def evolving_prompt(prompts: Prompts, step: Step, text: str) -> str:
    """What the model reads; the instruction comes last, so that what is shared can be cached."""
    if step.operation in IN_DEPTH:
        method = prompts.fill(step.operation)
        return prompts.fill("rewrite", method=method, instruction=text)
    if step.operation == COMPLICATE:
        return prompts.fill(COMPLICATE, format=step.format, instruction=text)
    return prompts.fill(BROADEN, instruction=text)
