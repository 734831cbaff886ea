"""Whole runs with a model in process: a random one writes nothing of use, and says so in drops."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from shutil import rmtree

import pytest
from tests.runs import lines, paid, run
from tests.training.students import make_base

from seedbed.errors import ConfigError
from seedbed.plan import plan_run
from seedbed.run import grow

SKILLS = {
    "skills": [{"name": f"skill {n}"} for n in range(6)],
    "query_types": [{"name": "question"}],
}

CONFIG = """
count = {count}
folder = "run"
[teacher]
model = "{model}"
local = {{ device = "cpu", rows = 4 }}
[skills]
path = "skills.json"
[skillmix]
max_tokens = {tokens}
rounds = 2
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    make_base(folder / "base", initializer_range=0.3, max_position_embeddings=8192)
    (folder / "skills.json").write_text(json.dumps(SKILLS))
    return folder


def config(home: Path, *, model: str = "hf/base", count: int = 1, tokens: int = 20) -> Path:
    path = home / "run.toml"
    path.write_text(CONFIG.format(model=model, count=count, tokens=tokens))
    return path


def test_a_random_teacher_ends_in_drops_and_is_free(home: Path) -> None:
    outcome = run(config(home))
    assert outcome.status == "short"
    assert outcome.manifest["teacher"] == "hf/base"
    assert outcome.manifest["spend"]["dollars"] == 0
    drops = lines(home / "run" / "drops.jsonl")
    assert len(drops) == outcome.manifest["counts"]["dropped"] > 0
    assert paid(outcome) > 0 == paid(run(config(home)))


def test_a_path_is_relative_to_the_config_and_errors_name_it(home: Path) -> None:
    with pytest.raises(ConfigError, match=r"\./missing: no such folder"):
        asyncio.run(grow(config(home, model="hf/./missing")))
    assert plan_run(config(home)).config.teacher.shown == "hf/base"


def test_ctrl_c_ends_a_run_within_its_batch_and_it_goes_on(home: Path) -> None:
    path = config(home, count=40, tokens=300)
    rmtree(home / "run")
    child = subprocess.Popen(
        [sys.executable, "-m", "seedbed", "run", str(path), "--json"],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    journal = home / "run" / "journal.db-wal"
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline and not (journal.exists() and journal.stat().st_size > 2**16):
        time.sleep(0.1)
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=240)
    assert child.returncode == 130, err
    manifest = json.loads(out)
    assert manifest["status"] == "interrupted"
    assert manifest["spend"]["doubtful_calls"] == 0
