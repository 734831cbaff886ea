"""What a command line means by STUDENT: a checkpoint, a training, a hub name, a TOML, practice."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import ValidationError

from seedbed.config import read_config
from seedbed.config_tables import BudgetTable, ModelTable, Table
from seedbed.errors import ConfigError
from seedbed.folder import RunFolder

_HERE = 5
"""Folders above a checkpoint in which its run's files are looked for."""


class EvalConfig(Table):
    """The TOML of `seedbed eval`: who is measured, who judges, and the caps.

    As STUDENT it needs [student], behind --judge [judge].
    """

    student: ModelTable | None = None
    judge: ModelTable | None = None
    budget: BudgetTable = BudgetTable()


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A student that can be asked, and what is known around it.

    `home` is where relative paths in `table` start; `folder` its own place for results, None where
    it has none; `run` the run whose examples it was tuned on, where it lies in that run's folder.
    """

    table: ModelTable
    judge: ModelTable | None = None
    budget: BudgetTable = field(default_factory=BudgetTable)
    home: Path = Path()
    folder: Path | None = None
    run: RunFolder | None = None


def subject_of(text: str, *, url: str | None = None, key_variable: str | None = None) -> Subject:
    """What STUDENT means.

    Args:
        text: `practice`; a `.toml` with [student]; the folder of a checkpoint, a training (its best
            checkpoint) or a run (its training); either behind `vllm/`; a hub id behind `hf/` or
            `vllm/`; with `url` a model's name.
        url: of an OpenAI-compatible endpoint.
        key_variable: the environment variable with its key.

    Raises:
        ConfigError: it is none of these.
    """
    if url is not None:
        return Subject(table=table_of(text, url=url, key_variable=key_variable))
    if text == "practice":
        return Subject(table=table_of(text))
    path = Path(text)
    if path.suffix == ".toml":
        config = read_eval_config(path)
        if config.student is None:
            raise ConfigError(f"{path}: no [student] in it")
        found = _in_folder(config.student, home=path.parent)
        return replace(found, judge=config.judge, budget=config.budget)
    if path.is_dir():
        return _local(_checkpoint(path))
    if text.startswith(("hf/", "vllm/")):
        return _in_folder(table_of(text), home=Path())
    raise ConfigError(
        f"{text}: no student",
        hint="Name a checkpoint's or a training's folder, hf/ORG/MODEL or vllm/ORG/MODEL, a TOML "
        "with [student], practice, or a model with --url.",
    )


def _in_folder(table: ModelTable, *, home: Path) -> Subject:
    """Where an `hf/…` or `vllm/…` names a folder, results go into it."""
    if table.checkpoint is not None and (place := home / table.checkpoint).is_dir():
        local = _local(_checkpoint(place))
        model = f"{table.kind}/{local.table.checkpoint}"
        return replace(local, table=table.model_copy(update={"model": model}))
    return Subject(table=table, home=home)


def _local(path: Path) -> Subject:
    path = path.resolve()
    table = table_of(f"hf/{path}")
    return Subject(table=table, folder=path / "evaluation", run=_run_of(path))


def table_of(model: str, *, url: str | None = None, key_variable: str | None = None) -> ModelTable:
    """A model with nothing but its name, address and key.

    Raises:
        ConfigError: the address or the variable's name is none.
    """
    try:
        return ModelTable(model=model, base_url=url, api_key_env=key_variable)
    except ValidationError as error:
        raise ConfigError(_said(error)) from None


def _checkpoint(path: Path) -> Path:
    """The checkpoint in a folder: itself, or a training's best one."""
    if (path / "config.json").exists():
        return path
    for folder in (path, path / "training"):
        manifest = folder / "training.json"
        if manifest.exists():
            return folder / "checkpoints" / _best(manifest)
    raise ConfigError(
        f"{path}: neither a checkpoint (config.json) nor a training (training.json)",
        hint="`seedbed train` makes one; `seedbed eval` takes its folder.",
    )


def measured_at(place: Path) -> Path:
    """Where a student's results lie: of a training's or a run's folder at its best checkpoint.

    Raises:
        ConfigError: the training names no best checkpoint.
    """
    trained = any((place / name).exists() for name in ("training.json", "training/training.json"))
    if not trained or (place / "evaluation").is_dir():
        return place
    return _checkpoint(place)


def _best(manifest: Path) -> str:
    try:
        best = json.loads(manifest.read_text(encoding="utf-8")).get("best")
    except (OSError, ValueError, AttributeError) as error:
        raise ConfigError(f"{manifest}: cannot be read: {error}") from error
    if not isinstance(best, str):
        raise ConfigError(
            f"{manifest}: it names no best checkpoint", hint="Is the training still under way?"
        )
    return best


def _run_of(path: Path) -> RunFolder | None:
    """The run that a checkpoint lies in."""
    for folder in list(path.parents)[:_HERE]:
        run = RunFolder(folder)
        if run.examples.exists() and run.manifest.exists():
            return run
    return None


def read_eval_config(path: Path) -> EvalConfig:
    """Read the TOML of an evaluation.

    Raises:
        ConfigError: it cannot be read, an unknown key or an impossible value.
    """
    try:
        content = tomllib.loads(read_config(path))
    except ValueError as error:
        raise ConfigError(f"{path}: not TOML: {error}") from None
    try:
        return EvalConfig.model_validate(content)
    except ValidationError as error:
        raise ConfigError(
            f"{path}: {_said(error)}",
            hint="It has the tables [student], [judge] and [budget]; the first two are like "
            "[teacher] of a run's config.",
        ) from None


def _said(error: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(map(str, item['loc'])) or 'the table'}: {item['msg']}"
        for item in error.errors()
    )
