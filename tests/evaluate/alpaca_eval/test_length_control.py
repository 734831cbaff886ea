"""Win rates of arrays: what they mean, and what they refuse. No published data here."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest

from seedbed.errors import DatasetError
from seedbed.evaluate.alpaca_eval import gamed_rows, length_controlled, win_rate
from seedbed.evaluate.alpaca_eval.length_control import bootstrap, from_weights, judged_rows

COUNT = 400


def sigmoid(values: Any) -> Any:
    return 1 / (1 + np.exp(-values))


def made(bias: float, length_effect: float, *, seed: int = 0) -> dict[str, Any]:
    """Judgments of a student by a judge that likes long answers, as the model has it."""
    rng = np.random.default_rng(seed)
    baseline = rng.integers(500, 3000, COUNT)
    model = baseline + rng.integers(-800, 1200, COUNT)
    difficulty = rng.normal(size=COUNT)
    delta = (baseline - model) / (baseline - model).std(ddof=1)
    share = sigmoid(-length_effect * np.tanh(delta) + 0.5 * difficulty + bias)
    return {
        "preference": 1 + share,
        "model_chars": model,
        "baseline_chars": baseline,
        "difficulty": difficulty,
    }


def gamed(length_effect: float, *, seed: int = 1) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    delta, difficulty = rng.normal(size=2 * COUNT) * 2, rng.normal(size=2 * COUNT)
    return {
        "preference": sigmoid(-length_effect * np.tanh(delta) + 0.5 * difficulty),
        "std_delta_len": delta,
        "instruction_difficulty": difficulty,
    }


def test_what_length_did_is_taken_out() -> None:
    """Longer answers win more; with lengths equal the student is as good as the baseline."""
    judged = made(bias=0.0, length_effect=2.0)
    found = length_controlled(**judged, gamed=gamed(2.0), C=100)
    assert found.win_rate > 56
    assert found.length_controlled_winrate == pytest.approx(50, abs=1.0)
    assert found.weights[0] == pytest.approx(-2, abs=0.15)
    assert found.weights[1] == pytest.approx(0.5, abs=0.1)
    assert found.C == 100


def test_a_better_student_wins_at_equal_length() -> None:
    found = length_controlled(**made(bias=1.0, length_effect=0.5), gamed=gamed(0.5))
    assert found.weights[2] == pytest.approx(1.0, abs=0.1)
    assert found.length_controlled_winrate == pytest.approx(
        from_weights(found.weights, made(1.0, 0.5)["difficulty"])
    )
    assert (found.n, found.expected_n) == (COUNT, COUNT)


def test_the_baseline_itself_is_at_fifty() -> None:
    chars = [100, 200, 300]
    found = length_controlled([1.5, 1.5, 1.5], chars, chars, [0.1, 0.2, 0.3], gamed(1.0))
    assert (found.win_rate, found.length_controlled_winrate) == (50, 50)
    assert (found.weights, found.lc_standard_error) == ((0, 0, 0), 0)


def test_a_student_of_one_length_difference_is_fitted_without_it() -> None:
    judged = made(0.5, 0.0) | {"model_chars": np.full(COUNT, 50), "baseline_chars": [900] * COUNT}
    found = length_controlled(**judged, gamed=gamed(1.0), C=10)
    assert math.isfinite(found.length_controlled_winrate)


def test_unread_judgments_are_stated_and_not_averaged() -> None:
    whole = made(0.5, 1.0)
    holed = whole | {"preference": np.where(np.arange(COUNT) < 40, np.nan, whole["preference"])}
    found = length_controlled(**holed, gamed=gamed(1.0), C=10)
    assert (found.n, found.expected_n) == (COUNT - 40, COUNT)
    assert found.win_rate == pytest.approx(100 * (whole["preference"][40:] - 1).mean())


def test_gamed_rows_come_in_many_shapes(tmp_path: Path) -> None:
    columns = {name: values.tolist() for name, values in gamed(1.0).items()}
    frame = pandas.DataFrame(columns)
    frame.to_csv(tmp_path / "df_gamed.csv", index=False)
    rows = frame.to_dict("records")
    shapes = [columns, frame, rows, frame.to_numpy(), tmp_path / "df_gamed.csv"]
    first, *others = [gamed_rows(shape) for shape in shapes]
    for other in others:
        assert np.array_equal(first.share, other.share)
        assert np.array_equal(first.delta, other.delta)
        assert np.array_equal(first.difficulty, other.difficulty)
    assert gamed_rows(first) is first


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"preference": [0.5]}, "expected the columns preference, std_delta_len"),
        (np.zeros((4, 2)), "2 columns"),
        (7, "expected the columns"),
        (
            {"preference": [1.5], "std_delta_len": [0], "instruction_difficulty": [0]},
            "not within 0 and 1",
        ),
        (
            {"preference": [0.5], "std_delta_len": [0, 1], "instruction_difficulty": [0]},
            "columns of shapes",
        ),
        (
            {"preference": [0.5], "std_delta_len": [math.nan], "instruction_difficulty": [0]},
            "finite",
        ),
    ],
)
def test_gamed_rows_that_cannot_be_are_refused(given: Any, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        gamed_rows(given)


def test_a_file_without_the_columns_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["a", "b"], ["1", "2"]])
    with pytest.raises(DatasetError, match=r"other\.csv: expected a CSV with the columns"):
        gamed_rows(path)
    with pytest.raises(DatasetError, match="cannot be read"):
        gamed_rows(tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"preference": [1.0, 2.5]}, r"preference\[1\] = 2.5"),
        ({"preference": [0.3, 1.0]}, r"preference\[0\] = 0.3"),
        ({"preference": [math.nan, math.nan]}, "expected one row of numbers"),
        ({"preference": [[1.0, 2.0]]}, "expected one row of numbers"),
        ({"model_chars": [1.0]}, r"model_chars: shape \(1,\)"),
        ({"difficulty": [0.0, math.inf]}, "difficulty: expected finite"),
    ],
)
def test_arrays_that_cannot_be_are_refused(change: dict[str, Any], complaint: str) -> None:
    arrays: dict[str, Any] = {
        "preference": [1.0, 2.0],
        "model_chars": [5, 6],
        "baseline_chars": [5, 5],
        "difficulty": [0.0, 0.5],
    }
    with pytest.raises(ValueError, match=complaint):
        length_controlled(**(arrays | change), gamed=gamed(1.0))


def test_a_draw_counts_half_in_the_discrete_win_rate() -> None:
    found = win_rate([1.0, 1.2, 1.5, 0, 1.9])
    assert (found.n_wins, found.n_wins_base, found.n_draws) == (1, 2, 2)
    assert found.discrete_win_rate == 40
    assert found.win_rate == pytest.approx(100 * (0 + 0.2 + 0.5 + 0.5 + 0.9) / 5)
    assert win_rate([1.25]).standard_error == 0


def test_the_bootstrap_is_seeded_and_refits() -> None:
    judged = judged_rows(**made(0.5, 1.0))
    baseline = gamed_rows(gamed(1.0))
    first = bootstrap(judged, baseline, C=10, draws=20, seed=3)
    assert np.array_equal(first, bootstrap(judged, baseline, C=10, draws=20, seed=3))
    assert not np.array_equal(first, bootstrap(judged, baseline, C=10, draws=20, seed=4))
    assert len(set(first)) == 20
