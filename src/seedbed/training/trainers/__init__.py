"""The same tuning in somebody else's trainer: data files and a config for it, in one folder.

    trl            train.jsonl, settings.json, train_trl.py: `python train_trl.py`
    llama_factory  train.jsonl, dataset_info.json, train.yaml: `llamafactory-cli train train.yaml`
    axolotl        train.jsonl, train.yaml: `axolotl train train.yaml`

None of them is needed to write this. What a trainer does otherwise than ours stands in the README
of its folder.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from seedbed.errors import ConfigError, StorageError
from seedbed.files import write_jsonl, write_text
from seedbed.records import Example
from seedbed.training.settings import TrainSettings
from seedbed.training.trainers.axolotl import axolotl_files, axolotl_row
from seedbed.training.trainers.form import Files, Row
from seedbed.training.trainers.llama_factory import llama_factory_files, llama_factory_row
from seedbed.training.trainers.trl import trl_files, trl_row

_TRAINERS: Mapping[str, tuple[Row, Callable[[TrainSettings, str], Files]]] = {
    "trl": (trl_row, trl_files),
    "llama_factory": (llama_factory_row, llama_factory_files),
    "axolotl": (axolotl_row, axolotl_files),
}

TRAINERS = tuple(_TRAINERS)
DATA = "train.jsonl"


def write_trainer(
    examples: Iterable[Example],
    folder: Path,
    *,
    trainer: str,
    settings: TrainSettings,
    base: str,
) -> int:
    """Write what `trainer` needs to tune `base` on the examples as `settings` say.

    The data come last, so that a folder with them is whole.

    Returns:
        The number of examples.

    Raises:
        ConfigError: no such trainer, or it cannot do what the settings ask.
        StorageError: a file cannot be written.
    """
    if trainer not in _TRAINERS:
        raise ConfigError(
            f"{trainer!r}: not a trainer to export to; expected one of: {', '.join(TRAINERS)}"
        )
    row, make = _TRAINERS[trainer]
    files = make(settings, base)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"{folder}: the folder cannot be made: {error.strerror}",
            hint="Choose another one with --out.",
        ) from error
    for name, text in files.items():
        write_text(folder / name, text)
    return write_jsonl(folder / DATA, map(row, examples))
