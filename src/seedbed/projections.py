"""The files that a session rebuilds from the recipe's stream, visible whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import BinaryIO

from seedbed.errors import DatasetError
from seedbed.export import drop_to_json, example_from_json, example_to_json, write_parquet
from seedbed.files import json_line, replacing
from seedbed.folder import RunFolder
from seedbed.records import JSON, Drop, Dropped, Example


class _Discarded(Exception):
    """Leaves `replacing` without replacing."""


class Projections:
    """`examples.jsonl` and `drops.jsonl`, a line at a time; use it as a context manager.

    Nothing is kept in memory. Leaving the block without `publish` leaves the old files as they
    were.
    """

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder

    def __enter__(self) -> Projections:
        self._stack = ExitStack()
        self._examples = self._stack.enter_context(replacing(self._folder.examples))
        self._drops = self._stack.enter_context(replacing(self._folder.drops))
        self._others: dict[Path, BinaryIO] = {}
        return self

    def __exit__(self, *unused: object) -> None:
        error = _Discarded()
        with suppress(_Discarded):
            self._stack.__exit__(_Discarded, error, None)

    def keep(self, example: Example) -> None:
        _write(self._examples, example_to_json(example))

    def drop(self, item: Dropped, objection: Drop) -> None:
        _write(self._drops, drop_to_json(item, objection))

    def note(self, instruction: JSON) -> None:
        """A row of `instructions.jsonl`, which only recipes with a pool of instructions have."""
        self.add(self._folder.instructions, instruction)

    def add(self, path: Path, row: JSON) -> None:
        """A row of a file that only some recipes have; it is there from its first row on."""
        if path not in self._others:
            self._others[path] = self._stack.enter_context(replacing(path))
        _write(self._others[path], row)

    def flush(self) -> None:
        """Let those who follow the run read what it has so far (see `files.unfinished`)."""
        for file in (self._examples, self._drops, *self._others.values()):
            file.flush()

    def publish(self) -> None:
        """Put the files in place, and `examples.parquet` beside them."""
        self._stack.close()
        write_parquet(read_examples(self._folder.examples), self._folder.parquet)


def _write(file: BinaryIO, row: JSON) -> None:
    file.write(json_line(row).encode("utf-8"))


def read_examples(path: Path) -> Iterator[Example]:
    """The examples of a run's `examples.jsonl`.

    Raises:
        DatasetError: it is not there, or a line of it is not an example.
    """
    if not path.exists():
        raise DatasetError(
            f"{path}: there are no examples yet", hint="`seedbed run` makes them, and goes on."
        )
    with path.open(encoding="utf-8") as file:
        for number, text in enumerate(file, 1):
            try:
                row = json.loads(text)
                example = example_from_json(row if isinstance(row, dict) else {})
            except (ValueError, DatasetError) as error:
                raise DatasetError(
                    f"{path}: line {number}: not an example: {error}",
                    hint="`seedbed run` makes the file anew from the journal, for nothing.",
                ) from None
            yield example
