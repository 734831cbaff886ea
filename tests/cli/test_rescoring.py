"""`seedbed eval alpaca_eval --annotations FILE`: published judgments scored with no call."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.evaluate.alpaca_eval.made import annotation_rows, data, write_data
from tests.evaluate.shared_data import ANNOTATIONS, FOLDER, leaderboard, needs_data

from seedbed.cli import main
from seedbed.evaluate.measurement import read_result

Captured = pytest.CaptureFixture[str]


@needs_data
def test_a_published_table_gives_the_published_numbers(capsys: Captured) -> None:
    arguments = ["--annotations", str(ANNOTATIONS), "--data", str(FOLDER), "--draws", "20"]
    models = ["--model", "claude-2.1", "--model", "phi-2"]
    assert main(["eval", "alpaca_eval", *arguments, *models, "--json"]) == 0
    measured = {
        (each["student"], each["metric"]): each for each in json.loads(capsys.readouterr().out)
    }
    claude = leaderboard()["claude-2.1"]
    for metric, published, within in (
        ("win_rate", "win_rate", 1e-9),
        ("discrete_win_rate", "discrete_win_rate", 1e-9),
        ("lc_win_rate", "length_controlled_winrate", 1e-6),
    ):
        found = measured["claude-2.1", metric]
        assert found["value"] == pytest.approx(claude[published], abs=within)
        assert found["low"] < found["value"] < found["high"]
    assert measured["claude-2.1", "win_rate"]["standard_error"] == pytest.approx(
        claude["standard_error"], abs=1e-9
    )
    official = measured["claude-2.1", "lc_official_standard_error"]["value"]
    assert measured["claude-2.1", "lc_win_rate"]["standard_error"] > 1.5 * official
    phi = measured["phi-2", "lc_win_rate"]
    assert (phi["n"], phi["expected_n"]) == (803, 805)
    by_row = measured["phi-2", "lc_win_rate_by_row"]["value"]
    assert by_row == pytest.approx(leaderboard()["phi-2"]["length_controlled_winrate"], abs=1e-6)
    assert abs(by_row - phi["value"]) > 0.3


@needs_data
def test_constant_outputs_are_called_out(capsys: Captured) -> None:
    arguments = ["--annotations", str(ANNOTATIONS), "--data", str(FOLDER), "--draws", "2"]
    assert main(["eval", "alpaca_eval", *arguments, "--model", "NullModel"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "WARNING: 805 of 805 outputs have exactly the same length" in told
    assert "0 differ from what was stored" in told


def test_annotations_become_a_result_file(tmp_path: Path, capsys: Captured) -> None:
    rows = annotation_rows(data(tmp_path / "data"))
    rows[5]["preference"] = None
    stored = tmp_path / "annotations.json"
    stored.write_text(json.dumps(rows[:30]))
    out = tmp_path / "results"
    arguments = ["--annotations", str(stored), "--data", str(tmp_path / "data")]
    assert main(["eval", "alpaca_eval", *arguments, "--draws", "20", "--out", str(out)]) == 0
    told = " ".join(capsys.readouterr().out.split())
    for sentence in (
        "tiny on alpaca_eval, judged by judge-1",
        "10 of 40 instructions have no judged output.",
        "1 of 30 preferences could not be read and are left out; they are no losses and no draws.",
        "this judge is judge-1, so the LC win rate compares with no published one.",
        str(out / "alpaca_eval.json"),
    ):
        assert sentence in told
    result = read_result(out / "alpaca_eval.json")
    raw = result.measurement("win_rate")
    assert (raw.n, raw.expected_n, len(result.items)) == (29, 40, 30)
    kept = [row["preference"] for row in rows[:30] if row["preference"] is not None]
    assert raw.value == pytest.approx(100 * (sum(kept) / 29 - 1))
    assert {item.chars for item in result.items} == {len(row["output_2"]) for row in rows[:30]}


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["mt_bench", "--annotations", "x.json"], "no benchmark whose judgments are stored so"),
        (["alpaca_eval", "--annotations", "x.json"], "no such file"),
        (["alpaca_eval", "--annotations", "a.json", "--model", "other"], "--model other: not in"),
        (["alpaca_eval", "--annotations", "a.json", "--draws", "1"], "--draws 1"),
        (["alpaca_eval", "--annotations", "a.json", "--penalty", "0"], "--penalty 0"),
    ],
)
def test_what_cannot_be_scored_is_said(
    tmp_path: Path,
    capsys: Captured,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    complaint: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    benchmark = data(write_data(tmp_path / "data"))
    Path("a.json").write_text(json.dumps(annotation_rows(benchmark)))
    assert main(["eval", *arguments, "--data", "data"]) in (2, 3)
    assert complaint in capsys.readouterr().err
