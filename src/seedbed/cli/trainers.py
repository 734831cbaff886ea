"""`seedbed export RUN --format trl | llama_factory | axolotl`."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

from seedbed.config import parse_config, read_config
from seedbed.config_student import TINY, StudentTable
from seedbed.errors import ConfigError
from seedbed.folder import RunFolder
from seedbed.records import Example
from seedbed.training.settings import TrainSettings, preset
from seedbed.training.trainers import write_trainer


def write_for_trainer(
    options: argparse.Namespace, folder: RunFolder, examples: Iterable[Example]
) -> tuple[Path, int]:
    """Write a trainer's folder with the run's student, or the options', and say where.

    Raises:
        ConfigError: no base that another trainer could load, or no such preset.
        StorageError: a file cannot be written.
    """
    table = _student(folder)
    base = options.base or table.base
    if base == TINY:
        raise ConfigError(
            "the run's student is the tiny one, which only `seedbed train` makes",
            hint="Say which model to tune: --base MODEL, a hub id or a folder.",
        )
    path = Path(options.out) if options.out else folder.path / options.format
    count = write_trainer(
        examples,
        path,
        trainer=options.format,
        settings=preset(options.preset) if options.preset else _for(table, base),
        base=base,
    )
    return path, count


def _student(folder: RunFolder) -> StudentTable:
    if not folder.config.exists():
        return StudentTable()
    return parse_config(read_config(folder.config), place=str(folder.config)).student


def _for(table: StudentTable, base: str) -> TrainSettings:
    """The table's settings; with a base of its own the default preset is not the tiny one's."""
    return table.model_copy(update={"base": base}).settings
