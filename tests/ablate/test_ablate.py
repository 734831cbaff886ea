"""A whole ablation, small: data, students, marks, a table; stopped, gone on with, and repeated."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from seedbed.ablate import Study, ablate, plan_study
from seedbed.ablate.study import warm_up_text
from seedbed.ablate.working import Stopped
from seedbed.cli import main
from seedbed.config import parse_config
from seedbed.errors import ConfigError
from seedbed.journal import Journal
from seedbed.models.journaled import KIND

CONFIG = """
recipe = "skillmix"
count = 12
[teacher]
model = "practice"
[skills]
topics = 2
skills_per_topic = 4
query_types = 2
keep_topics = false
[student]
base = "tiny"
epochs = 1
[ablate]
seeds = [0, 1]
k = [1]
items = 5
max_tokens = 24
warm_up = { examples = 50, epochs = 1 }
[[ablate.arms]]
name = "two skills"
[[ablate.arms]]
name = "one skill"
set = { "skillmix.k" = 1 }
[[ablate.arms]]
name = "half of them junk"
shirkers = { kind = "junk", fraction = 0.5 }
[[ablate.arms]]
name = "a third of the data"
share = 0.34
"""


def study(tmp_path: Path) -> Study:
    config = tmp_path / "small.toml"
    config.write_text(CONFIG, encoding="utf-8")
    return plan_study(config, folder=tmp_path / "out")


def run(made: Study, *, stop_at: str = "") -> list[str]:
    said: list[str] = []
    stop = asyncio.Event()

    def say(line: str) -> None:
        said.append(line)
        if stop_at and stop_at in line:
            stop.set()

    asyncio.run(ablate(made, say=say, stop=stop))
    return said


def calls_in(made: Study) -> int:
    with Journal(made.journal) as journal:
        return sum(1 for _ in journal.entries(KIND))


def test_an_ablation_stops_goes_on_and_repeats_nothing(tmp_path: Path) -> None:
    made = study(tmp_path)
    with pytest.raises(Stopped):
        run(made, stop_at="one skill, seed 1: tuning")
    assert not (made.folder / "ablation.json").exists()
    students = set((made.folder / "students").iterdir())
    told = run(made)
    assert any("measuring" in line for line in told)
    assert students <= set((made.folder / "students").iterdir())
    before, paid = (made.folder / "README.md").read_text(encoding="utf-8"), calls_in(made)
    assert not any("measuring" in line for line in run(made))
    assert (made.folder / "README.md").read_text(encoding="utf-8") == before
    assert calls_in(made) == paid

    found = json.loads((made.folder / "ablation.json").read_text(encoding="utf-8"))
    arms = found["comparisons"][0]["arms"]
    assert [arm["examples"] for arm in arms] == [12, 12, 12, 4]
    assert [len(arm["accuracy"]["by_seed"]) for arm in arms] == [2, 2, 2, 2]
    assert all(0 <= value <= 100 for arm in arms for value in arm["accuracy"]["by_seed"])
    assert [len(arm["loss"]["by_seed"]) for arm in arms] == [2, 2, 2, 2]
    assert all(0 < value < 10 for arm in arms for value in arm["loss"]["by_seed"])
    assert len(list((made.folder / "runs").iterdir())) == 2 * 2 + 1  # shared runs are made once


def test_the_plan_counts_shared_runs_once_and_spends_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = study(tmp_path)
    assert main(["ablate", str(made.place), "--plan", "--out", str(made.folder)]) == 0
    assert capsys.readouterr().out.startswith("5 runs, 9 students: ")
    assert not made.journal.exists()


def test_a_warm_up_is_spared_the_teacher_s_trouble(tmp_path: Path) -> None:
    config = tmp_path / "troubled.toml"
    trouble = 'model = "practice"\ntrouble = { duplicate = 0.5 }'
    config.write_text(CONFIG.replace('model = "practice"', trouble), encoding="utf-8")
    made = plan_study(config, folder=tmp_path / "out")
    assert made.config.teacher.trouble.duplicate == 0.5
    warm_up = parse_config(warm_up_text(made), place="warm-up")
    assert warm_up.teacher.trouble.duplicate == 0


def test_a_skill_that_nothing_can_measure_is_told_before_anything_is_made(tmp_path: Path) -> None:
    config = tmp_path / "bad.toml"
    config.write_text(CONFIG.replace("k = [1]", 'k = [1]\nskills = ["juggling"]'), encoding="utf-8")
    with pytest.raises(ConfigError, match="'juggling' is no practice skill"):
        plan_study(config)


def test_a_mistake_in_an_arm_is_told_before_anything_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "bad.toml"
    config.write_text(CONFIG.replace('"skillmix.k" = 1', '"skillmix.q" = 1'), encoding="utf-8")
    assert main(["ablate", str(config), "--out", str(tmp_path / "out")]) == 2
    assert 'arm "one skill"' in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
