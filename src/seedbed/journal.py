"""A durable memory of every effect that cost something.

An effect is whatever a recipe cannot compute for itself: a model call, a judge's score, a training
step's feedback. `Journal.once` looks the question up, writes down that it is about to ask, performs
the effect, commits the answer, and only then returns it. Asked the same again it answers from disk.

What this promises:

    * a settled effect is never performed again, whatever has crashed since;
    * two concurrent askers share one performance;
    * an effect that was in flight when the process died is listed by `in_doubt`, not hidden: it may
      have been paid for, and is performed again only if it is asked again;
    * a journal that cannot write stops the run, and a file that is not a whole journal is refused
      and left as it is.

What waits to be written shares one transaction and one fsync (`journal_writer`).
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from seedbed.errors import SeedbedError
from seedbed.journal_file import connect, create, hold, inspect, unusable
from seedbed.journal_writer import Writer
from seedbed.records import JSON, digest

_FIND = "select answer from effects where key = ?"
_INTEND = """
    insert into effects (key, kind, question, sent, asked_at)
    values (?, ?, ?, 1, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
    on conflict (key) do update set sent = sent + 1, asked_at = excluded.asked_at
"""
_SETTLE = """
    insert into effects (key, kind, question, answer, sent, asked_at, settled_at)
    values (?, ?, ?, ?, 1, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'),
            strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
    on conflict (key) do update set answer = excluded.answer, settled_at = excluded.settled_at
"""
_WITHDRAW = "update effects set sent = sent - 1 where key = ?"
_FORGET = "delete from effects where key = ? and sent = 0 and answer is null"


@dataclass(frozen=True, slots=True, kw_only=True)
class InDoubt:
    """An effect that was sent and never settled; `sent` counts how often."""

    key: str
    kind: str
    question: JSON
    asked_at: str
    sent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A settled effect. `sent` is 1 unless earlier performances were lost in a crash."""

    key: str
    question: JSON
    answer: JSON
    sent: int


class Journal:
    """The journal of one run; use it as a context manager, inside or around an event loop.

    Args:
        path: the SQLite file; made if it is not there.

    Raises:
        JournalError: another process writes to it, it is not a journal, it is torn, it was
            written by a newer seedbed, or its folder cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.performed = 0
        self.replayed = 0
        self._flights: dict[str, asyncio.Task[JSON]] = {}

    def __enter__(self) -> Self:
        self._lock = hold(self.path)
        try:
            if not self.path.exists():
                create(self.path)
            inspect(self.path)
            self._reader = connect(self.path)
            self._writer = Writer(self.path)
        except BaseException:
            self._lock.release()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._writer.close()
        self._reader.close()
        self._lock.release()

    async def once(
        self,
        kind: str,
        question: JSON,
        effect: Callable[[], Awaitable[JSON]],
        *,
        announces: bool = False,
        free: bool = False,
    ) -> JSON:
        """Answer `question` from memory, or perform `effect` and remember what it returns.

        The effect runs in a task of its own, so that a cancelled asker does not waste what is
        already being paid for (see `drain`).

        Args:
            kind: what sort of effect this is; part of the key.
            question: everything that shapes the answer, and nothing else.
            effect: performs it; its result must be JSON-able.
            announces: whether the effect enters `announced` by itself each time that it begins to
                cost. A model call does: it waits for its turn first, and may be tried again.
            free: it costs nothing by itself, and is not counted in `performed` and `replayed`.

        Raises:
            JournalError: the answer cannot be looked up or kept.
        """
        key = digest(kind, question)
        if (flight := self._flights.get(key)) is None:
            if (known := self._find(key)) is not None:
                self.replayed += not free
                return json.loads(known)
            flight = asyncio.create_task(
                self._perform(key, kind, question, effect, announces, free)
            )
            self._flights[key] = flight
            flight.add_done_callback(lambda task: self._land(key, task))
        return await asyncio.shield(flight)

    @asynccontextmanager
    async def announced(self, kind: str, question: JSON) -> AsyncIterator[None]:
        """Write down that an effect begins; what the block does is in doubt until it is settled.

        A block that raises leaves no trace, unless the error says `maybe_paid` or is not one of
        ours: then the question stays in doubt.
        """
        key = digest(kind, question)
        await self._writer.commit((_INTEND, (key, kind, _dumps(question))))
        try:
            yield
        except SeedbedError as error:
            if not error.maybe_paid:
                await self.withdraw(kind, question)
            raise

    async def withdraw(self, kind: str, question: JSON) -> None:
        """Take one announcement back: it turned out that nothing was done for it."""
        key = digest(kind, question)
        await self._writer.commit((_WITHDRAW, (key,)), (_FORGET, (key,)))

    async def drain(self, grace: float) -> None:
        """Wait up to `grace` seconds for the effects in flight; the rest stays in doubt."""
        if self._flights:
            await asyncio.wait(self._flights.values(), timeout=grace)
        for flight in list(self._flights.values()):
            flight.cancel()
        await asyncio.gather(*self._flights.values(), return_exceptions=True)

    @property
    def in_flight(self) -> int:
        return len(self._flights)

    def in_doubt(self, kind: str | None = None) -> list[InDoubt]:
        """What was sent and never settled: after a crash, what may have been paid for nothing."""
        rows = self._select(
            "select key, kind, question, asked_at, sent from effects where answer is null"
        )
        return [
            InDoubt(key=key, kind=of, question=json.loads(question), asked_at=asked_at, sent=sent)
            for key, of, question, asked_at, sent in rows
            if key not in self._flights and kind in (None, of)
        ]

    def entries(self, kind: str) -> Iterator[Entry]:
        """Every settled effect of a kind, in the order in which they were first asked."""
        rows = self._select(
            "select key, question, answer, sent from effects"
            " where kind = ? and answer is not null order by rowid",
            kind,
        )
        for key, question, answer, sent in rows:
            yield Entry(
                key=key, question=json.loads(question), answer=json.loads(answer), sent=sent
            )

    def _find(self, key: str) -> str | None:
        self._writer.check()
        row = next(iter(self._select(_FIND, key)), None)
        return None if row is None else row[0]

    def _select(self, statement: str, *values: JSON) -> Iterator[tuple[JSON, ...]]:
        try:
            yield from self._reader.execute(statement, values)
        except sqlite3.Error as error:
            raise unusable(self.path, error, "read") from error

    async def _perform(
        self,
        key: str,
        kind: str,
        question: JSON,
        effect: Callable[[], Awaitable[JSON]],
        announces: bool,
        free: bool,
    ) -> JSON:
        async with nullcontext() if announces else self.announced(kind, question):
            answer = await effect()
        self.performed += not free
        await self._writer.commit((_SETTLE, (key, kind, _dumps(question), _dumps(answer))))
        return answer

    def _land(self, key: str, flight: asyncio.Task[JSON]) -> None:
        del self._flights[key]
        if not flight.cancelled():
            flight.exception()  # seen here: its asker may have been cancelled meanwhile


def _dumps(content: JSON) -> str:
    """Readable JSON, unless half a surrogate pair, which no file can hold, has to be escaped."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return json.dumps(content, separators=(",", ":"))
    return text
