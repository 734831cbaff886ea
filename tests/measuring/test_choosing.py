"""The best epoch by win rate: a student of two epochs, a judge behind a socket, what is refused."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from tests.evaluate.servers import threaded
from tests.training.students import make_base, make_examples

from seedbed.cli import main
from seedbed.evaluate.measurement import Item, Measurement, Result, read_result
from seedbed.measuring.picking import Epoch, pick
from seedbed.training import finetune
from seedbed.training.settings import TrainSettings
from seedbed.training.training_folder import TrainingFolder

HELD_OUT = 4
ASKED = re.compile(r"\[answer of m\]\n(.*)\n\[end of the answer of m\]", re.DOTALL)


def train(folder: Path, **settings: Any) -> Path:
    base = make_base(folder / "base", chat_template=None)
    given: dict[str, Any] = {"epochs": 2, "batch_examples": 8, "held_out": HELD_OUT} | settings
    finetune(
        make_examples(20),
        base=base,
        folder=folder / "training",
        settings=TrainSettings(device="cpu", learning_rate=1e-2, template="plain", **given),
    )
    return folder / "training"


def prefers_the_teacher(body: dict[str, Any]) -> str:
    """The student's texts never end as the teacher's do: a full stop after a word."""
    found = ASKED.search(body["messages"][-1]["content"])
    assert found is not None
    return "m" if found[1] in {example.response for example in make_examples(20)} else "M"


def prefers_the_student(body: dict[str, Any]) -> str:
    return "M" if prefers_the_teacher(body) == "m" else "m"


def command(training: Path, url: str, *more: str) -> list[str]:
    judge = ["--judge", "judge", "--judge-url", url, "--max-tokens", "8"]
    return ["choose", str(training), *judge, *more]


def test_every_epoch_is_judged_against_the_teacher_and_again_for_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    training = train(tmp_path)
    held_out = (training / "held_out.jsonl").read_text().splitlines()
    assert len(held_out) == HELD_OUT
    losses = [row["held_out_loss"] for row in TrainingFolder(training).read_epochs()]
    with threaded(prefers_the_student) as server:
        assert main(command(training, server.url)) == 0
        shown = capsys.readouterr().out
        asked = len(server.asked)
        assert main(command(training, server.url, "--json")) == 0
        assert len(server.asked) == asked
    assert asked == 2 * HELD_OUT
    again = json.loads(capsys.readouterr().out)
    manifest = TrainingFolder(training).read_manifest()
    assert again == manifest
    rows = TrainingFolder(training).read_epochs()
    assert rows == manifest["epochs"]
    assert [(row["win_rate"], row["win_rate_n"]) for row in rows] == [(100.0, HELD_OUT)] * 2
    assert all(row["win_rate_low"] < 100 == row["win_rate_high"] for row in rows)
    # Nothing tells them apart, so the loss does.
    assert manifest["best"] == f"epoch-{losses.index(min(losses)) + 1:02d}"
    assert manifest["chosen"]["judge"] == "judge"
    assert manifest["chosen"]["settings"]["preferences_from"] == "text"
    assert "The data cannot tell epoch" in shown
    assert "tokens, no price known in all" in shown
    assert f"best: {training / 'checkpoints' / manifest['best']}" in shown
    students = {
        read_result(training / "win_rate" / name / "held_out.json").student.split("@")[0]
        for name in ("epoch-01", "epoch-02")
    }
    assert students == {"hf/epoch-01", "hf/epoch-02"}


def test_stopped_by_its_cap_it_goes_on_and_pays_nothing_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A judgment costs $0.001 and could cost about $0.01, so the cap is reached in epoch 2."""
    training = train(tmp_path)
    judge = tmp_path / "judge.toml"
    before = TrainingFolder(training).read_manifest()
    with threaded(prefers_the_teacher) as server:
        judge.write_text(
            f'[judge]\nmodel = "judge"\nbase_url = "{server.url}"\nmax_in_flight = 1\n'
            "price = { input = 10.0, output = 0.0 }\n"
        )
        given = ["choose", str(training), "--judge", str(judge), "--max-tokens", "8"]
        assert main([*given, "--dollars", "0.0155"]) == 5
        paid = len(server.asked)
        assert HELD_OUT < paid < 2 * HELD_OUT
        assert TrainingFolder(training).read_manifest() == before
        assert main([*given, "--dollars", "1"]) == 0
        assert len(server.asked) == 2 * HELD_OUT
    rows = TrainingFolder(training).read_epochs()
    assert [row["win_rate"] for row in rows] == [0.0, 0.0]


def test_what_cannot_be_chosen_from_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(training: Path) -> str:
        assert main(command(training, "http://127.0.0.1:9/v1")) == 2
        return capsys.readouterr().err

    assert "no training (training.json)" in refused(tmp_path)
    one = train(tmp_path / "one", keep="best")
    assert "no checkpoint any more of epoch-0" in (said := refused(one))
    assert "--set keep=all" in said
    none = train(tmp_path / "none", held_out=0.0, epochs=1)
    assert "nothing was set aside" in refused(none)
    (none / "held_out.jsonl").unlink()
    assert "no held_out.jsonl" in refused(none)
    manifest = json.loads((none / "training.json").read_text()) | {"status": "interrupted"}
    (none / "training.json").write_text(json.dumps(manifest))
    assert "training is not over" in refused(none)


def epoch(number: int, scores: list[float], loss: float | None) -> Epoch:
    items = tuple(
        Item(id=str(place), scores={"win_rate": score}, chars=1)
        for place, score in enumerate(scores)
    )
    measured = Measurement(
        benchmark="held_out",
        metric="win_rate",
        value=sum(scores) / len(scores),
        n=len(scores),
        expected_n=len(scores),
        student=f"epoch-{number}",
    )
    row = {"epoch": number, "held_out_loss": loss, "checkpoint": f"epoch-{number:02d}"}
    return Epoch(row=row, result=Result(measurements=(measured,), items=items))


def test_among_epochs_that_cannot_be_told_apart_the_lower_loss_wins() -> None:
    lost, even, ahead = [0.0] * 40, [0.0, 100.0] * 20, [0.0, 100.0] * 19 + [100.0, 100.0]
    epochs = [epoch(1, lost, 0.5), epoch(2, even, 1.0), epoch(3, ahead, 2.0), epoch(4, even, 1.0)]
    picked = pick(epochs)
    assert picked.highest.row["epoch"] == 3
    assert [one.row["epoch"] for one in picked.alike] == [2, 4]
    assert picked.best.row["epoch"] == 2
    assert pick(epochs, highest=True).best.row["epoch"] == 3
    without = [epoch(1, even, None), epoch(2, ahead, None)]
    assert pick(without).best.row["epoch"] == 1
    assert pick([epochs[0], epochs[2]]).best.row["epoch"] == 3


def test_one_checkpoint_is_measured_like_any_benchmark(tmp_path: Path) -> None:
    training = train(tmp_path, epochs=1)
    with threaded(prefers_the_teacher) as server:
        given = ["eval", str(training), "--benchmark", "held_out", "--limit", "2"]
        judge = ["--judge", "judge", "--judge-url", server.url, "--max-tokens", "8"]
        assert main([*given, *judge]) == 0
        assert len(server.asked) == 2
    place = training / "checkpoints" / "epoch-01" / "evaluation" / "held_out.json"
    (one,) = read_result(place).measurements
    assert (one.value, one.n) == (0.0, 2)
    assert "Only the first 2 of 4." in one.notes
