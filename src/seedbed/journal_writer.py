"""The one thread that writes a journal.

Whatever waits for it shares one transaction and one fsync (group commit), which is what makes
durability affordable: the cost of a commit is spread over all calls in flight.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from pathlib import Path

from seedbed.errors import JournalError
from seedbed.journal_file import connect
from seedbed.records import JSON

Statement = tuple[str, tuple[JSON, ...]]
Job = tuple[tuple[Statement, ...], asyncio.Future[None]]


class Writer:
    """Commits statements in the order in which they come; after one failure it takes no more."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._database = connect(path)
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._broken: JournalError | None = None
        self._thread = threading.Thread(target=self._write, name="journal", daemon=True)
        self._thread.start()

    async def commit(self, *statements: Statement) -> None:
        """Return when the statements are on disk.

        Raises:
            JournalError: they are not, and nothing that comes later will be.
        """
        self.check()
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._jobs.put((statements, done))
        await done

    def check(self) -> None:
        """Raise what broke the journal, if anything has."""
        if self._broken is not None:
            raise self._broken

    def close(self) -> None:
        """Write what still waits, and end the thread."""
        self._jobs.put(None)
        self._thread.join()

    def _write(self) -> None:
        while (batch := self._next_batch()) is not None:
            try:
                self._write_batch(batch)
            except (sqlite3.Error, UnicodeError) as error:
                self._broken = _unwritable(self._path, error)
            _tell([done for _, done in batch], self._broken)
        self._database.close()

    def _next_batch(self) -> list[Job] | None:
        if (job := self._jobs.get()) is None:
            return None
        batch = [job]
        while not self._jobs.empty():
            if (job := self._jobs.get()) is None:
                self._jobs.put(None)
                break
            batch.append(job)
        return batch

    def _write_batch(self, batch: list[Job]) -> None:
        self._database.execute("begin immediate")
        try:
            for statements, _ in batch:
                for statement, values in statements:
                    self._database.execute(statement, values)
            self._database.execute("commit")
        except BaseException:
            if self._database.in_transaction:
                self._database.execute("rollback")
            raise


def _tell(waiting: list[asyncio.Future[None]], error: JournalError | None) -> None:
    """Wake the waiters of each loop with one call; a loop that has closed needs no waking."""
    for loop in {done.get_loop() for done in waiting}:
        mine = [done for done in waiting if done.get_loop() is loop]
        if not loop.is_closed():
            loop.call_soon_threadsafe(_settle, mine, error)


def _settle(waiting: list[asyncio.Future[None]], error: JournalError | None) -> None:
    for done in waiting:
        if done.done():
            continue
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)


def _unwritable(path: Path, error: Exception) -> JournalError:
    return JournalError(
        f"{path}: the journal cannot be written: {error}",
        hint="Nothing that was settled is lost. Free disk space or mend the folder's permissions, "
        "then run the same command again.",
    )
