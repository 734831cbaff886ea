"""One request on its way through a batch, and when it has come to its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from torch import Tensor
from transformers import PreTrainedTokenizerBase

from seedbed.models.sampling import Draw
from seedbed.records import Completion, FinishReason, Request, TokenLogprob, Usage


@dataclass(slots=True, kw_only=True, eq=False)
class Row:
    """The prompt's tokens, at most `most` new ones, and what came so far.

    `abandoned` may be set from any thread: nobody waits for this row any more.
    """

    request: Request
    ids: Sequence[int]
    most: int
    draw: Draw
    reason: FinishReason | None = None
    text: str = ""
    logprobs: list[TokenLogprob] = field(default_factory=list)
    abandoned: bool = False

    @property
    def longest(self) -> int:
        """Tokens at its longest."""
        return len(self.ids) + self.most

    @property
    def over(self) -> bool:
        return self.reason is not None or self.abandoned

    @property
    def scored(self) -> bool:
        """Whether its log-probabilities are asked for."""
        return self.request.sampling.top_logprobs is not None

    def completion(self) -> Completion:
        usage = Usage(prompt_tokens=len(self.ids), completion_tokens=len(self.draw.written))
        return Completion(
            text=self.text,
            finish_reason=self.reason or "length",
            usage=usage,
            logprobs=tuple(self.logprobs),
        )


class Scribe:
    """Puts tokens to rows and ends them: at a token of `ends`, a stop string, or their length."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, *, ends: frozenset[int]) -> None:
        self._tokenizer = tokenizer
        self._ends = ends

    def write(self, row: Row, token: int, chances: Tensor | None) -> None:
        """Put one token to a row.

        Args:
            chances: [vocabulary], the natural-log probabilities; None if nobody asks for them.
        """
        row.draw.written.append(token)
        if token in self._ends:
            row.reason = "stop"
        elif chances is not None:
            row.logprobs.append(self._scored(chances, token, row))
        self._end(row)

    def _scored(self, chances: Tensor, token: int, row: Row) -> TokenLogprob:
        values, places = chances.topk(row.request.sampling.top_logprobs or 0)
        top = zip(places.tolist(), values.tolist(), strict=True)
        return TokenLogprob(
            self._token(token),
            float(chances[token]),
            tuple((self._token(place), value) for place, value in top),
        )

    def _end(self, row: Row) -> None:
        written, stops = row.draw.written, row.request.sampling.stop
        if row.reason is None and len(written) >= row.most:
            row.reason = "length"
        if row.reason is None and not (stops and self._stops_here(written, stops)):
            return
        text = self._text(written)
        found = [place for stop in stops if stop and (place := text.find(stop)) >= 0]
        if found:
            row.reason, text = "stop", text[: min(found)]
            row.logprobs = row.logprobs[: self._tokens_of(written, len(text))]
        if row.reason is not None:
            row.text = text

    def _stops_here(self, written: Sequence[int], stops: Sequence[str]) -> bool:
        """Whether the last token may have completed a stop string; a token is a byte at least."""
        longest = max(len(stop.encode()) for stop in stops)
        tail = self._text(written[-longest - 4 :])
        return any(stop and stop in tail for stop in stops)

    def _text(self, ids: Sequence[int]) -> str:
        return str(
            self._tokenizer.decode(
                list(ids), skip_special_tokens=True, clean_up_tokenization_spaces=False
            )
        )

    def _token(self, token: int) -> str:
        return str(self._tokenizer.decode([token], clean_up_tokenization_spaces=False))

    def _tokens_of(self, written: Sequence[int], length: int) -> int:
        """How many tokens it takes to write the first `length` characters."""
        count = len(written)
        while count and len(self._text(written[: count - 1])) >= length:
            count -= 1
        return count
