"""Making an example of the practice world outside a conversation."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from seedbed.models.practice.compose import draw_task
from seedbed.models.practice.query_types import query_type_named
from seedbed.models.practice.wording import write_instruction, write_response
from seedbed.models.practice.world import resolve


def make(names: Sequence[str], query_type: str, rng: Random) -> tuple[str, str]:
    """An instruction that needs all the named skills, and its true response.

    A topic's name stands for one of its skills; an unknown query type gets a neutral wording.

    Raises:
        ConfigError: a name is neither a skill nor a topic of the practice world.
    """
    task = draw_task(resolve(names, rng), rng)
    kind = query_type_named(query_type)
    instruction = write_instruction(task, kind, rng, purpose=rng.random() < 0.5)
    return instruction, write_response(task, rng)
