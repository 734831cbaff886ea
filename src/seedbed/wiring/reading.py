"""The user's own data, as a config names it."""

from __future__ import annotations

from pathlib import Path

from seedbed.config_tables import DatasetTable
from seedbed.datasets import Dataset, ReadSettings, read_dataset
from seedbed.datasets.seed_tasks import SeedTasks, read_seed_tasks
from seedbed.datasets.sources import find_file
from seedbed.plan import RunPlan
from seedbed.records import Example


def opened(plan: RunPlan, table: DatasetTable) -> Dataset[Example]:
    """The examples of a dataset; its `report` is complete when they have been read."""
    return read_dataset(_place(plan, table), settings=_settings(table))


def seed_tasks(plan: RunPlan, table: DatasetTable) -> SeedTasks:
    """What a recipe starts from: answered or not, with what the file says of its kind."""
    return read_seed_tasks(_place(plan, table), settings=_settings(table))


def find(plan: RunPlan, table: DatasetTable) -> None:
    """See that a dataset is there, without reading it.

    Raises:
        DatasetError: it is not.
    """
    if isinstance(place := _place(plan, table), Path):
        find_file(place)


def _place(plan: RunPlan, table: DatasetTable) -> str | Path:
    return table.path if table.path.startswith("hf:") else plan.path(table.path)


def _settings(table: DatasetTable) -> ReadSettings:
    return ReadSettings(
        format=table.format,
        instruction=table.instruction,
        input=table.input,
        response=table.response,
        on_bad_line=table.on_bad_line,
    )
