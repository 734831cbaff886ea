"""Following a file of lines that another process writes, without disturbing it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from seedbed.files import unfinished

CHUNK = 1 << 20
"""Bytes that are read at once."""


@dataclass(slots=True)
class Tail:
    """The complete lines of `path`, and while it is being written those of its unfinished file.

    A file that is put in its place keeps its identity, so following goes on; another file in its
    place (a later session's) is noticed by `replaced`, and then a new tail has to begin.
    """

    path: Path
    lines: int = 0
    offset: int = 0
    size: int = 0
    _file: BinaryIO | None = None
    _rest: bytes = field(default=b"", repr=False)

    def replaced(self, *, live: bool) -> bool:
        """Whether what was followed so far is no longer the file to look at."""
        found = self._current(live=live)
        return self._file is not None and found is not None and found != _identity(self._file)

    def read(self, *, live: bool) -> Iterator[bytes]:
        """The lines of one chunk more, without their ends; none where there is nothing new."""
        if self._file is None:
            self._file = _opened(self._place(live=live))
            if self._file is None:
                return
        chunk = self._file.read(CHUNK)
        self.offset += len(chunk)
        self.size = max(self.offset, _size(self._file))
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            self.lines += 1
            yield line

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _place(self, *, live: bool) -> Path:
        """Where to look: at the unfinished file if a run goes on, or if there is nothing else."""
        if live or not self.path.exists():
            return unfinished(self.path) or self.path
        return self.path

    def _current(self, *, live: bool) -> tuple[int, int] | None:
        try:
            status = self._place(live=live).stat()
        except FileNotFoundError:
            return None
        return status.st_dev, status.st_ino


def _opened(path: Path) -> BinaryIO | None:
    try:
        return path.open("rb")
    except FileNotFoundError:
        return None


def _identity(file: BinaryIO) -> tuple[int, int]:
    status = os.fstat(file.fileno())
    return status.st_dev, status.st_ino


def _size(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_size
