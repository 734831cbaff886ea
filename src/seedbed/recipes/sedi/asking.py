"""Asking for new tasks with seeds that move: Self-Instruct's asks, ordered so that runs replay."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass

from seedbed.models.model import Model
from seedbed.recipes.sedi.params import Params
from seedbed.recipes.sedi.steering import Steering
from seedbed.recipes.self_instruct.bootstrap import HOPELESS, Left, consider, instruction_rules
from seedbed.recipes.self_instruct.growing import Grow
from seedbed.recipes.self_instruct.pool import Accept, Accepted, Ask, Pool
from seedbed.records import Completion, Example
from seedbed.streams import ordered

Group = list[Accepted | Left]
"""What one ask brought, accepted or left out, in the order in which it was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """What asking takes: the teacher, steps 2 and 3, the prompt that asks, and a sink."""

    model: Model
    grow: Grow
    asked_with: str
    accept: Accept


async def asked(
    pool: Pool, steering: Steering, ways: Ways, *, missing: Callable[[], int], params: Params
) -> AsyncGenerator[list[Example | Left], None]:
    """Yield what each ask led to, ask by ask, until nothing is missing or no more comes.

    Ask n is shown the seeds as they follow from ask n - `asking.lag`: if so far d batches had been
    drawn then, the seeds after the feedback of d + 1 - `steering.lag` of them. So which requests
    are made hangs on no timing, and neither the asks nor the student wait without need.
    """
    step, drawn = params.asking, list[int]()
    writing = (step.lag + 1) // 2 if step.instances is not None else 1
    most = step.instances.most if step.instances is not None else 1
    barren = 0

    async def asks(count: int) -> AsyncIterator[Ask]:
        for _ in range(count):
            known = pool.asked - step.lag
            batches = drawn[known] + 1 - params.steering.lag if known >= 0 else 0
            yield pool.ask(await steering.seeds_after(batches))

    async def answer(ask: Ask) -> tuple[Ask, Completion]:
        return ask, await ways.model.complete(ask.request)

    for _ in range(step.rounds):
        count = -(-missing() // (step.bootstrap.new * most))
        answers = ordered(answer, asks(count), limit=step.lag + 1 - writing)
        groups = _groups(answers, pool, ways, params)
        written = ordered(_writer(ways.grow), groups, limit=writing)
        async with aclosing(answers), aclosing(groups), aclosing(written):
            async for entries in written:
                before = missing()
                yield entries
                drawn.append(steering.size)
                barren = barren + 1 if missing() == before else 0
                if barren >= HOPELESS:
                    return
        if not missing():
            return


async def _groups(
    answers: AsyncIterator[tuple[Ask, Completion]], pool: Pool, ways: Ways, params: Params
) -> AsyncGenerator[Group, None]:
    """What each completion holds; each candidate is compared with those accepted before it."""
    step = params.asking.bootstrap
    rules = instruction_rules(step.rules, asked_with=ways.asked_with)
    async for ask, completion in answers:
        group = list(consider(ask, completion, pool, rules, step))
        pool.settle()
        for found in group:
            if isinstance(found, Accepted):
                ways.accept(found)
        yield group


def _writer(grow: Grow) -> Callable[[Group], Awaitable[list[Example | Left]]]:
    async def write(group: Group) -> list[Example | Left]:
        """The examples of one ask's instructions, all under way at once."""
        if not group:
            return []
        found = ordered(grow, group, limit=len(group))
        async with aclosing(found):
            return [entry async for entries in found for entry in entries]

    return write
