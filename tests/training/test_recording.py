"""The signals of an ordinary training, and that they go on after a stop as if it never was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.runs import lines
from tests.training.students import make_examples

from seedbed.cli import main
from seedbed.errors import ConfigError
from seedbed.export import write_examples
from seedbed.training import TrainSettings, finetune
from seedbed.training.feedback import NAMES
from seedbed.training.feedback.recording import Recording

SETTINGS = TrainSettings(
    learning_rate=3e-3, epochs=2, batch_examples=4, max_length=128, device="cpu", template="chatml"
)
EXAMPLES = make_examples(12)


def tune(base: Path, folder: Path, *, stop_at: int = 0) -> dict[str, list[dict[str, Any]]]:
    taken: list[int] = []
    step = Recording(folder, signals=NAMES, examples=EXAMPLES, reference=make_examples(2, seed=9))
    finetune(
        EXAMPLES,
        base=base,
        folder=folder,
        settings=SETTINGS,
        step=step,
        watch=lambda progress: taken.append(progress.step),
        stop=lambda: taken[-1] == stop_at,
    )
    return {name: lines(folder / f"{name}.jsonl") for name in ("signals", "batch_signals", "log")}


def test_every_example_of_every_step_has_its_line(base: Path, tmp_path: Path) -> None:
    found = tune(base, tmp_path)
    assert [row["step"] for row in found["signals"]] == [n for n in range(1, 7) for _ in range(4)]
    assert {row["id"] for row in found["signals"]} == {example.id for example in EXAMPLES}
    first, second = found["signals"][:12], found["signals"][12:]
    assert all("ifd" in row and "progress" not in row for row in first)
    assert all("progress" in row and "ifd" not in row for row in second)
    before = {row["id"]: row["loss"] for row in first}
    assert all(row["progress"] == before[row["id"]] - row["loss"] for row in second)
    for batch, step in zip(found["batch_signals"], found["log"], strict=True):
        assert (batch["loss"], batch["grad_norm"]) == (step["loss"], step["grad_norm"])


@pytest.mark.parametrize("stop_at", [2, 4])
def test_a_stop_leaves_no_trace_in_the_signals(base: Path, tmp_path: Path, stop_at: int) -> None:
    whole = tune(base, tmp_path / "whole")
    tune(base, tmp_path / "parts", stop_at=stop_at)
    torn = tmp_path / "parts" / "signals.jsonl"
    torn.write_text(torn.read_text() + '{"step": 99, "id": "x", "loss": 1.0}\n{"step": 3, "i')
    parts = tune(base, tmp_path / "parts")
    assert parts["signals"] == whole["signals"]
    assert parts["batch_signals"] == whole["batch_signals"]


def test_the_command_reads_signals(base: Path, tmp_path: Path) -> None:
    data = tmp_path / "mine.jsonl"
    write_examples(EXAMPLES, data, shape="messages")
    options = ["--base", str(base), "--epochs", "1", "--batch-examples", "6", "--device", "cpu"]
    settings = ["--held-out", "0", "--set", "drop_last=false"]
    assert main(["train", str(data), *options, *settings, "--signals", "head_grad_norm"]) == 0
    rows = lines(tmp_path / "mine-training" / "signals.jsonl")
    assert len(rows) == 12
    assert all(set(row) == {"step", "id", "loss", "head_grad_norm"} for row in rows)
    some = [*options, *settings, "--out", str(tmp_path / "some")]
    assert main(["train", str(data), *some, "--signals", "ifd", "--signal-share", "0.5"]) == 0
    assert sum("ifd" in row for row in lines(tmp_path / "some" / "signals.jsonl")) == 6
    again = ["train", str(data), *options, *settings, "--out", str(tmp_path / "other")]
    assert main([*again, "--signals", "ifd", "--signal-share", "0"]) == 2
    assert main([*again, "--signals", "surprise"]) == 2


def test_a_reference_signal_needs_a_reference(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="reference set"):
        Recording(tmp_path, signals=["reference_loss"], examples=EXAMPLES)
