"""Results: what they refuse, and that a file holds all of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from seedbed.errors import DatasetError
from seedbed.evaluate.measurement import (
    Item,
    Measurement,
    Result,
    read_result,
    read_results,
    write_result,
)

WIN_RATE = Measurement(
    benchmark="alpaca_eval",
    metric="win_rate",
    value=62.5,
    low=40.0,
    high=80.0,
    standard_error=10.25,
    n=2,
    expected_n=3,
    student="tiny",
    judge="gpt-4-1106-preview",
    tool="seedbed 0.1.0",
    settings={"reference": "gpt4_1106_preview", "sampling": {"temperature": 0.9}},
    dollars=None,
    notes=("One judgment could not be parsed.",),
)
ITEMS = (
    Item(id="a", scores={"win_rate": 100.0}, chars=12, group="g", facts={"difficulty": -0.5}),
    Item(id="b", scores={"win_rate": 25.0}, chars=0),
    Item(id="c", scores={}, chars=7),
)
RESULT = Result(measurements=(WIN_RATE,), items=ITEMS)


def test_a_file_gives_back_what_was_written(tmp_path: Path) -> None:
    path = write_result(RESULT, tmp_path / "evaluation" / "tiny")
    assert path.name == "alpaca_eval.json"
    assert read_result(path) == RESULT
    assert read_results(tmp_path / "evaluation" / "tiny") == (RESULT,)


def test_a_checkpoint_is_read_through_its_evaluation_folder(tmp_path: Path) -> None:
    write_result(RESULT, tmp_path / "evaluation")
    (tmp_path / "config.json").write_text("{}")
    assert read_results(tmp_path) == (RESULT,)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"value": float("nan")}, "finite"),
        ({"standard_error": float("inf")}, "finite"),
        ({"low": None}, "one end"),
        ({"low": 90.0}, "from 90.0 to 80.0"),
        ({"n": 0}, "0 items of 3"),
        ({"n": 4}, "4 items of 3"),
    ],
)
def test_a_measurement_refuses_what_would_mislead(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        replace(WIN_RATE, **change)


def test_an_item_that_could_not_be_scored_has_no_score() -> None:
    with pytest.raises(ValueError, match="leave it out"):
        Item(id="a", scores={"win_rate": float("nan")}, chars=1)


def test_a_result_is_of_one_benchmark_and_names_nothing_twice() -> None:
    with pytest.raises(ValueError, match="one benchmark"):
        Result(measurements=(WIN_RATE, replace(WIN_RATE, student="other")), items=())
    with pytest.raises(ValueError, match="metric 'win_rate' is there twice"):
        Result(measurements=(WIN_RATE, WIN_RATE), items=())
    with pytest.raises(ValueError, match="item 'b' is there twice"):
        Result(measurements=(WIN_RATE,), items=(ITEMS[1], ITEMS[1]))
    with pytest.raises(ValueError, match="one benchmark"):
        Result(measurements=(), items=())


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("{}", "measurements: Field required"),
        ('{"measurements": [], "items": []}', "one benchmark"),
        ("no json", "Invalid JSON"),
        (
            '{"measurements": [{"benchmark": "x", "metric": "y", "value": "high"}], "items": []}',
            "valid number",
        ),
    ],
)
def test_another_file_is_refused_by_name(tmp_path: Path, content: str, complaint: str) -> None:
    path = tmp_path / "some.json"
    path.write_text(content)
    with pytest.raises(DatasetError, match=complaint) as caught:
        read_result(path)
    assert str(path) in str(caught.value)


def test_a_missing_file_and_an_empty_folder_are_said(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="cannot be read"):
        read_results(tmp_path / "none.json")
    with pytest.raises(DatasetError, match="no result in it"):
        read_results(tmp_path)
