"""Ranges of calls, tokens and dollars: what a run is expected to take, stage by stage."""

from __future__ import annotations

from dataclasses import dataclass

from seedbed.records import JSON

BYTES_PER_TOKEN = (5.0, 3.4)
"""UTF-8 bytes per token, for the low and the high end: English prose takes about 4.5 with the
tokenizers of today's large models; code, numbers and other scripts take fewer."""


CACHED_FROM, CACHED_STEP = 1024, 128
"""Prompt tokens from which on, and in which steps, a provider's cache serves how a prompt begins
(OpenAI's guide to prompt caching; others begin at 64, or at 4,096)."""


@dataclass(frozen=True, slots=True)
class Range:
    """A low and a high estimate; arithmetic goes end by end."""

    low: float
    high: float

    def __add__(self, other: Range) -> Range:
        return Range(self.low + other.low, self.high + other.high)

    def __mul__(self, other: Range | float) -> Range:
        if isinstance(other, Range):
            return Range(self.low * other.low, self.high * other.high)
        return Range(self.low * other, self.high * other)

    def to_json(self) -> list[JSON]:
        return [round(self.low, 4), round(self.high, 4)]


ZERO = Range(0, 0)

JUDGE = "judge"
"""The stage that asks the judge; every other asks the teacher."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One kind of call; tokens are of all its calls together.

    `cached_tokens` are those of the prompts that a provider's cache can serve, for the low and the
    high estimate of the prompts: whether it does is not known.
    """

    name: str
    calls: Range
    prompt_tokens: Range
    completion_tokens: Range
    cached_tokens: Range = ZERO

    def dollars(
        self, *, input_price: float, output_price: float, cached_price: float | None = None
    ) -> Range:
        """What it costs at prices in dollars per million tokens.

        From what it costs if all is cached that can be, to what it costs if nothing is.
        """
        cheaper = input_price - (input_price if cached_price is None else cached_price)
        asked, cached = self.prompt_tokens, self.cached_tokens
        low = min(
            asked.low * input_price - cached.low * cheaper,
            asked.high * input_price - cached.high * cheaper,
        )
        prompts = Range(low / 1e6, asked.high * input_price / 1e6)
        return prompts + self.completion_tokens * (output_price / 1e6)

    def to_json(self) -> dict[str, JSON]:
        return {
            "stage": self.name,
            "calls": self.calls.to_json(),
            "prompt_tokens": self.prompt_tokens.to_json(),
            "cached_tokens": Range(0, self.cached_tokens.high).to_json(),
            "completion_tokens": self.completion_tokens.to_json(),
        }


Forecast = dict[str, list[Stage]]
"""For each stage of a run, its kinds of calls."""


def total(stages: list[Stage]) -> Stage:
    sums = [ZERO, ZERO, ZERO, ZERO]
    for stage in stages:
        parts = (stage.calls, stage.prompt_tokens, stage.completion_tokens, stage.cached_tokens)
        sums = [left + right for left, right in zip(sums, parts, strict=True)]
    return Stage("total", *sums)


def cacheable(beginning: Range) -> Range:
    """Tokens of a prompt's beginning that a cache can serve where it has been sent before."""
    low, high = (
        tokens // CACHED_STEP * CACHED_STEP if tokens >= CACHED_FROM else 0
        for tokens in (beginning.low, beginning.high)
    )
    return Range(low, high)


def cached(calls: Range, beginning: Range) -> Range:
    """Tokens that all calls of a stage but the first can have from the cache."""
    return Range(max(0, calls.low - 1), max(0, calls.high - 1)) * cacheable(beginning)


def tokens_in(text: str) -> Range:
    """How many tokens a tokenizer we do not have is likely to make of a text."""
    size = len(text.encode("utf-8", "surrogatepass"))
    low, high = BYTES_PER_TOKEN
    return Range(size / low, size / high)
