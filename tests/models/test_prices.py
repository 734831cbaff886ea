from __future__ import annotations

import socket
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.errors import ConfigError
from seedbed.models.prices import PICO, Price, cost, find_price, picodollars, worst_case
from seedbed.records import Message, Request, Sampling, Usage

NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)


def test_cost_counts_cached_tokens_at_their_own_price() -> None:
    price = Price(input=1.0, output=4.0, cached_input=0.1)
    usage = Usage(prompt_tokens=1000, completion_tokens=100, cached_tokens=600)
    assert cost(usage, price) == 400 * 1_000_000 + 600 * 100_000 + 100 * 4_000_000


def test_without_a_cached_price_cached_tokens_cost_as_much_as_others() -> None:
    usage = Usage(prompt_tokens=1000, cached_tokens=600)
    assert cost(usage, Price(input=2.0, output=0.0)) == picodollars(0.002)


def test_a_million_small_calls_cost_exactly_a_million_times_one() -> None:
    price = Price(input=0.07, output=0.29)
    usage = Usage(prompt_tokens=3, completion_tokens=1)
    assert sum(cost(usage, price) for _ in range(1000)) == 1000 * cost(usage, price)
    assert cost(usage, price) == 3 * 70_000 + 290_000


def test_a_price_finer_than_a_picodollar_per_token_is_rounded_up() -> None:
    assert cost(Usage(prompt_tokens=1), Price(input=0.0000001, output=0)) == 1


def test_a_long_prompt_is_charged_at_its_tier() -> None:
    price = Price(input=1, output=1, tiers=((1000, Price(input=2, output=2)),))
    assert cost(Usage(prompt_tokens=1000), price) == picodollars(0.001)
    assert cost(Usage(prompt_tokens=1001), price) == picodollars(0.002002)


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf")])
def test_an_impossible_price_is_refused(value: float) -> None:
    with pytest.raises(ConfigError, match="input"):
        Price(input=value, output=1)


@given(st.lists(st.text(), min_size=1, max_size=4), st.integers(1, 9999))
def test_the_worst_case_has_a_token_for_every_byte(texts: list[str], most: int) -> None:
    messages = tuple(Message("user", text) for text in texts)
    worst = worst_case(Request(messages=messages, sampling=Sampling(max_tokens=most)))
    assert worst.prompt_tokens > sum(len(text.encode()) for text in texts)
    assert worst.completion_tokens == most
    assert not worst.reported


def test_a_lone_surrogate_has_a_worst_case_too() -> None:
    assert worst_case(Request(messages=(Message("user", "\ud800"),))).prompt_tokens > 3


def test_a_schema_counts_into_the_prompt() -> None:
    messages = (Message("user", "Hi"),)
    plain = worst_case(Request(messages=messages))
    schema = worst_case(Request(messages=messages, schema={"type": "object"}))
    assert schema.prompt_tokens > plain.prompt_tokens


def test_known_providers_have_prices_without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(*_: object, **__: object) -> None:
        raise AssertionError("a price was looked up in the network")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    price = find_price("gpt-4o-mini", "https://api.openai.com/v1", now=NOON)
    assert price is not None
    assert (price.input, price.output, price.cached_input) == (0.15, 0.6, 0.075)


def test_tiers_of_the_library_are_kept() -> None:
    price = find_price("claude-sonnet-4-5", "https://api.anthropic.com/v1", now=NOON)
    assert price is not None
    assert price.at(200_000).output < price.at(200_001).output


def test_the_dearest_hour_of_the_day_counts() -> None:
    night = find_price("deepseek-chat", "https://api.deepseek.com", now=NOON.replace(hour=20))
    day = find_price("deepseek-chat", "https://api.deepseek.com", now=NOON)
    assert night == day


@pytest.mark.parametrize(
    ("model", "base_url"),
    [
        ("gpt-4o-mini", "http://127.0.0.1:8000/v1"),
        ("gpt-4o-mini", "https://proxy.example.com/v1"),
        ("no-such-model", "https://api.openai.com/v1"),
        ("sonar", "https://api.perplexity.ai"),
    ],
)
def test_what_is_not_known_for_sure_has_no_price(model: str, base_url: str) -> None:
    assert find_price(model, base_url, now=NOON) is None


def test_a_dollar_is_a_trillion_picodollars() -> None:
    assert picodollars(1.0) == PICO
