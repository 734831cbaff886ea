"""Writing with a Hugging Face model, many rows at once, each with settings of its own.

Why no `generate`: it has one sampling configuration for a whole batch, takes what is not said from
the checkpoint's `generation_config.json`, seeds one generator for all rows, and pads rows that
have ended until the last one ends. Here a row's settings are its own and all of them are said, and
a row that has ended leaves the batch at once.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from seedbed.errors import ModelError
from seedbed.models.growing import GrowingCache
from seedbed.models.sampling import Draw, choose
from seedbed.records import Completion, FinishReason, Request, TokenLogprob, Usage


@dataclass(slots=True, kw_only=True, eq=False)
class Row:
    """One request on its way: the prompt's tokens, at most `most` new ones, what came so far."""

    request: Request
    ids: Sequence[int]
    most: int
    draw: Draw
    reason: FinishReason | None = None
    text: str = ""
    logprobs: list[TokenLogprob] = field(default_factory=list)
    abandoned: bool = False
    """Set from any thread: nobody waits for this row any more."""

    def completion(self) -> Completion:
        usage = Usage(prompt_tokens=len(self.ids), completion_tokens=len(self.draw.written))
        return Completion(
            text=self.text,
            finish_reason=self.reason or "length",
            usage=usage,
            logprobs=tuple(self.logprobs),
        )


class Decoder:
    """A model with its tokenizer, and the tokens that end an answer."""

    def __init__(
        self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, *, ends: frozenset[int]
    ) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._ends = ends
        self._device = next(model.parameters()).device
        run: Callable[..., Any] = model
        self._run = run
        self._takes = inspect.signature(model.forward).parameters.keys()

    def close(self) -> None:
        """Let go of the weights."""
        del self._model, self._run

    @torch.inference_mode()
    def decode(self, rows: Sequence[Row], done: Callable[[Row], None]) -> None:
        """Write all rows to their end; `done` is told of each as it ends.

        Rows that are abandoned on the way leave without a word.

        Raises:
            ModelError: the model computes what is no number.
        """
        live = [row for row in rows if not row.abandoned]
        if not live:
            return
        ids, mask = self._padded(live)
        cache = GrowingCache(self._model.config)
        logits = self._forward(ids, mask, cache)
        if bool(logits.isnan().any()):
            raise ModelError(
                "the model's logits are not numbers (NaN)",
                hint="Its weights are broken, or this precision is too small for it: "
                'try dtype = "float32".',
            )
        while True:
            tokens = self._step(logits, live, done)
            stay = [
                place for place, row in enumerate(live) if row.reason is None and not row.abandoned
            ]
            if not stay:
                return
            if len(stay) < len(live):
                places = torch.tensor(stay, device=self._device)
                cache.select(places)
                mask, live = mask[places], [live[place] for place in stay]
            ids = torch.tensor([[tokens[place]] for place in stay], device=self._device)
            mask = torch.cat([mask, mask.new_ones(len(stay), 1)], dim=1)
            logits = self._forward(ids, mask, cache)

    def _padded(self, rows: Sequence[Row]) -> tuple[Tensor, Tensor]:
        """Token ids and mask, both [rows, longest], filled up on the left."""
        width = max(len(row.ids) for row in rows)
        ids = torch.zeros(len(rows), width, dtype=torch.long)
        mask = torch.zeros(len(rows), width, dtype=torch.long)
        for place, row in enumerate(rows):
            ids[place, width - len(row.ids) :] = torch.tensor(row.ids)
            mask[place, width - len(row.ids) :] = 1
        return ids.to(self._device), mask.to(self._device)

    def _forward(self, ids: Tensor, mask: Tensor, cache: GrowingCache) -> Tensor:
        """The logits behind the last token of each row, [rows, vocabulary], float32."""
        given: dict[str, Any] = {"attention_mask": mask}
        if "position_ids" in self._takes:
            positions = (mask.cumsum(-1) - 1).clamp(min=0)
            given["position_ids"] = positions[:, -ids.shape[1] :]
        if "logits_to_keep" in self._takes:
            given["logits_to_keep"] = 1
        # Renamed within transformers 5.
        given["cache" if "cache" in self._takes else "past_key_values"] = cache.inner
        output = self._run(input_ids=ids, use_cache=True, **given)
        logits: Tensor = output.logits[:, -1].float()
        return logits

    def _step(
        self, logits: Tensor, rows: Sequence[Row], done: Callable[[Row], None]
    ) -> Sequence[int]:
        scored = [place for place, row in enumerate(rows) if _scores(row)]
        chances = logits[scored].log_softmax(-1) if scored else None
        tokens = choose(logits, [row.draw for row in rows])
        for place, row in enumerate(rows):
            token = tokens[place]
            row.draw.written.append(token)
            if token in self._ends:
                row.reason = "stop"
            elif chances is not None and _scores(row):
                row.logprobs.append(self._scored(chances[scored.index(place)], token, row))
            self._finish(row, done)
        return tokens

    def _scored(self, chances: Tensor, token: int, row: Row) -> TokenLogprob:
        """The model's own chances, before temperature and penalties."""
        most = row.request.sampling.top_logprobs or 0
        values, places = chances.topk(most)
        top = zip(places.tolist(), values.tolist(), strict=True)
        return TokenLogprob(
            self._said([token]),
            float(chances[token]),
            tuple((self._said([place]), value) for place, value in top),
        )

    def _said(self, ids: Sequence[int]) -> str:
        return str(self._tokenizer.decode(list(ids), clean_up_tokenization_spaces=False))

    def _finish(self, row: Row, done: Callable[[Row], None]) -> None:
        """End a row that wrote an end, a stop string, or all that it may."""
        written = row.draw.written
        if row.reason is None and len(written) >= row.most:
            row.reason = "length"
        stops = row.request.sampling.stop
        if row.reason is None and not (stops and self._stops_here(written, stops)):
            return
        text = self._text(written)
        found = [place for stop in stops if stop and (place := text.find(stop)) >= 0]
        if found:
            row.reason, text = "stop", text[: min(found)]
            row.logprobs = row.logprobs[: self._tokens_of(written, len(text))]
        if row.reason is not None:
            row.text = text
            done(row)

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

    def _tokens_of(self, written: Sequence[int], length: int) -> int:
        """How many tokens it takes to write the first `length` characters."""
        count = len(written)
        while count and len(self._text(written[: count - 1])) >= length:
            count -= 1
        return count


def _scores(row: Row) -> bool:
    return row.request.sampling.top_logprobs is not None
