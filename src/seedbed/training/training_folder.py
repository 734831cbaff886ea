"""What training leaves on disk, and how a log is cut back to the step that goes on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seedbed.errors import ConfigError, StorageError
from seedbed.files import json_line, make_folder, write_jsonl, write_text
from seedbed.records import JSON


@dataclass(frozen=True, slots=True)
class TrainingFolder:
    """`training.json` tells the whole; `log.jsonl` has a line per step, `epochs.jsonl` per epoch.

    `state/` is there while training is not over; `drops.jsonl` lists what was left out, and
    `held_out.jsonl` holds the examples that the best epoch is chosen on.
    """

    path: Path

    @property
    def manifest(self) -> Path:
        return self.path / "training.json"

    @property
    def log(self) -> Path:
        return self.path / "log.jsonl"

    @property
    def epochs(self) -> Path:
        return self.path / "epochs.jsonl"

    @property
    def drops(self) -> Path:
        return self.path / "drops.jsonl"

    @property
    def held_out(self) -> Path:
        return self.path / "held_out.jsonl"

    @property
    def state(self) -> Path:
        return self.path / "state"

    def checkpoint(self, epoch: int) -> Path:
        return self.path / "checkpoints" / f"epoch-{epoch:02d}"

    def make(self) -> None:
        """Make the folder.

        Raises:
            StorageError: it cannot be made.
        """
        make_folder(self.path)

    def read_manifest(self) -> dict[str, Any]:
        """`training.json`, empty before the first session.

        Raises:
            ConfigError: the file is not one.
        """
        try:
            found = json.loads(self.manifest.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise ConfigError(f"{self.manifest}: cannot be read: {error}") from error
        if not isinstance(found, dict) or "identity" not in found:
            raise ConfigError(f"{self.manifest}: not the manifest of a training")
        return found

    def write_manifest(self, content: Mapping[str, JSON]) -> None:
        write_text(self.manifest, json.dumps(content, ensure_ascii=False, indent=1) + "\n")

    def read_epochs(self) -> list[dict[str, Any]]:
        return _rows(self.epochs)

    def cut_back(self, step: int) -> None:
        """Forget lines about steps after `step`: they are made again, and come out the same."""
        for path in (self.log, self.epochs):
            rows = _rows(path)
            kept = [row for row in rows if row["step"] <= step]
            if len(kept) < len(rows) or not step:
                write_jsonl(path, kept)


def append(path: Path, row: Mapping[str, JSON]) -> None:
    """Add a line to a log.

    Raises:
        StorageError: it cannot be written.
    """
    try:
        with path.open("ab") as file:
            file.write(json_line(row).encode("utf-8"))
    except OSError as error:
        raise StorageError(f"{path}: cannot be written: {error.strerror}") from error


def _rows(path: Path) -> list[dict[str, Any]]:
    """The whole lines of a log; what a kill left unfinished is none."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").split("\n")[:-1]
    return [json.loads(line) for line in lines]
