"""A run's folder: which file is what. Only `journal.db` and `decisions.jsonl` are state; the rest
can be rebuilt."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from seedbed.errors import ConfigError
from seedbed.files import make_folder, write_text
from seedbed.records import JSON

_MANIFEST = {
    **dict.fromkeys(("seedbed", "recipe", "status", "teacher"), str),
    **dict.fromkeys(("counts", "drops", "repairs", "spend", "stages", "forecast"), dict),
    **dict.fromkeys(("notes", "sessions"), list),
    "seed": int,
}
"""What every manifest holds, and of which type."""


@dataclass(frozen=True, slots=True)
class RunFolder:
    """`shared_journal` is a journal outside of the folder, which several runs pay into."""

    path: Path
    shared_journal: Path | None = None

    @property
    def config(self) -> Path:
        return self.path / "config.toml"

    @property
    def manifest(self) -> Path:
        return self.path / "manifest.json"

    @property
    def journal(self) -> Path:
        return self.shared_journal or self.path / "journal.db"

    @property
    def skills(self) -> Path:
        return self.path / "skills.json"

    @property
    def examples(self) -> Path:
        return self.path / "examples.jsonl"

    @property
    def parquet(self) -> Path:
        return self.path / "examples.parquet"

    @property
    def drops(self) -> Path:
        return self.path / "drops.jsonl"

    @property
    def instructions(self) -> Path:
        return self.path / "instructions.jsonl"

    @property
    def decisions(self) -> Path:
        """What people decided by hand: not rebuilt, and never written by a run."""
        return self.path / "decisions.jsonl"

    @property
    def batches(self) -> Path:
        """The batches that a student was trained on while the run went on, with their signals."""
        return self.path / "batches.jsonl"

    @property
    def seeds(self) -> Path:
        """The seeds that training added and retired."""
        return self.path / "seeds.jsonl"

    @property
    def rounds(self) -> Path:
        """What directed mixes were drawn by, round by round."""
        return self.path / "rounds.jsonl"

    @property
    def held_out(self) -> Path:
        """Examples of the run's own kind that it does not train on."""
        return self.path / "held_out.jsonl"

    @property
    def student(self) -> Path:
        """Checkpoints of the student that steers the run; all of it may be removed."""
        return self.path / "student"

    @property
    def card(self) -> Path:
        return self.path / "README.md"

    def holds(self, path: Path) -> bool:
        """Whether this is the name of a file that the run itself keeps, or of its journal."""
        own = (
            *(self.config, self.manifest, self.journal, self.skills, self.examples, self.parquet),
            *(self.drops, self.instructions, self.decisions, self.batches, self.seeds),
            *(self.rounds, self.held_out, self.card),
        )
        return path.resolve() in {name.resolve() for name in own}

    def make(self) -> None:
        """Make the folder.

        Raises:
            StorageError: a file is in the way, or its parent cannot be written.
        """
        make_folder(self.path)

    def read_manifest(self) -> dict[str, JSON]:
        """What is known of the run, empty before its first session.

        Raises:
            ConfigError: the file is not a manifest.
        """
        try:
            content = json.loads(self.manifest.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"{self.manifest}: not a manifest: {error}",
                hint="It is rebuilt by the next `seedbed run`.",
            ) from error
        wrong = [
            name
            for name, kind in _MANIFEST.items()
            if not isinstance(content, dict) or not isinstance(content.get(name), kind)
        ]
        if wrong:
            raise ConfigError(
                f"{self.manifest}: not a manifest: no good `{wrong[0]}` in it",
                hint="It is rebuilt by the next `seedbed run`.",
            )
        return dict(content)

    def write_manifest(self, content: JSON) -> None:
        write_text(self.manifest, json.dumps(content, ensure_ascii=False, indent=1) + "\n")


def find_run(path: Path) -> RunFolder:
    """The folder of a run that has begun.

    Raises:
        ConfigError: there is none at `path`.
    """
    folder = RunFolder(path)
    if not folder.manifest.exists():
        what = "a folder, but not of a run" if path.is_dir() else "no such folder"
        raise ConfigError(
            f"{path}: {what}; expected one with a manifest.json",
            hint="`seedbed run CONFIG` makes one, and says where.",
        )
    return folder
