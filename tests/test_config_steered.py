"""The tables of the recipes that training steers: what they refuse, and what an arm looks like."""

from __future__ import annotations

from pathlib import Path

import pytest

from seedbed.cli import main
from seedbed.config import parse_config
from seedbed.errors import ConfigError
from seedbed.plan import plan_run
from seedbed.wiring import sedi, wiring_of
from seedbed.wiring.student import online_settings

TEACHER = '[teacher]\nmodel = "practice"\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('recipe = "sedi"\n[sedi]\nsignal = "grad_nrom"', "there is no such one"),
        ('recipe = "sedi"\n[sedi]\nexample_signal = "x"', "There are: loss"),
        ('recipe = "sedi"\n[sedi]\nprefer = "best"', "'highest', 'lowest', 'random' or 'none'"),
        ('recipe = "sedi"\n[sedi]\nlag = 0', "greater than or equal to 1"),
        ('recipe = "sedi"\n[sedi]\nthreshold = 1.2', "less than or equal to 1"),
        ('recipe = "sedi"\n[skills]\ntopics = 3', "it does not use skills"),
        ('recipe = "self_instruct"\n[sedi]\nlag = 2', "it does not use sedi"),
        ('recipe = "directed"\n[sedi]\nlag = 2', "it does not use sedi"),
        ('recipe = "directed"\n[directed]\nmemory = 1.0', "less than 1"),
        ('recipe = "directed"\n[directed]\nneed = "joy"', "'progress', 'loss' or 'none'"),
        ('recipe = "directed"\n[directed]\nroud = 3', "did you mean round?"),
    ],
)
def test_what_is_impossible_is_said(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(f"{text}\n{TEACHER}", place="run.toml")
    assert said in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize(
    ("recipe", "more", "words"),
    [
        ("sedi", "", "40 examples are 5 batches of 8, and the seeds move after every 10"),
        ("sedi", "[sedi]\nevery = 4\n", ""),
        ("sedi", '[sedi]\nprefer = "none"\n', ""),
        ("directed", "", "40 examples end within the first 128"),
        ("directed", "[directed]\nround = 39\n", ""),
        ("directed", '[directed]\nneed = "none"\n', ""),
    ],
)
def test_the_plan_says_where_a_student_would_steer_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], recipe: str, more: str, words: str
) -> None:
    path = tmp_path / "run.toml"
    student = '[student]\nbase = "tiny"\nbatch_examples = 8\n'
    path.write_text(f'recipe = "{recipe}"\ncount = 40\n{TEACHER}{more}{student}')
    assert main(["plan", str(path)]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert words in shown
    assert ("Ask for more, or lower" in shown) == bool(words)


def test_a_window_that_cannot_be_is_said_before_anything_is_spent(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text(f'recipe = "sedi"\n[sedi]\nevery = 2\n{TEACHER}')
    made = plan_run(path)
    with pytest.raises(ConfigError, match="attractive_batches = 3"):
        wiring_of("sedi").forecast(made)


def test_the_students_batch_is_the_batch_and_its_rate_is_constant_unless_named(
    tmp_path: Path,
) -> None:
    path = tmp_path / "run.toml"
    path.write_text(f'recipe = "sedi"\n[student]\nbatch_examples = 24\n{TEACHER}')
    made = plan_run(path)
    assert sedi.params(made).composition.size == 24
    assert (online_settings(made).schedule, online_settings(made).warmup) == ("constant", 10)
    path.write_text(f'recipe = "sedi"\n[student]\nschedule = "cosine"\nwarmup = 0.1\n{TEACHER}')
    settings = online_settings(plan_run(path))
    assert (settings.schedule, settings.warmup) == ("cosine", 0.1)


ARMS = {
    "Self-Instruct": 'threshold = 0.7\nbatches = "random"\nprefer = "none"',
    "threshold only": 'batches = "random"\nprefer = "none"',
    "and diverse batches": 'prefer = "none"',
    "and feedback": "",
    "random seed update": 'prefer = "random"',
    "lowest norm": 'prefer = "lowest"',
}


def test_the_papers_comparison_is_a_matter_of_settings(tmp_path: Path) -> None:
    found = set()
    for number, lines in enumerate(ARMS.values()):
        path = tmp_path / f"{number}.toml"
        path.write_text(f'recipe = "sedi"\n[sedi]\n{lines}\n{TEACHER}')
        made = sedi.params(plan_run(path))
        step = made.asking.bootstrap
        found.add((step.threshold, made.composition.compose, made.steering.prefer))
    assert len(found) == len(ARMS)
