"""The practice teacher as a model: reads rendered prompts, answers from its world."""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict

from seedbed.errors import Overloaded, RateLimited
from seedbed.models.practice.asked import Asked
from seedbed.models.practice.schemas import fitted
from seedbed.models.practice.tasks import task_of
from seedbed.models.practice.trouble import REFUSAL, Trouble, cut, leaking, malformed
from seedbed.models.practice.world import WORLD_VERSION
from seedbed.records import (
    Completion,
    FinishReason,
    Request,
    TokenLogprob,
    Usage,
    digest,
)
from seedbed.streams import rng

_PIECE = re.compile(r"\s*(?:\w{1,4}|[^\w\s])")
"""A word piece: up to four letters or digits, or one other sign, with the space before it. Near
enough to real tokenisers for English (about four characters each); trailing space counts nothing.
"""

NO_TROUBLE = Trouble()

REMEMBERED = 10_000
"""Requests whose attempts are counted; the oldest are forgotten first and start anew."""


def count_pieces(text: str) -> int:
    return sum(1 for _ in _PIECE.finditer(text))


class PracticeTeacher:
    """A model without weights, whose answers are true by construction. It is no language model.

    Answers are a function of the messages, the draw (unless the temperature is 0) and the seed.
    `top_p` and penalties change nothing; of schemas it knows three shapes (`schemas.py`);
    log-probabilities are all 0, because it is certain.

    Args:
        trouble: what to get wrong on purpose.
        seed: another seed is another teacher of the same world.
        retry_after: what a 429 of the `rate_limited` dial asks for, in seconds.
    """

    def __init__(
        self, trouble: Trouble = NO_TROUBLE, *, seed: int = 0, retry_after: float | None = None
    ) -> None:
        self._trouble = trouble
        self._shares = trouble.shares()
        self._seed = seed
        self._retry_after = retry_after
        self._attempts: OrderedDict[str, int] = OrderedDict()

    @property
    def name(self) -> str:
        """`practice-1`, with the dials that shape answers: `practice-1(wrong=0.2,seed=3)`."""
        dials = self._trouble.shaping() | ({"seed": self._seed} if self._seed else {})
        said = ",".join(f"{name}={value:g}" for name, value in sorted(dials.items()))
        return f"practice-{WORLD_VERSION}" + (f"({said})" if said else "")

    async def complete(self, request: Request, /) -> Completion:
        """Answer one request.

        Raises:
            RateLimited: the `rate_limited` dial, at a request's first attempt.
            Overloaded: the `failed` dial, likewise, after the 429 where both hit.
        """
        draw = request.draw if request.sampling.temperature > 0 else 0
        key = digest(self._seed, [[m.role, m.content] for m in request.messages], draw)
        await asyncio.sleep(self._seconds(key))
        self._fail(key)
        return self._answer(request, key)

    def _seconds(self, key: str) -> float:
        trouble = self._trouble
        return trouble.latency + (trouble.slow_seconds if self._hits("slow", key) else 0.0)

    def _hits(self, dial: str, key: str) -> bool:
        share = self._shares[dial]
        return share > 0 and rng("practice", dial, key).random() < share

    def _fail(self, key: str) -> None:
        dials = [dial for dial in ("rate_limited", "failed") if self._hits(dial, key)]
        if not dials:
            return
        attempt = self._attempts.pop(key, 0)
        self._attempts[key] = attempt + 1
        if len(self._attempts) > REMEMBERED:
            self._attempts.popitem(last=False)
        if dials[attempt : attempt + 1] == ["rate_limited"]:
            raise RateLimited(
                "practice: too many requests (the rate_limited dial)", retry_after=self._retry_after
            )
        if dials[attempt : attempt + 1] == ["failed"]:
            raise Overloaded("practice: internal error (the failed dial)")

    def _answer(self, request: Request, key: str) -> Completion:
        random = rng("practice", WORLD_VERSION, key)
        asked = Asked(request.messages, random)
        task = task_of(asked)
        hits = frozenset(dial for dial in task.troubles if self._hits(dial, key))
        if "refused" in hits:
            return self._finished(request, REFUSAL, "refused")
        text = task.answer(Asked(request.messages, random, hits))
        if "leaked_commentary" in hits:
            text = leaking(text, random)
        if "malformed" in hits:
            text = malformed(text, random)
        elif request.schema is not None:
            text = fitted(text, request.schema)
        if "truncated" in hits:
            return self._finished(request, cut(text, random), "length")
        return self._finished(request, text, "stop")

    def _finished(self, request: Request, text: str, reason: FinishReason) -> Completion:
        """Obey `stop` and `max_tokens`, count, and give log-probabilities where asked for."""
        sampling = request.sampling
        ends = [place for stop in sampling.stop if stop and (place := text.find(stop)) >= 0]
        text = text[: min(ends)] if ends else text
        reason = "stop" if ends and reason == "length" else reason
        pieces = list(_PIECE.finditer(text))
        if len(pieces) > sampling.max_tokens:
            text = text[: pieces[sampling.max_tokens - 1].end()]
            pieces, reason = pieces[: sampling.max_tokens], "length"
        prompt_tokens = sum(count_pieces(message.content) for message in request.messages)
        return Completion(
            text=text,
            finish_reason=reason,
            usage=Usage(prompt_tokens=prompt_tokens, completion_tokens=len(pieces)),
            logprobs=_certain(pieces, sampling.top_logprobs),
            note=text if reason == "refused" else "",
        )


def _certain(pieces: list[re.Match[str]], top: int | None) -> tuple[TokenLogprob, ...]:
    """Each piece with log-probability 0: the teacher has one answer and knows no other."""
    if top is None:
        return ()
    return tuple(TokenLogprob(piece[0], 0.0, ((piece[0], 0.0),) if top else ()) for piece in pieces)
