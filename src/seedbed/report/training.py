"""What tuning a student left in `RUN/training/`: as much of it as is there."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

from seedbed.errors import DatasetError
from seedbed.records import JSON

Line = Mapping[str, JSON]


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """The lines of each file, empty where it is not there; broken last lines are left out.

    `manifest` is `training.json`; `steps` is `log.jsonl`, a line for each step; `epochs` the
    held-out losses; `signals` a line for each example of each step where signals are on; `batches`
    and `seeds` what a SeDi run says of its batches and of its seeds' weights.
    """

    folder: Path
    manifest: Line
    steps: Sequence[Line]
    epochs: Sequence[Line]
    signals: Sequence[Line]
    batches: Sequence[Line]
    seeds: Sequence[Line]

    def series(self, lines: Sequence[Line], *keys: str) -> list[tuple[float, ...]]:
        """Those lines' numbers under the keys, of lines that have all of them."""
        rows: list[list[JSON]] = [[line.get(key) for key in keys] for line in lines]
        return [tuple(float(value) for value in row) for row in rows if all(map(is_number, row))]


def is_number(value: JSON) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def read_training(run: Path) -> Training | None:
    """The training of a run, or None where there was none.

    Raises:
        DatasetError: a file is there and is not what it should be.
    """
    folder = run / "training"
    found = Training(
        folder=folder,
        manifest=_object(folder / "training.json"),
        steps=_lines(folder / "log.jsonl"),
        epochs=_lines(folder / "epochs.jsonl"),
        signals=_lines(folder / "signals.jsonl"),
        batches=_lines(run / "batches.jsonl") or _lines(folder / "batches.jsonl"),
        seeds=_lines(run / "seeds.jsonl") or _lines(folder / "seeds.jsonl"),
    )
    told = (found.manifest, found.steps, found.epochs, found.signals, found.batches, found.seeds)
    return found if any(told) else None


def _object(path: Path) -> Line:
    if not path.exists():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DatasetError(f"{path}: not JSON: {error}") from None
    return content if isinstance(content, dict) else {}


def _lines(path: Path) -> tuple[Line, ...]:
    """The objects of a JSONL file; a last line that is being written is not there yet."""
    if not path.exists():
        return ()
    found, texts = [], path.read_text(encoding="utf-8").splitlines()
    for number, text in enumerate(texts, 1):
        try:
            line = json.loads(text)
        except ValueError as error:
            if number == len(texts):
                break
            raise DatasetError(f"{path}: line {number}: not JSON: {error}") from None
        if isinstance(line, dict):
            found.append(line)
    return tuple(found)
