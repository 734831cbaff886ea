"""Published rows beside a student's."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.evaluate.alpaca_eval.made import annotation_rows, data, write_data

from seedbed.errors import DatasetError
from seedbed.evaluate.alpaca_eval import Annotated, Scoring, load_data, score
from seedbed.evaluate.alpaca_eval.leaderboard import FILE, Published, read_leaderboard, standing

ROWS = tuple(
    Published(student=name, value=value)
    for name, value in (("a", 90.0), ("b", 60.0), ("c", 40.0), ("d", 10.0))
)


def test_a_value_stands_between_the_rows_around_it() -> None:
    assert standing(ROWS, 50.0, beside=1) == (
        "2 of 4 published rows are higher; around it: b 60.00, c 40.00."
    )
    assert standing(ROWS, 95.0).startswith("0 of 4 published rows are higher; around it: a 90.00")
    assert standing(ROWS, 1.0).endswith("around it: c 40.00, d 10.00.")
    assert standing((), 50.0) == ""


@pytest.mark.parametrize(("judge", "told"), [("gpt-4-1106-preview", True), ("judge-1", False)])
def test_only_what_compares_with_published_rows_is_held_against_them(
    tmp_path: Path, judge: str, told: bool
) -> None:
    write_data(tmp_path)
    (tmp_path / FILE).write_text(
        ",win_rate,length_controlled_winrate\nbest,99.5,99.0\nworst,0.5,\n", encoding="utf-8"
    )
    benchmark = load_data(tmp_path)
    annotated = Annotated(student="tiny", judge=judge, baseline=benchmark.baseline)
    for place, row in enumerate(annotation_rows(benchmark)):
        annotated.add(place, row["preference"], row["output_2"], row["output_1"])
    result = score(annotated, benchmark, scoring=Scoring(draws=5))
    notes = result.measurement("win_rate").notes
    sentence = "win_rate: 1 of 2 published rows are higher; around it: best 99.50, worst 0.50."
    assert (sentence in notes) is told
    lc_notes = result.measurement("lc_win_rate").notes
    assert any("1 of 1 published rows are higher" in note for note in lc_notes) is told


def test_a_file_that_is_no_leaderboard_is_refused(tmp_path: Path) -> None:
    assert read_leaderboard(None) == read_leaderboard(tmp_path) == {}
    data(tmp_path)
    (tmp_path / FILE).write_text("a,b\n1,2\n")
    with pytest.raises(DatasetError, match="cannot be read as the leaderboard"):
        load_data(tmp_path)
