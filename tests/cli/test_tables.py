"""What the commands say of a run, and that they write over nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.runs import config

from seedbed.cli import main
from seedbed.cli.tables import spend_line
from seedbed.records import JSON

Captured = pytest.CaptureFixture[str]


def test_run_says_what_of_the_spend_is_new(tmp_path: Path, capsys: Captured) -> None:
    path = config(tmp_path)
    assert main(["run", str(path)]) == 0
    assert "taken from the journal" not in capsys.readouterr().out
    calls = json.loads((tmp_path / "run" / "manifest.json").read_text())["spend"]["calls"]
    assert main(["run", str(path)]) == 0
    assert f"taken from the journal: {calls:,}; new: 0\n" in capsys.readouterr().out


def test_skills_alone_leave_a_run_complete(tmp_path: Path, capsys: Captured) -> None:
    path = config(tmp_path)
    assert main(["skills", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["status"] == "skills"
    assert main(["run", str(path)]) == 0
    capsys.readouterr()
    assert main(["skills", str(path)]) == 0
    assert "query types.\n" in capsys.readouterr().out
    assert main(["show", str(tmp_path / "run"), "--samples", "0"]) == 0
    assert ": skillmix, complete\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("caps", "words"),
    [
        ("calls = 30", "calls = 30 is too low: the run stops there"),
        ("calls = 80", "calls = 80 may be too low"),
        ("calls = 30\ntokens = 1_000", "tokens = 1,000 is too low; [budget] calls = 30 is too low"),
        ("dollars = 9.0\ntokens = 9_000_000\ncalls = 900", ""),
    ],
)
def test_the_plan_says_which_cap_would_stop_the_run(
    tmp_path: Path, capsys: Captured, caps: str, words: str
) -> None:
    assert main(["plan", str(config(tmp_path, budget=caps))]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert words in shown
    assert ("[budget]" in shown) == bool(words)


def test_where_all_seeds_are_evolved_nothing_is_called_asked_for(
    tmp_path: Path, capsys: Captured
) -> None:
    (tmp_path / "seeds.jsonl").write_text('{"instruction": "Name a lake.", "output": "Garda."}\n')
    path = tmp_path / "a.toml"
    path.write_text(
        'recipe = "evol_instruct"\nseeds = "seeds.jsonl"\n[teacher]\nmodel = "practice"\n'
    )
    assert main(["run", str(path)]) in (0, 7)
    out = capsys.readouterr().out
    assert "as asked for" not in out
    assert "the seeds' all" in out


def spent(*, of_stage: float | None = 0.0, **changed: float) -> dict[str, JSON]:
    spend = {"calls": 2, "tokens": 30, "dollars": 0.0, "doubtful_calls": 0, "doubtful_dollars": 0.0}
    return {"spend": spend | changed, "stages": {"examples": {"dollars": of_stage}}}


def test_the_spend_makes_up_no_dollars_and_does_not_round_them_to_nothing() -> None:
    assert spend_line(spent()) == "2 calls, 30 tokens, $0.00"
    assert spend_line(spent(calls=1, dollars=0.0042)) == "1 call, 30 tokens, $0.0042"
    assert spend_line(spent(of_stage=None)) == "2 calls, 30 tokens, no price known"
    partly = spend_line(spent(of_stage=None, dollars=1.5))
    assert partly == "2 calls, 30 tokens, $1.50 where a price is known"
    lost = spend_line(spent(doubtful_calls=1, doubtful_dollars=0.004))
    assert "1 of the calls (up to $0.0040) was lost" in lost


def test_text_is_folded_to_the_terminal(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = config(tmp_path)
    assert main(["run", str(path), "--json"]) == 0
    capsys.readouterr()
    monkeypatch.setenv("COLUMNS", "60")
    assert main(["plan", str(path)]) == 0
    title, _, told = capsys.readouterr().out.partition("calls")
    assert main(["show", str(tmp_path / "run")]) == 0
    samples = capsys.readouterr().out.partition("── example 1")[2].partition("  dataset")[0]
    told = told.partition("  At $")[2].partition("The run in")[0]
    text = [*title.splitlines(), *told.splitlines()]
    text += [row for row in samples.splitlines() if row.startswith("    ")]
    assert len(text) > 10
    assert max(map(len, text)) < 60


@pytest.mark.parametrize("name", ["journal.db", "examples.jsonl", "decisions.jsonl"])
def test_an_export_never_replaces_what_the_run_itself_keeps(
    tmp_path: Path, capsys: Captured, name: str
) -> None:
    assert main(["run", str(config(tmp_path)), "--json"]) == 0
    before = {path: path.read_bytes() for path in (tmp_path / "run").iterdir()}
    out = tmp_path / "run" / ".." / "run" / name
    assert main(["export", str(tmp_path / "run"), "--format", "alpaca", "--out", str(out)]) == 2
    assert "a file of the run itself" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in (tmp_path / "run").iterdir()} == before
