"""Ablations: arms that differ in one thing, from data to a measured student, several seeds each.

PyTorch is imported when the work begins.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from seedbed.ablate.study import Study, plan_study

if TYPE_CHECKING:
    from seedbed.ablate.table import Compared

__all__ = ["Study", "ablate", "plan_study"]


async def ablate(
    study: Study,
    *,
    say: Callable[[str], None] = lambda line: None,
    stop: asyncio.Event | None = None,
) -> Sequence[Compared]:
    """Make every arm's data, tune and measure its students, and write what came out.

    Args:
        say: is told of each piece of work.
        stop: set it to end early; the same call goes on later, and repeats nothing that is done.

    Raises:
        SeedbedError: a run or a training cannot go on. What is finished is kept.
    """
    from seedbed.ablate.table import compared
    from seedbed.ablate.working import Work
    from seedbed.ablate.writing import write

    work = Work(study=study, say=say, stop=stop or asyncio.Event())
    found = compared(await work.cells())
    write(study, found)
    return found
