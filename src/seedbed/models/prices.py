"""What a call costs: prices, the worst case of a request, and money without drift.

Money is counted in whole picodollars (10^-12 dollars): a price of 0.15 dollars per million tokens
is 150,000 of them per token, so sums over millions of calls are exact.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from functools import cache
from math import isfinite
from typing import TYPE_CHECKING

from seedbed.errors import ConfigError
from seedbed.records import Request, Usage

if TYPE_CHECKING:
    from genai_prices.types import ModelPrice, TieredPrices

PICO = 10**12
"""Picodollars in a dollar."""

TOKENS_PER_MESSAGE = 16
TOKENS_PER_REQUEST = 128
"""What chat templates add at most: role markers around each message (about 5 tokens), and the
default system text that some models put in front (Llama 3.1 about 30, gpt-oss about 70)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """Dollars per million tokens.

    `cached_input` is the price of prompt tokens that the provider's cache served; None means that
    they cost as much as the others. `tiers` are the prices that hold, for all tokens of a call,
    once its prompt is longer than so many tokens; the longest comes last.

    Raises:
        ConfigError: a price is negative or not a number.
    """

    input: float
    output: float
    cached_input: float | None = None
    tiers: tuple[tuple[int, Price], ...] = ()

    def __post_init__(self) -> None:
        for field, value in (
            ("input", self.input),
            ("output", self.output),
            ("cached_input", self.cached_input),
        ):
            if value is not None and not (isfinite(value) and value >= 0):
                raise ConfigError(
                    f"prices.{field} = {value}: expected dollars per million tokens, 0 or more"
                )

    def times(self, factor: float) -> Price:
        """A part of this price."""
        cached = self.cached_input
        return Price(
            input=self.input * factor,
            output=self.output * factor,
            cached_input=None if cached is None else cached * factor,
            tiers=tuple((start, price.times(factor)) for start, price in self.tiers),
        )

    def at(self, prompt_tokens: int) -> Price:
        """The price that holds for a prompt of this length."""
        reached = [price for start, price in self.tiers if prompt_tokens > start]
        return reached[-1] if reached else self


def picodollars(dollars: float) -> int:
    """Dollars as whole picodollars, rounded up."""
    return int((Decimal(str(dollars)) * PICO).to_integral_value(ROUND_CEILING))


@cache
def _per_token(dollars_per_million: float) -> int:
    exact = Decimal(str(dollars_per_million)) * (PICO // 1_000_000)
    return int(exact.to_integral_value(ROUND_CEILING))


def cost(usage: Usage, price: Price) -> int:
    """What `usage` costs, in picodollars."""
    held = price.at(usage.prompt_tokens)
    cached = held.input if held.cached_input is None else held.cached_input
    return (
        (usage.prompt_tokens - usage.cached_tokens) * _per_token(held.input)
        + usage.cached_tokens * _per_token(cached)
        + usage.completion_tokens * _per_token(held.output)
    )


def worst_case(request: Request) -> Usage:
    """The most tokens that a request can take, as an unreported usage.

    A token stands for at least one byte of UTF-8 in every byte-level or byte-fallback tokenizer,
    so bytes bound the prompt whatever the model; the completion is bounded by `max_tokens`.
    Outside the bound: a long hidden prompt of the provider's own, and servers that ignore
    `max_tokens`.
    """
    size = sum(len(m.content.encode("utf-8", "surrogatepass")) for m in request.messages)
    if request.schema is not None:
        size += len(json.dumps(request.schema))
    return Usage(
        prompt_tokens=size + TOKENS_PER_MESSAGE * len(request.messages) + TOKENS_PER_REQUEST,
        completion_tokens=request.sampling.max_tokens,
        reported=False,
    )


def find_price(
    model: str, base_url: str, *, service_tier: str = "", now: datetime | None = None
) -> Price | None:
    """What the price library (genai-prices, the copy it ships; no network) has for a model.

    The provider is told by `base_url` alone: the same model costs other amounts elsewhere, so a
    server that the library does not know has no price, and neither has a model that is charged
    in ways which `Price` cannot say (per call, per citation). Where a price changes with the time
    of day, the dearest of the next 24 hours is returned, so that a cap holds.

    Returns:
        None where no price is known.
    """
    from genai_prices import Usage as Units
    from genai_prices import calc_price

    start = now or datetime.now(tz=UTC)
    context = {"service_tier": service_tier} if service_tier else None
    found: list[Price] = []
    for hour in range(24):
        try:
            answer = calc_price(
                Units(input_tokens=1, output_tokens=1),
                model,
                provider_api_url=base_url,
                genai_request_timestamp=start + timedelta(hours=hour),
                price_context=context,
            )
        except LookupError:
            return None
        price = _translated(answer.model_price)
        if price is None:
            return None
        found.append(price)
    return max(found, key=lambda price: (price.output, price.input))


_CHARGED_OTHERWISE = ("requests_kcount", "output_reasoning_mtok", "output_citation_mtok")


def _translated(units: ModelPrice) -> Price | None:
    """The library's price as ours: its tiers, like ours, hold for all tokens of a call."""
    known: dict[str, Decimal | TieredPrices] = {
        name: value for name, value in vars(units).items() if value is not None
    }
    if not {"input_mtok", "output_mtok"} <= known.keys():
        return None
    if any(name in known for name in _CHARGED_OTHERWISE):
        return None
    starts = {
        tier.start
        for value in known.values()
        if not isinstance(value, Decimal)
        for tier in value.tiers
    }

    def price(above: int, tiers: tuple[tuple[int, Price], ...] = ()) -> Price:
        cached = known.get("cache_read_mtok")
        return Price(
            input=_dollars(known["input_mtok"], above),
            output=_dollars(known["output_mtok"], above),
            cached_input=None if cached is None else _dollars(cached, above),
            tiers=tiers,
        )

    return price(0, tuple((start, price(start)) for start in sorted(starts)))


def _dollars(value: Decimal | TieredPrices, above: int) -> float:
    """Dollars per million tokens of a call whose prompt is longer than `above` tokens."""
    if isinstance(value, Decimal):
        return float(value)
    reached = [tier.price for tier in value.tiers if tier.start <= above]
    return float(reached[-1] if reached and above else value.base)
