"""`seedbed compare`: two measured students on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.evaluate.shared_data import ANNOTATIONS, FOLDER, needs_data
from tests.evaluate.test_comparing import BAD, GOOD, result

from seedbed.cli import main
from seedbed.evaluate.measurement import write_result

Captured = pytest.CaptureFixture[str]


@needs_data
def test_from_public_annotations_to_a_comparison(tmp_path: Path, capsys: Captured) -> None:
    stored = ["--annotations", str(ANNOTATIONS), "--data", str(FOLDER), "--draws", "2"]
    models = ["--model", "claude-2", "--model", "gpt-3.5-turbo-1106"]
    assert main(["eval", "alpaca_eval", *stored, *models, "--out", str(tmp_path)]) == 0
    capsys.readouterr()
    places = [str(tmp_path / name) for name in ("claude-2", "gpt-3.5-turbo-1106")]
    arguments = [*places, "--data", str(FOLDER), "--draws", "100", "--json"]
    assert main(["compare", *arguments]) == 0
    raw, lc = json.loads(capsys.readouterr().out)["pairs"]
    assert (raw["metric"], lc["metric"]) == ("win_rate", "lc_win_rate")
    assert raw["value"] == pytest.approx(17.188240 - 9.177965, abs=1e-5)
    assert lc["value"] == pytest.approx(28.155 - 19.219, abs=0.01)
    for pair in (raw, lc):
        assert pair["verdict"].startswith("claude-2 is higher than gpt-3.5-turbo-1106 by ")
        assert pair["n"] == 805
        assert 0 < pair["low"] < pair["value"] < pair["high"]
        assert pair["more_chars"] == pytest.approx(1069 - 796, abs=1)
    assert lc["p"] == pytest.approx(1 / 101)
    assert lc["adjusted_p"] < 0.05


def test_a_table_sentences_and_a_plot(tmp_path: Path, capsys: Captured) -> None:
    write_result(result("a", GOOD, settings={"temperature": 0.9}), tmp_path / "a" / "evaluation")
    write_result(result("b", BAD), tmp_path / "b")
    plot = tmp_path / "compared.html"
    places = [str(tmp_path / "a"), str(tmp_path / "b" / "quiz.json")]
    assert main(["compare", *places, "--plot", str(plot)]) == 0
    shown = capsys.readouterr().out
    assert "\n  a − b, quiz score\n" in shown
    told = " ".join(shown.replace("\u00a0", " ").split())
    assert "a − b, quiz score 7.50 3.40 +4.10" in told
    assert "quiz score: a is higher than b by 4.10 (95 %: +" in told
    assert "WARNING: quiz: a and b differ in temperature: 0.9 and not set." in told
    assert plot.stat().st_size > 1_000_000
    assert main(["compare", *places, "--all", "--json"]) == 0
    pairs = json.loads(capsys.readouterr().out)["pairs"]
    assert [pair["metric"] for pair in pairs] == ["score", "half"]


def test_a_training_and_a_run_stand_for_their_best_checkpoint(
    tmp_path: Path, capsys: Captured
) -> None:
    for name, scores, training in (("a", GOOD, "a"), ("b", BAD, "b/training")):
        best = tmp_path / training / "checkpoints" / "epoch-02"
        write_result(result(name, scores), best / "evaluation")
        (tmp_path / training / "training.json").write_text('{"best": "epoch-02"}')
    assert main(["compare", str(tmp_path / "a"), str(tmp_path / "b"), "--json"]) == 0
    (pair,) = json.loads(capsys.readouterr().out)["pairs"]
    assert pair["verdict"].startswith("a is higher than b")
    (tmp_path / "a" / "training.json").write_text("{}")
    assert main(["compare", str(tmp_path / "a"), str(tmp_path / "b")]) == 2
    assert "names no best checkpoint" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["a"], "expected two results or more"),
        (["a", "none"], "none: cannot be read"),
        (["a", "b", "--metric", "other"], "nothing to compare"),
        (["a", "b", "--draws", "5"], "--draws 5"),
        (["a", "c"], "judged differently: judge is none and judge-2"),
        (["a", "b", "--plot", "x.png"], "the plot is an HTML page"),
    ],
)
def test_what_cannot_be_compared_is_said(
    tmp_path: Path,
    capsys: Captured,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    complaint: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, judge in (("a", ""), ("b", ""), ("c", "judge-2")):
        write_result(result(name, GOOD, judge=judge), tmp_path / name)
    assert main(["compare", *arguments]) in (2, 3)
    assert complaint in capsys.readouterr().err
