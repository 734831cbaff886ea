"""Asking a judge: its answer as text or as the chances of its first token, read or counted as lost.

A judge is any `Model`, so its calls are journaled, budgeted and throttled like a teacher's. What it
says is read by a function of the benchmark that returns None where there is nothing to read: such
an answer is counted, shown, and never replaced by a score.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from dataclasses import dataclass
from math import exp
from random import Random
from typing import Generic, TypeVar

from seedbed.forecast import Range, Stage, total
from seedbed.models.metered import Metered, Tally
from seedbed.models.model import Model
from seedbed.models.prices import PICO
from seedbed.records import Completion, Request
from seedbed.streams import ordered

T = TypeVar("T")

WINDOW = 1024
"""Judgments under way at once: many more than calls in flight, so that a slow one idles none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgment(Generic[T]):
    """What a judge answered, and what was read in it: None where that could not be read."""

    value: T | None
    completion: Completion


class Judge:
    """Asks a model, meters what it takes, and counts the answers that could not be read.

    `asked` and `failed` count judgments, replayed ones too; `tally` holds calls and tokens.
    """

    def __init__(self, model: Model) -> None:
        self.name = model.name
        self.tally = Tally()
        self.asked = 0
        self.failed = 0
        self._bare = model
        self._model = Metered(model, self.tally)

    async def accepts(self, request: Request) -> bool:
        """Whether the judge's server takes such a request; its answer is not counted.

        It is journaled like any other, so that asking it again in earnest costs nothing more.
        """
        return (await self._bare.complete(request)).finish_reason != "rejected"

    async def ask(self, request: Request, read: Callable[[Completion], T | None]) -> Judgment[T]:
        """One judgment. A refused or rejected request has nothing to read.

        Raises:
            ModelError: no answer could be had.
        """
        completion = await self._model.complete(request)
        lost = completion.finish_reason in ("refused", "rejected")
        value = None if lost else read(completion)
        self.asked += 1
        self.failed += value is None
        return Judgment(value=value, completion=completion)

    def ask_all(
        self, requests: Iterable[Request], read: Callable[[Completion], T | None]
    ) -> AsyncGenerator[Judgment[T], None]:
        """Judgments in the order of the requests."""

        async def work(request: Request) -> Judgment[T]:
            return await self.ask(request, read)

        return ordered(work, requests, limit=WINDOW)

    @property
    def dollars(self) -> float | None:
        """What the judgments cost when they were paid; None where a price is unknown."""
        return None if self.tally.unpriced else self.tally.picodollars / PICO

    @property
    def failure_rate(self) -> float:
        """The share of judgments that could not be read; 0 before the first."""
        return self.failed / self.asked if self.asked else 0.0

    def notes(self) -> tuple[str, ...]:
        """What a reader of the measurement has to know about this judge's answers."""
        if not self.failed:
            return ()
        return (
            f"{self.failed} of {self.asked} judgments ({self.failure_rate:.1%}) could not be read "
            "and are left out of every average.",
        )


def token_chances(completion: Completion, tokens: Sequence[str]) -> tuple[float, ...] | None:
    """How the first token's chance is shared among `tokens`, which have to match exactly.

    A token that is not among the alternatives that the server listed has chance 0. The shares add
    up to 1 (the other tokens are left out, as AlpacaEval's logprob parser does).

    Returns:
        A share for each of `tokens`; None where the completion has no log-probabilities or none of
        the tokens is listed.
    """
    if not completion.logprobs:
        return None
    listed = dict(completion.logprobs[0].top)
    found = [listed.get(token) for token in tokens]
    best = max((value for value in found if value is not None), default=None)
    if best is None:
        return None
    weights = [0.0 if value is None else exp(value - best) for value in found]
    return tuple(weight / sum(weights) for weight in weights)


def switched(text: str, *, seed: int = 0) -> bool:
    """Whether the two outputs for this instruction are shown in the other order.

    It depends on the instruction alone, so every student is shown in the same place. Source:
    AlpacaEval's annotators, whose published annotations this reproduces with seed 0.
    """
    return Random(f"is_switched_outputs{text}{seed}").choices([False, True], k=1)[0]


def agreement(pairs: Iterable[tuple[float, float]]) -> float | None:
    """The share of pairs whose two preferences (1 to 2, the second swapped back) name one winner.

    Where one of the two sees a draw (1.5), so must the other. None where there is no pair.
    """
    verdicts = [
        ((first > 1.5) - (first < 1.5)) == ((second > 1.5) - (second < 1.5))
        for first, second in pairs
    ]
    return sum(verdicts) / len(verdicts) if verdicts else None


def forecast_judging(
    name: str, prompts: Iterable[tuple[Range, int]], *, completion_tokens: Range | None = None
) -> Stage:
    """What judging takes.

    Args:
        name: of the stage.
        prompts: tokens of each prompt (`forecast.tokens_in`) and the request's `max_tokens`.
        completion_tokens: of one answer; from none to `max_tokens` unless given.
    """
    stages = [
        Stage(name, Range(1, 1), tokens, completion_tokens or Range(1, most))
        for tokens, most in prompts
    ]
    summed = total(stages)
    return Stage(name, summed.calls, summed.prompt_tokens, summed.completion_tokens)
