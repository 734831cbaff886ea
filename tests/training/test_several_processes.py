"""Two processes of torchrun tune the same student as one: data shared out, or weights as well."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file
from tests.runs import lines
from tests.training.students import make_examples

from seedbed.training import TrainSettings, finetune

ROOT = Path(__file__).parents[2]
CHOICES: dict[str, Any] = {
    "learning_rate": 3e-3,
    "epochs": 2,
    "batch_examples": 6,
    "max_length": 128,
    "micro_tokens": 100,
    "held_out": 4,
    "clip": 0.5,
    "device": "cpu",
}
COUNT = 25


@pytest.fixture(scope="module")
def runs(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what one process made, and what two made in each way."""
    place = tmp_path_factory.mktemp("runs")
    settings = TrainSettings(**CHOICES)
    finetune(make_examples(COUNT), base=base, folder=place / "one", settings=settings)
    ways: list[tuple[str, dict[str, Any]]] = [
        ("ddp", {"parallel": "ddp"}),
        ("fsdp", {"parallel": "fsdp"}),
        ("stopped", {"parallel": "fsdp", "stop_at": 3}),
        ("stopped", {"parallel": "fsdp"}),
    ]
    two = [
        argument
        for name, choices in ways
        for argument in (str(place / name), json.dumps(CHOICES | choices))
    ]
    subprocess.run(
        [
            sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
            "-m", "tests.training.runner", str(base), str(COUNT), *two,
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"},
        check=True,
        capture_output=True,
        text=True,
    )  # fmt: skip
    return place


@pytest.mark.slow
@pytest.mark.parametrize("way", ["ddp", "fsdp"])
def test_two_processes_are_one(runs: Path, way: str) -> None:
    first, second = lines(runs / "one" / "log.jsonl"), lines(runs / way / "log.jsonl")
    for key in ("step", "examples", "tokens", "trained_tokens", "learning_rate"):
        assert [line[key] for line in first] == [line[key] for line in second]
    losses = [line["loss"] for line in first]
    assert [line["loss"] for line in second] == pytest.approx(losses, abs=1e-4)
    norms = [line["grad_norm"] for line in first]
    assert [line["grad_norm"] for line in second] == pytest.approx(norms, rel=1e-3)
    assert losses[-1] < losses[0] - 0.3
    held = [row["held_out_loss"] for row in lines(runs / "one" / "epochs.jsonl")]
    rows = lines(runs / way / "epochs.jsonl")
    assert [row["held_out_loss"] for row in rows] == pytest.approx(held, abs=1e-4)
    manifest = json.loads((runs / way / "training.json").read_text())
    assert manifest["processes"] == 2
    assert manifest["best"] == json.loads((runs / "one" / "training.json").read_text())["best"]
    place = Path("checkpoints") / "epoch-02" / "model.safetensors"
    weights = load_file(runs / way / place)
    for name, tensor in load_file(runs / "one" / place).items():
        assert (weights[name] - tensor).abs().max() < 1e-4, name


@pytest.mark.slow
def test_spread_weights_go_on_where_they_stopped(runs: Path) -> None:
    """Each process has a state of its own."""
    whole, parts = lines(runs / "fsdp" / "log.jsonl"), lines(runs / "stopped" / "log.jsonl")
    assert [{**line, "seconds": 0} for line in parts] == [{**line, "seconds": 0} for line in whole]
    place = Path("checkpoints") / "epoch-02" / "model.safetensors"
    assert (runs / "stopped" / place).read_bytes() == (runs / "fsdp" / place).read_bytes()
