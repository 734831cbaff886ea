"""Seed tasks of the user's own, answered or not, with what the file says of their kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from seedbed.datasets.dataset import read_dataset, read_instructions
from seedbed.datasets.hub import PREFIX
from seedbed.datasets.report import ReadReport
from seedbed.datasets.settings import ReadSettings
from seedbed.datasets.sources import find_file, open_file
from seedbed.errors import DatasetError
from seedbed.records import JSON, Example, Instruction

FLAG = "is_classification"
"""A column of Self-Instruct's `seed_tasks.jsonl`; in a CSV file its values are "true", "false"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedTasks:
    """`classification`: by the instruction's text, for rows that say it."""

    tasks: tuple[Example | Instruction, ...]
    classification: Mapping[str, bool]
    report: ReadReport


def read_seed_tasks(source: str | Path, *, settings: ReadSettings | None = None) -> SeedTasks:
    """Read what a recipe can start from: any dataset that `read_dataset` can read.

    Where nothing in it has a response, the instructions alone.

    Raises:
        DatasetError: it cannot be read as either.
    """
    settings = settings or ReadSettings()
    flags = _flags(source, settings)
    answered = read_dataset(source, settings=settings)
    try:
        examples = tuple(answered)
        return SeedTasks(tasks=examples, classification=flags, report=answered.report)
    except DatasetError:
        asked = read_instructions(source, settings=settings)
        return SeedTasks(tasks=tuple(asked), classification=flags, report=asked.report)


def _flags(source: str | Path, settings: ReadSettings) -> dict[str, bool]:
    """Rows of the Hugging Face hub are not looked at: none of its known seed sets has flags."""
    if str(source).startswith(PREFIX):
        return {}
    column = settings.instruction or "instruction"
    found: dict[str, bool] = {}
    with open_file(find_file(Path(source)), settings) as table:
        for row in table.rows:
            if isinstance(row.content, Mapping) and isinstance(row.content.get(column), str):
                flag = _truth(row.content.get(FLAG))
                if flag is not None:
                    found[row.content[column]] = flag
    return found


def _truth(value: JSON) -> bool | None:
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().lower())
    return value if isinstance(value, bool) else None
