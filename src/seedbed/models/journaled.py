"""A model that is never asked the same thing twice."""

from __future__ import annotations

from dataclasses import replace

from seedbed.journal import Journal
from seedbed.models.model import Model
from seedbed.records import JSON, Completion, Request, TokenLogprob, Usage, digest

KIND = "completion"


class Journaled:
    """Remembers completions in a journal; each carries the key of its entry.

    What is sent is announced by `Announced`, which belongs inside.

    The key holds the model's name and the whole request with its draw, and nothing of how the
    answer was got: time limits, retries, concurrency and keys may change between runs.
    """

    def __init__(self, model: Model, journal: Journal) -> None:
        self.name = model.name
        self._model = model
        self._journal = journal

    async def complete(self, request: Request, /) -> Completion:
        question = [self.name, request.to_json()]

        async def effect() -> JSON:
            return completion_to_json(await self._model.complete(request))

        answer = await self._journal.once(KIND, question, effect, announces=True)
        return replace(completion_from_json(answer), key=digest(KIND, question))


def completion_to_json(completion: Completion) -> JSON:
    usage = completion.usage
    return {
        "text": completion.text,
        "finish_reason": completion.finish_reason,
        "usage": {
            "prompt_tokens": usage.prompt_tokens,
            "completion_tokens": usage.completion_tokens,
            "cached_tokens": usage.cached_tokens,
            "reported": usage.reported,
            "doubtful": usage.doubtful,
            "picodollars": usage.picodollars,
        },
        "logprobs": [
            [entry.token, entry.logprob, [list(pair) for pair in entry.top]]
            for entry in completion.logprobs
        ],
        "note": completion.note,
    }


def completion_from_json(answer: JSON) -> Completion:
    return Completion(
        text=answer["text"],
        finish_reason=answer["finish_reason"],
        usage=Usage(**answer["usage"]),
        logprobs=tuple(
            TokenLogprob(token, logprob, tuple((word, chance) for word, chance in top))
            for token, logprob, top in answer["logprobs"]
        ),
        note=answer["note"],
    )
