"""Ranges of calls, tokens and dollars: what a run is expected to take, stage by stage."""

from __future__ import annotations

from dataclasses import dataclass

from seedbed.records import JSON

BYTES_PER_TOKEN = (5.0, 3.4)
"""UTF-8 bytes per token, for the low and the high end: English prose takes about 4.5 with the
tokenizers of today's large models; code, numbers and other scripts take fewer."""


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
    """One kind of call; tokens are of all its calls together."""

    name: str
    calls: Range
    prompt_tokens: Range
    completion_tokens: Range

    def dollars(self, *, input_price: float, output_price: float) -> Range:
        """What it costs at prices in dollars per million tokens."""
        return self.prompt_tokens * (input_price / 1e6) + self.completion_tokens * (
            output_price / 1e6
        )

    def to_json(self) -> dict[str, JSON]:
        return {
            "stage": self.name,
            "calls": self.calls.to_json(),
            "prompt_tokens": self.prompt_tokens.to_json(),
            "completion_tokens": self.completion_tokens.to_json(),
        }


Forecast = dict[str, list[Stage]]
"""For each stage of a run, its kinds of calls."""


def total(stages: list[Stage]) -> Stage:
    sums = [ZERO, ZERO, ZERO]
    for stage in stages:
        parts = (stage.calls, stage.prompt_tokens, stage.completion_tokens)
        sums = [left + right for left, right in zip(sums, parts, strict=True)]
    return Stage("total", *sums)


def tokens_in(text: str) -> Range:
    """How many tokens a tokenizer we do not have is likely to make of a text."""
    size = len(text.encode("utf-8", "surrogatepass"))
    low, high = BYTES_PER_TOKEN
    return Range(size / low, size / high)
