"""Judged outputs in files: what is read, what is joined, and what is refused."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import Any

import pytest
from tests.evaluate.alpaca_eval.made import annotation_rows, data
from tests.evaluate.shared_data import ANNOTATIONS, FOLDER, judged, needs_data

from seedbed.errors import DatasetError
from seedbed.evaluate.alpaca_eval.annotations import read_annotations
from seedbed.evaluate.alpaca_eval.data import load_data
from seedbed.evaluate.judge import switched


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text(json.dumps(rows))
    return path


def chances(m: float, big_m: float) -> dict[str, Any]:
    """A raw completion as the official file stores it."""
    listed = [{"token": "m", "logprob": m}, {"token": "M", "logprob": big_m}]
    token = {"token": "m", "logprob": m, "top_logprobs": listed}
    return {"logprobs": {"content": [token]}, "message": {"content": "m"}}


@needs_data
def test_every_stored_preference_follows_from_its_log_probabilities_and_order() -> None:
    benchmark = load_data(FOLDER)
    students = read_annotations(ANNOTATIONS, benchmark)
    assert {student.student for student in students} == set(judged())
    assert sum(len(student.place) for student in students) == 24_947
    assert sum(student.reread for student in students) == 23_274
    assert [student.student for student in students if student.differing] == []


def test_the_official_form_is_read(tmp_path: Path) -> None:
    benchmark = data(tmp_path)
    rows = annotation_rows(benchmark)
    (student,) = read_annotations(write(tmp_path / "annotations.json", rows), benchmark)
    assert (student.student, student.judge, student.baseline) == ("tiny", "judge-1", "baseline-1")
    assert student.preference == [row["preference"] for row in rows]
    assert student.model_chars == [len(row["output_2"]) for row in rows]
    assert student.baseline_chars == [len(text) for text in benchmark.outputs]
    assert student.rows(benchmark) == rows


def test_rows_are_joined_by_instruction_in_whatever_order(tmp_path: Path) -> None:
    benchmark = data(tmp_path)
    rows = annotation_rows(benchmark)[::-1][:30]
    (student,) = read_annotations(write(tmp_path / "annotations.json", rows), benchmark)
    assert student.place == list(range(39, 9, -1))


def test_a_table_of_numbers_for_several_students_is_read(tmp_path: Path) -> None:
    benchmark = data(tmp_path)
    path = tmp_path / "table.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["model", "instruction_index", "preference", "len_1", "len_2"])
        writer.writerows([["a", 0, 1.25, 100, 90], ["b", 3, "", 100, 80], ["a", 1, 2, 50, 60]])
    first, second = read_annotations(path, benchmark)
    assert (first.student, first.place, first.preference) == ("a", [0, 1], [1.25, 2.0])
    assert (first.model_chars, first.baseline_chars, first.outputs) == ([90, 60], [100, 50], [])
    assert math.isnan(second.preference[0])


def test_a_preference_that_its_log_probabilities_do_not_give_is_counted(tmp_path: Path) -> None:
    benchmark = data(tmp_path)
    rows = annotation_rows(benchmark)[:4]
    for row in rows:
        share = 1 / (1 + math.exp(-2.0))  # of m, which stands for the output shown first
        shown = 2 - share
        row["preference"] = 3 - shown if switched(row["instruction"]) else shown
        row["raw_completion"] = chances(-0.1, -2.1)
    (good,) = read_annotations(write(tmp_path / "good.json", rows), benchmark)
    assert (good.reread, good.differing) == (4, 0)
    rows[0]["preference"] = 3 - rows[0]["preference"]
    rows[1]["preference"] = None
    rows[2]["raw_completion"] = None
    (bad,) = read_annotations(write(tmp_path / "bad.json", rows), benchmark)
    assert (bad.reread, bad.differing) == (3, 2)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"instruction": "Something else."}, "row 2: an instruction that the benchmark does not"),
        ({"instruction": "Explain thing number 0."}, "row 2: the instruction 0 of tiny is there"),
        ({"instruction": None}, "neither an `instruction` nor an `instruction_index` within 0"),
        ({"preference": 2.5}, "the preference 2.5 is not within 1 and 2"),
        ({"preference": "high"}, "expected a number, got 'high'"),
        ({"output_2": None}, "neither a text `output_2` nor its characters `len_2`"),
    ],
)
def test_a_malformed_row_is_refused_with_its_number(
    tmp_path: Path, change: dict[str, Any], complaint: str
) -> None:
    benchmark = data(tmp_path)
    rows = annotation_rows(benchmark)[:3]
    rows[1] |= change
    path = write(tmp_path / "annotations.json", rows)
    with pytest.raises(DatasetError, match=complaint) as caught:
        read_annotations(path, benchmark)
    assert str(path) in str(caught.value)


def test_a_file_without_preferences_or_rows_is_refused(tmp_path: Path) -> None:
    benchmark = data(tmp_path)
    rows = [{"instruction": row["instruction"]} for row in annotation_rows(benchmark)]
    with pytest.raises(DatasetError, match="no `preference`; found instruction"):
        read_annotations(write(tmp_path / "a.json", rows), benchmark)
    with pytest.raises(DatasetError, match="no row in it"):
        read_annotations(write(tmp_path / "b.json", []), benchmark)
