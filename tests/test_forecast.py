"""Ranges and stages."""

from __future__ import annotations

import json

import pytest

from seedbed.forecast import Range, Stage, cacheable, cached, tokens_in, total


def test_arithmetic_goes_end_by_end() -> None:
    assert Range(1, 2) + Range(3, 5) == Range(4, 7)
    assert Range(1, 2) * Range(3, 5) == Range(3, 10)
    assert Range(1, 2) * 3 == Range(3, 6)


@pytest.mark.parametrize("text", ["", "Plain English prose. " * 20, "é漢字", "\ud800"])
def test_the_tokens_of_a_text_are_bracketed(text: str) -> None:
    found = tokens_in(text)
    size = len(text.encode("utf-8", "surrogatepass"))
    assert found.low <= size / 4.4 <= found.high
    assert (found.high == 0) == (text == "")


def test_stages_cost_what_their_tokens_cost() -> None:
    stage = Stage("draft", Range(1, 2), Range(1000, 2000), Range(100, 300))
    cost = stage.dollars(input_price=2.0, output_price=10.0)
    assert (cost.low, cost.high) == pytest.approx((0.003, 0.007))


def test_a_beginning_is_cached_from_1024_tokens_on_in_steps_of_128() -> None:
    assert cacheable(Range(1023, 1024)) == Range(0, 1024)
    assert cacheable(Range(1151, 1152)) == Range(1024, 1152)
    assert cached(Range(1, 11), Range(2000, 2000)) == Range(0, 10 * 1920)
    assert cached(Range(0, 0), Range(2000, 2000)) == Range(0, 0)


def test_dollars_go_from_all_that_can_be_cached_to_nothing_cached() -> None:
    stage = Stage("draft", Range(10, 10), Range(9000, 14000), Range(100, 300), Range(0, 12000))
    cost = stage.dollars(input_price=2.0, output_price=10.0, cached_price=0.5)
    # All tokens of the high estimate with 12,000 at the cache's price are the cheapest.
    assert cost.low == pytest.approx((2000 * 2.0 + 12000 * 0.5 + 100 * 10.0) / 1e6)
    assert cost.high == pytest.approx((14000 * 2.0 + 300 * 10.0) / 1e6)
    dear = stage.dollars(input_price=2.0, output_price=10.0)
    assert dear.low == pytest.approx((9000 * 2.0 + 100 * 10.0) / 1e6)


def test_a_total_is_the_sum_of_its_stages() -> None:
    stages = [
        Stage("a", Range(1, 2), Range(3, 4), Range(5, 6)),
        Stage("b", Range(10, 20), Range(30, 40), Range(50, 60)),
    ]
    assert total(stages) == Stage("total", Range(11, 22), Range(33, 44), Range(55, 66))
    assert total([]).calls == Range(0, 0)
    assert json.loads(json.dumps(total(stages).to_json())) == {
        "stage": "total",
        "calls": [11, 22],
        "prompt_tokens": [33, 44],
        "cached_tokens": [0, 0],
        "completion_tokens": [55, 66],
    }
