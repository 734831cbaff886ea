"""A scripted teacher for the tests, and a run of the recipe."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from seedbed.models.model import Model
from seedbed.prompts import load_prompts
from seedbed.recipes.evol_instruct import evol_instruct
from seedbed.recipes.evol_instruct.params import Params
from seedbed.records import (
    Completion,
    Drop,
    Dropped,
    Example,
    Instruction,
    Request,
    Review,
    digest,
)

PROMPTS = load_prompts("seedbed.recipes.evol_instruct")

Said = str | Completion
Script = Callable[[Request], Said]

RESPONSE = "Copper conducts heat because its electrons move freely through the whole metal."


def seeds(count: int) -> list[Instruction]:
    return [Instruction(text=f"Explain topic number {number}.") for number in range(count)]


def kind_of(request: Request) -> str:
    text = request.messages[-1].content
    if text.endswith(("### Rewritten prompt:", "### Created prompt:")):
        return "rewrite"
    return "judge" if text.endswith("### Judgement:") else "answer"


def given(request: Request) -> str:
    """The instruction that a rewriting prompt brings."""
    text = request.messages[-1].content
    return text.rpartition("### Given prompt:\n")[2].rpartition("\n\n### ")[0]


def harder(request: Request) -> str:
    return f"{given(request)} Mention item {digest(request.to_json())[:6]}."


class Teacher:
    """Answers by three functions, out of order, and remembers what it was asked."""

    name = "fake"

    def __init__(
        self,
        *,
        rewrite: Script = harder,
        answer: Script = lambda request: RESPONSE,
        judge: Script = lambda request: "Not equal",
    ) -> None:
        self.asked: list[Request] = []
        self._scripts = {"rewrite": rewrite, "answer": answer, "judge": judge}

    async def complete(self, request: Request, /) -> Completion:
        self.asked.append(request)
        for _ in range(int(digest(request.to_json())[:2], 16) % 7):
            await asyncio.sleep(0)
        said = self._scripts[kind_of(request)](request)
        return Completion(text=said) if isinstance(said, str) else said

    def count(self, kind: str) -> int:
        return sum(kind_of(request) == kind for request in self.asked)


async def approve(example: Example) -> Example | Drop:
    return example


Grown = tuple[list[Example], list[tuple[Dropped, Drop]]]


def grown(
    model: Model,
    params: Params,
    *,
    given: Iterable[Example | Instruction] | None = None,
    judge: Model | None = None,
    review: Review = approve,
) -> Grown:
    drops: list[tuple[Dropped, Drop]] = []

    async def run() -> list[Example]:
        stream = evol_instruct(
            seeds(10) if given is None else given,
            model=model,
            judge=judge or model,
            prompts=PROMPTS,
            review=review,
            drop=lambda item, objection: drops.append((item, objection)),
            params=params,
        )
        return [example async for example in stream]

    return asyncio.run(run()), drops
