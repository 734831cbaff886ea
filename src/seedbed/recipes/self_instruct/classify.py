"""Step 2: which tasks are classifications (section 2.2, "Classification Task Identification")."""

from __future__ import annotations

import re
from dataclasses import replace

from seedbed.models.model import Model
from seedbed.prompts import Prompts
from seedbed.recipes.self_instruct.params import Instances
from seedbed.recipes.self_instruct.seeds import CLASSIFICATION
from seedbed.records import Instruction, Message, Request

_YES = re.compile(r"\W*(?:is it classification\?\W*)?yes\b", re.IGNORECASE)


async def classified(
    instruction: Instruction, *, model: Model, prompts: Prompts, step: Instances
) -> Instruction:
    """The instruction with the call behind it and, if it is one, its query type: classification."""
    text = prompts.fill(step.classify, instruction=instruction.text.strip())
    request = Request(messages=(Message("user", text),), sampling=step.classify_sampling)
    completion = await model.complete(request)
    kind = CLASSIFICATION if says_yes(completion.text) else ""
    origin = instruction.origin
    return replace(
        instruction,
        origin=replace(origin, query_type=kind, calls=(*origin.calls, completion.key)),
    )


def says_yes(text: str) -> bool:
    """Whether an answer begins with yes; everything else, a refusal too, is a no.

    The paper's rule. A wrong no costs little: instances are then written input first.
    """
    return _YES.match(text) is not None
