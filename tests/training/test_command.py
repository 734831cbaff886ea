"""`seedbed train`, as a person types it."""

from __future__ import annotations

import json
import os
import re
import signal
import threading
import time
from pathlib import Path

import pytest
from tests.runs import config, lines, run
from tests.training.students import make_base, make_examples

from seedbed.cli import main
from seedbed.export import write_examples
from seedbed.training.settings import preset

QUICK = ["--epochs", "2", "--batch-examples", "8", "--learning-rate", "3e-3", "--device", "cpu"]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "mine.jsonl"
    write_examples(make_examples(30), path, shape="messages")
    return path


def test_any_dataset_tunes_a_student(
    base: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", str(data), "--base", str(base), "--held-out", "0.2", *QUICK]) == 0
    folder = data.with_name("mine-training")
    shown = capsys.readouterr()
    best = json.loads((folder / "training.json").read_text())["best"]
    assert f"best: {folder / 'checkpoints' / best}" in shown.out
    assert "24 examples" in shown.out
    assert "held-out loss" in shown.out
    assert "epoch 2/2 · step 6/6 · loss" in shown.err
    settings = json.loads((folder / "training.json").read_text())["settings"]
    assert (settings["template"], settings["weight_decay"]) == ("alpaca", 0.01)


def test_without_held_out_examples_no_epoch_is_called_the_best(
    base: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", str(data), "--base", str(base), "--held-out", "0", *QUICK]) == 0
    shown = capsys.readouterr().out
    assert "best" not in shown
    assert "epoch-02 (last)" in shown
    assert f"last: {data.with_name('mine-training') / 'checkpoints' / 'epoch-02'}" in shown


def test_what_of_a_dataset_is_not_read_is_said(
    base: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = {"role": "user", "content": "And then?"}
    said = {"role": "assistant", "content": "Nothing."}
    rows = [{"messages": [asked]}, {"messages": [asked, said, asked, said]}]
    data.write_text(data.read_text() + "".join(json.dumps(row) + "\n" for row in rows))
    assert main(["train", str(data), "--base", str(base), *QUICK, "--epochs", "1"]) == 0
    told = "32 rows, 31 kept; 1 empty_response (line 31); 2 later turns ignored"
    assert told in capsys.readouterr().err


def test_a_run_tunes_the_student_of_its_config(base: Path, tmp_path: Path) -> None:
    """What the command line says stands in the place of what the config says."""
    path = config(tmp_path, count=12)
    path.write_text(
        path.read_text() + f'\n[student]\nbase = "{base}"\npreset = "tiny"\nepochs = 1\n'
        'template = "plain"\nwarmup = 0.0\nheld_out = 0.0\ndevice = "cpu"\n'
    )
    run(path)
    assert main(["train", str(path), "--json"]) == 0
    made = json.loads((tmp_path / "run" / "training" / "training.json").read_text())
    assert made["settings"]["template"] == "plain"
    assert made["settings"]["batch_examples"] == preset("tiny").batch_examples
    assert made["data"]["train"]["examples"] == 12
    again = ["train", str(tmp_path / "run"), "--template", "own", "--set", "clip=0.5"]
    assert main([*again, "--out", str(tmp_path / "other")]) == 0
    other = json.loads((tmp_path / "other" / "training.json").read_text())
    assert (other["settings"]["template"], other["settings"]["clip"]) == ("own", 0.5)
    assert other["base"] == made["base"] == str(base)


def test_ctrl_c_keeps_the_state_and_says_how_to_go_on(
    base: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = data.with_name("out")
    command = ["train", str(data), "--base", str(base), "--out", str(folder), *QUICK]
    command += ["--set", "epochs=12"]
    log = folder / "log.jsonl"

    def interrupt() -> None:
        while not (log.exists() and log.read_bytes().count(b"\n") >= 3):
            time.sleep(0.005)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    assert main(command) == 130
    thread.join()
    shown = capsys.readouterr()
    assert "stopping after this step" in shown.err
    assert "to go on:  seedbed" in shown.out
    step = json.loads((folder / "training.json").read_text())["step"]
    assert 3 <= step < 36
    assert main([*command, "--json"]) == 0
    assert [line["step"] for line in lines(log)] == list(range(1, 37))


def test_a_tiny_student_is_made_once_from_the_texts(data: Path, tmp_path: Path) -> None:
    """And goes on after an interruption as the same base."""
    command = ["train", str(data), "--base", "tiny", "--out", str(tmp_path / "tiny")]
    command += ["--epochs", "1", "--device", "cpu"]
    assert main(command) == 0
    made = json.loads((tmp_path / "tiny" / "training.json").read_text())
    assert made["base"] == str(tmp_path / "tiny" / "base")
    assert made["settings"]["learning_rate"] == preset("tiny").learning_rate
    assert (tmp_path / "tiny" / "checkpoints" / "epoch-01" / "config.json").exists()
    weights = tmp_path / "tiny" / "base" / "model.safetensors"
    before = weights.stat().st_mtime_ns
    assert main(command) == 0
    assert weights.stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "which student"),
        (["--base", "no/such-model"], "cannot be loaded"),
        (["--base", "BASE", "--template", "vicuna"], "no such one"),
        (["--base", "BASE", "--precision", "fp8"], r"\[student\] precision"),
        (["--base", "BASE", "--set", "epoch=3"], "did you mean epochs"),
        (["--base", "BASE", "--set", "epochs"], "KEY=VALUE"),
        (["--base", "BASE", "--preset", "gpt"], "preset"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(
    base: Path,
    data: Path,
    options: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = [str(base) if option == "BASE" else option for option in options]
    assert main(["train", str(data), *given]) == 2
    shown = capsys.readouterr().err
    assert re.search(message, shown)
    assert "Traceback" not in shown


def test_a_base_without_a_template_is_told_which_there_are(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bare = make_base(tmp_path / "bare", chat_template=None)
    assert main(["train", str(data), "--base", str(bare), "--template", "own", *QUICK]) == 2
    assert "--template alpaca" in capsys.readouterr().err
    assert main(["train", str(data), "--base", str(bare), *QUICK]) == 0


def test_a_run_without_examples_is_told_apart(
    base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", str(tmp_path), "--base", str(base)]) == 3
    assert "examples.jsonl" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "read"),
    [(["--signals", "head_grad_norm"], {"head_grad_norm"}), (["--signals"], {"loss", "ifd"})],
    ids=["those named", "with no name the cheap ones"],
)
def test_signals_are_written_beside_the_log(
    base: Path, data: Path, tmp_path: Path, given: list[str], read: set[str]
) -> None:
    folder = tmp_path / "signals"
    command = ["train", str(data), "--base", str(base), *QUICK, "--out", str(folder), *given]
    assert main(command) == 0
    rows = lines(folder / "signals.jsonl")
    assert len(rows) == 2 * 24  # two epochs of three full batches
    assert read <= rows[0].keys()
    assert not (read & {"head_grad_norm"}) or "ifd" not in rows[0]
