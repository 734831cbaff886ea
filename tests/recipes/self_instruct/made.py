"""Running the recipe in a test, and a scripted teacher that answers in the chat preset's forms."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from seedbed.models.model import FakeModel, Model
from seedbed.prompts import load_prompts
from seedbed.recipes.self_instruct import Accepted, Params, Seed, self_instruct, shipped_seeds
from seedbed.recipes.self_instruct.params import PACKAGE
from seedbed.records import Completion, Drop, Dropped, Example, Request, Review

PROMPTS = load_prompts(PACKAGE)


@dataclass
class Made:
    """All that a run made, in order."""

    examples: list[Example] = field(default_factory=list)
    accepted: list[Accepted] = field(default_factory=list)
    drops: list[tuple[Dropped, Drop]] = field(default_factory=list)

    @property
    def reasons(self) -> list[str]:
        return [drop.reason for _, drop in self.drops]


async def content(example: Example) -> Example | Drop:
    return example


def grown(
    model: Model,
    params: Params,
    *,
    seeds: Sequence[Seed] | None = None,
    review: Review = content,
) -> Made:
    made = Made()

    async def run() -> None:
        async for example in self_instruct(
            shipped_seeds() if seeds is None else seeds,
            model=model,
            prompts=PROMPTS,
            review=review,
            drop=lambda item, drop: made.drops.append((item, drop)),
            accept=made.accepted.append,
            params=params,
        ):
            made.examples.append(example)

    asyncio.run(run())
    return made


def is_ask(request: Request) -> bool:
    """Whether a request of the chat preset is one for new tasks."""
    return "New tasks, numbered" in request.messages[0].content


def scripted(
    new_tasks: Callable[[Request], str],
    *,
    kind: str = "no",
    instances: str = "### Input 1:\nsome material\n\n### Output 1:\na response",
) -> FakeModel:
    """A teacher that answers each kind of prompt with a text of its own."""

    async def answer(request: Request) -> Completion:
        text = request.messages[0].content
        if is_ask(request):
            return Completion(text=new_tasks(request))
        if "### Is it a classification task?" in text:
            return Completion(text=kind)
        return Completion(text=instances)

    return FakeModel(answer)


def numbered(*instructions: str, first: int = 9) -> str:
    return "\n".join(f"{n}. {text}" for n, text in enumerate(instructions, first))


def demonstrations(prompt: str) -> list[str]:
    """The numbered lines of a prompt."""
    return re.findall(r"(?m)^(?:Task )?\d+[.:] (.*)$", prompt)
