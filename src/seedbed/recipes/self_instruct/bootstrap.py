"""Step 1: bootstrapping instructions (section 2.2 of the paper, "Instruction Generation")."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import replace

from seedbed.curate.filters import (
    Check,
    alpaca,
    empty,
    first_objection,
    keyword,
    leaked_prompt,
    self_instruct,
    word_count,
)
from seedbed.models.model import Model
from seedbed.prompts import Prompts
from seedbed.recipes.self_instruct.params import Bootstrap, InstructionRules, Params
from seedbed.recipes.self_instruct.pool import Accept, Accepted, Ask, Pool, prompt_of
from seedbed.recipes.self_instruct.proposals import FORMS, Task, Unread
from seedbed.recipes.self_instruct.seeds import Seed
from seedbed.records import Attempt, Completion, Drop, Dropped, Instruction
from seedbed.streams import ordered

Left = tuple[Dropped, Drop]
"""What was left out, and why."""

HOPELESS = 20
"""Asks in a row without an accepted instruction after which more are not worth their price."""

TEXT_ONLY = (
    *("image", "images", "picture", "pictures", "photo", "photos", "video", "videos"),
    *("audio", "flowchart", "diagram", "listen to"),
)
"""What a text model cannot do, without the papers' "map", "draw", "file", "graph" and their like,
which occur in tasks that it can."""


async def bootstrap(
    seeds: Sequence[Seed], *, model: Model, prompts: Prompts, accept: Accept, params: Params
) -> AsyncGenerator[Accepted | Left, None]:
    """Yield candidates in the order in which they were written, accepted or left out.

    Ends when `params.count` are accepted. A round asks as often as would do if every candidate
    were accepted, so no ask is made in vain; the next round asks for what is still missing.
    """
    step = params.bootstrap
    pool = Pool(seeds, prompts=prompts, params=params)
    rules = instruction_rules(step.rules, asked_with=prompts.templates[prompt_of(params)])
    barren = 0

    async def answer(ask: Ask) -> tuple[Ask, Completion]:
        return ask, await model.complete(ask.request)

    for _ in range(params.rounds):
        asked = pool.asks(-(-pool.missing // step.new))
        async with aclosing(ordered(answer, asked, limit=params.lag)) as answers:
            async for ask, completion in answers:
                before = pool.size
                for found in consider(ask, completion, pool, rules, step):
                    if isinstance(found, Accepted):
                        accept(found)
                    yield found
                pool.settle()
                barren = barren + 1 if pool.size == before else 0
                if barren >= HOPELESS:
                    return
        if not pool.missing:
            return


def consider(
    ask: Ask, completion: Completion, pool: Pool, rules: Sequence[Check], step: Bootstrap
) -> Iterator[Accepted | Left]:
    """One completion's candidates; each is compared with those accepted before it."""
    origin = replace(ask.origin, calls=(completion.key,))
    for text, found in candidates(completion, ask.shown, step):
        if not pool.missing:
            return
        attempt = Attempt(text=text, origin=origin)
        if isinstance(found, Drop):
            yield attempt, found
        elif (objection := first_objection(text, rules)) is not None:
            yield attempt, objection
        else:
            verdict = pool.admit(Instruction(text=text, origin=origin), found)
            yield (attempt, verdict) if isinstance(verdict, Drop) else verdict


def candidates(
    completion: Completion, shown: int, step: Bootstrap
) -> Iterator[tuple[str, Task | Drop]]:
    """Each candidate's text, and the task that it is or the reason why it is none."""
    if objection := unanswered(completion, step):
        yield completion.text, objection
        return
    read = FORMS[step.form].read(completion.text, shown)
    cut = completion.finish_reason == "length"
    for found in read[:-1] if cut else read:
        yield _candidate(found, step)
    if cut and read:
        text, _ = _candidate(read[-1], step)
        yield text, Drop(reason="truncated", evidence={"dropped": "the last task"})


def unanswered(completion: Completion, step: Bootstrap) -> Drop | None:
    """The objection to a completion as a whole."""
    if completion.finish_reason in ("refused", "rejected"):
        return Drop(reason=completion.finish_reason, evidence={"note": completion.note})
    if completion.finish_reason == "length" and step.truncated == "drop_all":
        return Drop(reason="truncated", evidence={"dropped": "the whole completion"})
    return None


def _candidate(found: Task | Unread, step: Bootstrap) -> tuple[str, Task | Drop]:
    if not isinstance(found, Task):
        return found
    text = found.instruction.capitalize() if step.capitalize else found.instruction
    return text, replace(found, instruction=text)


def instruction_rules(rules: InstructionRules, *, asked_with: str) -> tuple[Check, ...]:
    """The rules for a new instruction, but for its novelty. `open` works in every script.

    Args:
        rules: whose.
        asked_with: the prompt, of which an instruction must not repeat a part.
    """
    match rules:
        case "self_instruct":
            return self_instruct()
        case "alpaca":
            return alpaca()
        case "open":
            length, copied = (
                word_count(minimum=3, maximum=150),
                leaked_prompt(templates=[asked_with]),
            )
            return (empty(), length, keyword(TEXT_ONLY), copied)
