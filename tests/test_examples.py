"""What lies in `examples/`, and what the README shows, works as it stands."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.runs import config

from seedbed.cli import parser
from seedbed.cli.tables import run_story
from seedbed.config import parse_config
from seedbed.plan import plan_run
from seedbed.run import grow

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("script", sorted((ROOT / "examples").glob("*.py")), ids=lambda p: p.name)
def test_a_script_runs(tmp_path: Path, script: Path) -> None:
    command = [sys.executable, str(script), str(config(tmp_path))]
    result = subprocess.run(command, capture_output=True, text=True, timeout=240)
    assert result.returncode == 0, result.stderr
    assert result.stdout


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.toml")), ids=lambda p: p.name)
def test_a_config_is_valid(path: Path) -> None:
    parse_config(path.read_text(encoding="utf-8"), place=path.name)


def test_the_readme_shows_what_the_demo_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    plan = plan_run(ROOT / "examples" / "demo.toml", folder=tmp_path / "demo")
    asyncio.run(grow(plan))
    story = run_story(plan.folder, samples=3)
    (shown,) = blocks("text")
    assert len(shown.splitlines()) >= 10
    for line in shown.splitlines():
        assert line in story.splitlines()


def blocks(language: str) -> list[str]:
    """The README's; those of the documentation are followed by `test_docs.py`."""
    text = (ROOT / "README.md").read_text("utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def test_configs_in_the_readme_are_valid() -> None:
    assert blocks("toml")
    for block in blocks("toml"):
        text = block if "[teacher]" in block else block + '\n[teacher]\nmodel = "practice"\n'
        parse_config(text, place="documentation")


def test_commands_in_the_readme_exist() -> None:
    commands = [
        line.removeprefix("$ ").split("#")[0].split()
        for block in blocks("console")
        for line in block.splitlines()
        if line.startswith("$ seedbed")
    ]
    assert commands
    for command in commands:
        parser().parse_args(command[1:])
