"""Files that are replaced whole or not at all, and lines of JSON that every reader takes.

A file is written beside its target, flushed to the disk, and renamed over it: a reader, or a crash
at any moment, sees the old content or the new one.

Text from models can hold what UTF-8 cannot: half of a surrogate pair, where an answer was cut
inside of an emoji. JSON could carry it as an escape, but Arrow, pandas and most parsers outside of
Python then refuse the whole file. So what we write holds U+FFFD in its place (two halves that
belong together become their character again); the journal keeps what the model said.
"""

from __future__ import annotations

import errno
import json
import os
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO

from seedbed.errors import StorageError
from seedbed.records import JSON

if sys.platform != "win32":
    import fcntl

_LINE_BREAKS = {0x85: "\\u0085", 0x2028: "\\u2028", 0x2029: "\\u2029"}
"""What JSON allows inside a string, but `str.splitlines` and others take for the end of a line."""


def well_formed(text: str) -> str:
    """The text with surrogate pairs joined and lone surrogates replaced by U+FFFD."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def json_line(value: JSON) -> str:
    """One line of JSON with its newline: keys in their order, readable UTF-8, no NaN.

    Raises:
        ValueError: a number is not finite. JSON has no word for it and most readers refuse it.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return well_formed(text).translate(_LINE_BREAKS) + "\n"


def make_folder(path: Path) -> None:
    """Make a folder with those above it, unless it is there.

    Raises:
        StorageError: it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        said = "a file of this name is in the way"
        if not isinstance(error, FileExistsError | NotADirectoryError):
            said = error.strerror or str(error)
        raise StorageError(
            f"{path}: the folder cannot be made: {said}",
            hint="Choose another place (--out), or free some space on its disk.",
        ) from error


def write_text(path: Path, text: str) -> None:
    """Replace a text file atomically, in UTF-8.

    Raises:
        StorageError: it cannot be written; the old file, if any, is as it was.
    """
    write_bytes(path, well_formed(text).encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Replace a file atomically.

    Raises:
        StorageError: it cannot be written; the old file, if any, is as it was.
    """
    with replacing(path) as file:
        file.write(content)


def write_jsonl(path: Path, rows: Iterable[JSON]) -> int:
    """Replace a JSONL file atomically, a row at a time, and return the number of rows.

    Raises:
        StorageError: it cannot be written; the old file, if any, is as it was.
    """
    count = 0
    with replacing(path) as file:
        for row in rows:
            file.write(json_line(row).encode("utf-8"))
            count += 1
    return count


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write to, which takes the place of `path` when the block ends without an error.

    A link is followed, and a file that is replaced keeps its permissions. What a killed writer
    left behind is removed by the next one. Of two writers at the same time the last one wins, or
    one of them gets the error; what stands there is whole in any case.

    Raises:
        StorageError: it cannot be written; the old file, if any, is as it was.
    """
    target = Path(os.path.realpath(path))
    _check(target, path)
    temporary = target.with_name(f".{target.name}.{token_hex(4)}.tmp")
    try:
        _sweep(target)
        try:
            with temporary.open("xb") as file:
                _hold(file)
                _keep_permissions(target, file)
                yield file
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(target)
            _settle(target.parent)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        if error.filename not in (None, str(temporary)):
            raise  # another file's: whoever filled the block has to say what it means
        raise StorageError(
            f"{path}: cannot be written: {error.strerror or error}", hint=_hint(error, target)
        ) from error


def unfinished(path: Path) -> Path | None:
    """The newest file that will take the place of `path` but has not yet: a writer fills it, or
    one that was killed left it behind. What stands in it ends anywhere."""
    target = Path(os.path.realpath(path))
    times = {}
    for found in target.parent.glob(f".{escape(target.name)}.????????.tmp"):
        with suppress(FileNotFoundError):  # put in place meanwhile
            times[found] = found.stat().st_mtime_ns
    return max(times, key=times.__getitem__, default=None)


def _check(target: Path, path: Path) -> None:
    """Say what is wrong in the caller's words, where the system would blame the temporary file."""
    if target.is_dir():
        raise StorageError(
            f"{path}: cannot be written: a folder of this name is in the way",
            hint="Move the folder away, or choose another name.",
        )
    if target.exists() and not target.is_file():
        raise StorageError(
            f"{path}: cannot be written: not a regular file, so it cannot be replaced",
            hint="Write to a file, and copy it from there.",
        )
    if not target.parent.is_dir():
        found = "not a folder" if target.parent.exists() else "no such folder"
        raise StorageError(
            f"{path}: cannot be written: {target.parent}: {found}",
            hint="Make the folder first, or choose another place.",
        )


def _hint(error: OSError, target: Path) -> str:
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return f"Free some space on the disk of {target.parent}; nothing was changed."
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return f"Allow writing to the folder {target.parent}, or choose another one."
        case errno.EFBIG:
            return "The file is larger than this system or user may write."
        case errno.ENAMETOOLONG:
            return "Choose a shorter name: the temporary file's is 14 characters longer."
    return f"Look after the disk of {target.parent}; nothing was changed."


def _keep_permissions(target: Path, file: BinaryIO) -> None:
    if sys.platform != "win32" and target.exists():
        os.fchmod(file.fileno(), stat.S_IMODE(target.stat().st_mode))


def _hold(file: BinaryIO) -> None:
    """Mark the file as being written; the mark ends with the process, however that ends."""
    if sys.platform != "win32":
        with suppress(OSError):  # some network file systems have no locks: then nobody sweeps
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def hold_file(file: BinaryIO) -> None:
    """Wait until no other process holds this file, and hold it until it is closed."""
    if sys.platform != "win32":
        fcntl.flock(file, fcntl.LOCK_EX)


def _sweep(target: Path) -> None:
    """Remove what a killed writer of the same file left behind, and no living writer's file."""
    if sys.platform == "win32":
        return
    for left in target.parent.glob(f".{escape(target.name)}.????????.tmp"):
        with suppress(OSError), left.open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            left.unlink()


def _settle(folder: Path) -> None:
    """Make the renaming survive a power cut: it lives in the folder."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some file systems cannot sync a folder; the content is safe
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
