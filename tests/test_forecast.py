"""Ranges and stages."""

from __future__ import annotations

import json

import pytest

from seedbed.forecast import Range, Stage, tokens_in, total


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
        "completion_tokens": [55, 66],
    }
