"""The journal's file: made whole or not at all, held by one writer, refused when unsound."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from filelock import FileLock, Timeout

from seedbed.errors import JournalError

APPLICATION_ID = 0x5EEDBED
"""SQLite keeps it in the file's header: this file is ours."""

_EFFECTS = """
create table effects (
    key        text primary key,
    kind       text not null,
    sent       integer not null,
    asked_at   text not null,
    settled_at text,
    answer     text,
    question   text not null
) strict
"""

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (_EFFECTS, "create index effects_in_doubt on effects (key) where answer is null"),
)
"""Step n takes a journal of version n to version n + 1, wholly or not at all; steps are added,
never changed."""


def hold(path: Path) -> FileLock:
    """Take the lock of the journal at `path`; the system lets it go when the process dies."""
    lock = FileLock(f"{path}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise JournalError(
            f"{path}: another process is writing to this journal",
            hint="A run of the same folder is still going. Wait for it, stop it, or give this run "
            "another folder.",
        ) from None
    except OSError as error:
        raise JournalError(
            f"{path.parent}: the folder cannot be written: {error.strerror}",
            hint="Choose another folder, or mend its permissions.",
        ) from error
    return lock


def create(path: Path) -> None:
    """Make an empty journal beside its place and move it there: a journal is whole or absent."""
    if (leftover := Path(f"{path}-wal")).exists():
        raise JournalError(
            f"{leftover}: the rest of a journal whose main file {path.name} is gone",
            hint="Restore the main file beside it, or move both away to begin anew.",
        )
    new = Path(f"{path}.new")
    try:
        new.unlink(missing_ok=True)
        with closing(sqlite3.connect(new, isolation_level=None)) as database:
            database.execute(f"pragma application_id = {APPLICATION_ID}")
            _migrate(database)
        os.replace(new, path)
    except (OSError, sqlite3.Error) as error:
        raise JournalError(
            f"{path}: the journal cannot be made: {error}",
            hint="Choose another folder, free disk space, or mend the folder's permissions.",
        ) from error


def connect(path: Path) -> sqlite3.Connection:
    """Open for a single writer beside readers: WAL, and every commit on disk before it returns.

    Raises:
        JournalError: it cannot be opened; so on a disk without room for the files beside it.
    """
    database = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=60)
    try:
        database.execute("pragma journal_mode = wal")
        database.execute("pragma synchronous = full")
    except sqlite3.Error as error:
        database.close()
        raise unusable(path, error) from error
    return database


def _look(path: Path) -> sqlite3.Connection:
    """Open for reading only: what may not be ours is not so much as switched to WAL."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)


def inspect(path: Path) -> None:
    """Refuse what is not a sound journal of ours, touching nothing; migrate an older one.

    Raises:
        JournalError: empty, cut short, foreign, damaged, written by a newer version, or the disk
            does not let it be read.
    """
    _inspect_header(path)
    try:
        with closing(_look(path)) as database:
            (found,) = database.execute("pragma application_id").fetchone()
            (version,) = database.execute("pragma user_version").fetchone()
            if found != APPLICATION_ID:
                raise _foreign(path, "a database of another program")
            if version > len(MIGRATIONS):
                raise JournalError(
                    f"{path}: written by a newer seedbed: journal version {version}, this one "
                    f"knows up to {len(MIGRATIONS)}",
                    hint="Use the seedbed that wrote it, or a newer one.",
                )
            (verdict,) = database.execute("pragma quick_check(1)").fetchone()
            if verdict != "ok":
                raise _torn(path, verdict)
        if version < len(MIGRATIONS):
            with closing(connect(path)) as database:
                _migrate(database)
    except sqlite3.Error as error:
        raise unusable(path, error) from error


def _inspect_header(path: Path) -> None:
    """Look at the first 100 bytes before SQLite does: it takes an empty file for a new database."""
    try:
        with path.open("rb") as file:
            header = file.read(100)
            size = os.fstat(file.fileno()).st_size
    except OSError as error:
        raise JournalError(
            f"{path}: the journal cannot be opened: {error.strerror}",
            hint="Mend the file's permissions, or give the run another folder.",
        ) from error
    if not header:
        raise _torn(path, "the file is empty")
    if header[:16] != b"SQLite format 3\x00":
        raise _foreign(path, "not a journal")
    if len(header) < 100:
        raise _torn(path, f"only {size} bytes are left of it")
    page = int.from_bytes(header[16:18], "big")
    expected = int.from_bytes(header[28:32], "big") * (65536 if page == 1 else page)
    if size < expected and not Path(f"{path}-wal").exists():
        raise _torn(path, f"{size} bytes, expected {expected}")


def _migrate(database: sqlite3.Connection) -> None:
    (version,) = database.execute("pragma user_version").fetchone()
    for number in range(version, len(MIGRATIONS)):
        database.execute("begin immediate")
        for statement in (*MIGRATIONS[number], f"pragma user_version = {number + 1}"):
            database.execute(statement)
        database.execute("commit")


def _foreign(path: Path, what: str) -> JournalError:
    return JournalError(
        f"{path}: {what}; expected a journal of seedbed, or no file",
        hint="It was left as it is. Give the run another folder, or move the file away.",
    )


_DISK = {
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
}
"""What SQLite says where the disk, and not the file, is to blame; with one exception."""


def unusable(path: Path, error: sqlite3.Error, what: str = "opened") -> JournalError:
    """A damaged journal, or a disk that is full or refuses: beginning anew would pay anew."""
    code = getattr(error, "sqlite_errorcode", 0)
    if code & 0xFF not in _DISK or code == sqlite3.SQLITE_IOERR_SHORT_READ:
        return _torn(path, str(error))
    return JournalError(
        f"{path}: the journal cannot be {what}: {error}",
        hint="Nothing that was settled is lost. Free disk space or mend the folder's permissions, "
        "then run the same command again.",
    )


def _torn(path: Path, what: str) -> JournalError:
    return JournalError(
        f"{path}: the journal is damaged: {what}",
        hint="It was left as it is. Restore it from a copy; without one, move it away and the run "
        "begins anew (and pays anew).",
    )
