"""SIGKILL at any moment: training goes on from its state, and nothing comes out differently."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tests.runs import lines
from tests.training.students import make_examples

from seedbed.training import TrainSettings, finetune

CHOICES: dict[str, Any] = {
    "learning_rate": 3e-3,
    "epochs": 3,
    "batch_examples": 4,
    "max_length": 128,
    "held_out": 6,
    "device": "cpu",
    "state_steps": 3,
}
COUNT = 60
ROOT = Path(__file__).parents[2]


def start(base: Path, folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [
            sys.executable, "-m", "tests.training.runner",
            str(base), str(COUNT), str(folder), json.dumps(CHOICES),
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"},
    )  # fmt: skip


def wait_for_step(folder: Path, step: int, child: subprocess.Popen[bytes]) -> None:
    """Until the log has come to a step, or the child has ended."""
    log = folder / "log.jsonl"
    while child.poll() is None:
        if log.exists() and log.read_bytes().count(b"\n") >= step:
            return
        time.sleep(0.002)


def without_time(folder: Path) -> list[dict[str, Any]]:
    return [{**line, "seconds": 0} for line in lines(folder / "log.jsonl")]


@pytest.mark.slow
def test_a_killed_training_comes_to_the_same_end(base: Path, tmp_path: Path) -> None:
    settings = TrainSettings(**CHOICES)
    whole = finetune(make_examples(COUNT), base=base, folder=tmp_path / "whole", settings=settings)
    killed = tmp_path / "killed"
    child = start(base, killed)
    wait_for_step(killed, 17, child)
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    state = json.loads((killed / "state" / "current.json").read_text())
    assert 0 < state["step"] < whole.manifest["steps"]
    parts = finetune(make_examples(COUNT), base=base, folder=killed, settings=settings)
    assert parts.status == "done"
    assert without_time(killed) == without_time(tmp_path / "whole")
    assert lines(killed / "epochs.jsonl") == lines(tmp_path / "whole" / "epochs.jsonl")
    assert parts.manifest["best"] == whole.manifest["best"]
    weights = [
        (folder / "checkpoints" / "epoch-03" / "model.safetensors").read_bytes()
        for folder in (killed, tmp_path / "whole")
    ]
    assert weights[0] == weights[1]
