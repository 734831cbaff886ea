"""Small runs for the tests: a config in a folder, and what it made."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from seedbed.run import grow
from seedbed.session import Outcome

SMALL = """
count = {count}
seed = 7
folder = "{folder}"
[teacher]
model = "practice"
{teacher}
[skills]
topics = 4
skills_per_topic = 6
query_types = 6
keep_topics = false
{skills}
[skillmix]
{skillmix}
[budget]
{budget}
"""

TROUBLE = (
    "trouble = { malformed = 0.06, truncated = 0.04, leaked_commentary = 0.2, refused = 0.02, "
    "rate_limited = 0.05, failed = 0.03 }"
)


def config(
    folder: Path,
    *,
    count: int = 20,
    run: str = "run",
    teacher: str = "",
    skills: str = "",
    skillmix: str = "",
    budget: str = "",
) -> Path:
    path = folder / f"{run}.toml"
    text = SMALL.format(
        count=count, folder=run, teacher=teacher, skills=skills, skillmix=skillmix, budget=budget
    )
    path.write_text(text)
    return path


def run(path: Path, **settings: Any) -> Outcome:
    return asyncio.run(grow(path, **settings))


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def made(folder: Path, *, without: tuple[str, ...] = ()) -> dict[str, bytes]:
    """The projections that have to come out the same whenever the run is the same."""
    names = ("examples.jsonl", "drops.jsonl", "skills.json", "examples.parquet")
    return {name: (folder / name).read_bytes() for name in names if name not in without}


def paid(outcome: Outcome) -> int:
    """Calls that the last session really made."""
    count = outcome.manifest["sessions"][-1]["paid"]
    assert isinstance(count, int)
    return count
