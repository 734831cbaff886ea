"""What each stage of a run asked for and got, counted where the recipe asks.

A replayed completion counts like a paid one: so a finished run, run again, tells the same story.
What was really paid, lost attempts included, is the ledger's matter (`budgeted.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from seedbed.models.model import Model
from seedbed.models.prices import PICO
from seedbed.records import JSON, Completion, Request


@dataclass(slots=True, kw_only=True)
class Tally:
    """Completions of one stage: how many, their tokens, and what was paid for them.

    `unpriced` counts those of which nobody knows the price.
    """

    picodollars: int = 0
    unpriced: int = 0
    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    doubtful: int = 0
    finish_reasons: dict[str, int] = field(default_factory=dict)

    def count(self, completion: Completion) -> None:
        usage = completion.usage
        self.calls += 1
        self.prompt_tokens += usage.prompt_tokens
        self.completion_tokens += usage.completion_tokens
        self.cached_tokens += usage.cached_tokens
        self.doubtful += usage.doubtful
        self.picodollars += usage.picodollars or 0
        self.unpriced += usage.picodollars is None and completion.finish_reason != "rejected"
        reason = completion.finish_reason
        self.finish_reasons[reason] = self.finish_reasons.get(reason, 0) + 1

    def to_json(self) -> dict[str, JSON]:
        return {
            "calls": self.calls,
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "cached_tokens": self.cached_tokens,
            "doubtful": self.doubtful,
            "dollars": None if self.unpriced else self.picodollars / PICO,
            "finish_reasons": dict(sorted(self.finish_reasons.items())),
        }


class Metered:
    """Counts what passes into a tally."""

    def __init__(self, model: Model, tally: Tally) -> None:
        self.name = model.name
        self._model = model
        self._tally = tally

    async def complete(self, request: Request, /) -> Completion:
        completion = await self._model.complete(request)
        self._tally.count(completion)
        return completion
