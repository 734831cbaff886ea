"""The index of one state of a run's files, filled a little at a time."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from seedbed.decisions import Decisions, read_decisions
from seedbed.errors import DatasetError
from seedbed.folder import RunFolder
from seedbed.records import JSON
from seedbed.view.rows import ITEM_COLUMNS, Item, read_item
from seedbed.view.schema import create
from seedbed.view.signals import last_signals
from seedbed.view.similarity import Similarity
from seedbed.view.tailing import Tail

SPELL = 0.15
"""Seconds of work at once, after which other questions to the same process get their turn."""

_INSERT = (
    f"insert into items ({', '.join(ITEM_COLUMNS)}) values ({', '.join('?' * len(ITEM_COLUMNS))})"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexState:
    """How far the index is. `version` grows with each change of what can be seen."""

    path: str
    version: int
    examples: int
    drops: int
    read: int
    size: int
    similarities: int
    unread: int
    idle: bool

    def to_json(self) -> dict[str, JSON]:
        return {
            "version": self.version,
            "examples": self.examples,
            "drops": self.drops,
            "read": self.read,
            "size": self.size,
            "similarities": self.similarities,
            "unread": self.unread,
        }


class Indexer:
    """Reads a run's files into an index in `place`; `step` by `step`, in one process.

    A file that is replaced by another one makes it begin anew, in a new database.
    """

    def __init__(self, folder: RunFolder, place: Path) -> None:
        self._folder = folder
        self._place = place
        self._version = 0
        self._generation = 0
        self._begin()

    def _begin(self) -> None:
        self._generation += 1
        self._version += 1
        self._path = self._place / f"index-{self._generation}.db"
        self._database = create(self._path)
        self._tails = {
            "examples": Tail(self._folder.examples),
            "drops": Tail(self._folder.drops),
            "pool": Tail(self._folder.instructions),
        }
        self._number = self._unread = 0
        self._counts = {"examples": 0, "drops": 0}
        self._similarity = Similarity(self._database)
        self._was_live = False
        self._signals = self._folder.path / "training" / "signals.jsonl"
        self._signals_read = False
        try:
            self._decisions = read_decisions(self._folder.decisions)
        except DatasetError:
            self._decisions = Decisions()  # the server says so; browsing goes on without them

    def step(self, *, live: bool) -> IndexState:
        """Work for about `SPELL` seconds; `idle` in the answer says that there was little to do."""
        if any(tail.replaced(live=live) for tail in self._tails.values()):
            self._restart()
        began, before = time.monotonic(), self._version
        while time.monotonic() - began < SPELL and self._read(live=live):
            self._version += 1
        settled = self._version == before
        if settled and self._was_live and not live:
            self._similarity.forget()
        self._was_live = live
        if settled and not self._signals_read:
            self._signals_read = True
            self._add_signals()
        working = settled and self._similarity.step(began + SPELL)
        if working:
            self._version += 1
        return self._state(idle=settled and not working)

    def nearest(self, name: str, text: str, count: int) -> list[tuple[str, float]]:
        """The ids of the run's instructions that are most similar to this one, with their F1."""
        return self._similarity.nearest(name, text, count)

    def close(self) -> None:
        for tail in self._tails.values():
            tail.close()
        self._database.close()

    def _restart(self) -> None:
        self.close()
        old = self._path
        self._begin()
        for leftover in old.parent.glob(f"{old.name}*"):
            leftover.unlink()

    def _read(self, *, live: bool) -> bool:
        """One chunk of each file; whether there was any."""
        lines = {name: list(tail.read(live=live)) for name, tail in self._tails.items()}
        if not any(lines.values()):
            return False
        self._database.execute("begin")
        for name in ("examples", "drops"):
            dropped, tail = name == "drops", self._tails[name]
            first = tail.lines - len(lines[name]) + 1
            self._add(
                item
                for number, line in enumerate(lines[name], first)
                if (item := self._item(line, number, dropped))
            )
        self._database.executemany("insert or ignore into pool values (?, ?)", _pool(lines["pool"]))
        self._database.execute("commit")
        return True

    def _item(self, line: bytes, number: int, dropped: bool) -> Item | None:
        try:
            item = read_item(line.decode("utf-8"), number=number, dropped=dropped)
        except (UnicodeDecodeError, DatasetError):
            item = None
        self._unread += item is None
        return item

    def _add(self, items: Iterable[Item]) -> None:
        columns, lines, words = [], [], []
        skills, parents, scores, verdicts = [], [], [], []
        for item in items:
            self._number += 1
            number = self._number
            self._counts["drops" if item.dropped else "examples"] += 1
            columns.append(item.columns(number))
            lines.append((number, item.stored))
            words.append((number, item.instruction, item.text("input"), item.text("response")))
            skills += [
                (int(item.dropped), skill, number) for skill in dict.fromkeys(item.texts("skills"))
            ]
            parents += [(parent, number) for parent in dict.fromkeys(item.texts("parents"))]
            scores += [(name, value, number) for name, value in item.scores]
            if len(self._decisions):
                found = self._decisions.find(item.id, item.content, dropped=item.dropped)
                if found is not None:
                    verdicts.append((found.verdict, int(bool(found.edit)), number))
            if not item.dropped:
                self._similarity.add(item.instruction_id, item.instruction)
        for statement, rows in (
            (_INSERT, columns),
            ("insert into lines values (?, ?)", lines),
            ("insert into words (rowid, instruction, input, response) values (?, ?, ?, ?)", words),
            ("insert or ignore into skills values (?, ?, ?)", skills),
            ("insert or ignore into parents values (?, ?)", parents),
            ("insert or ignore into scores values (?, ?, ?)", scores),
            ("update items set verdict = ?, edited = ? where number = ?", verdicts),
        ):
            self._database.executemany(statement, rows)

    def _add_signals(self) -> None:
        """What training said of each example, the last word of each signal, where it was kept."""
        self._database.execute("begin")
        for key, name, value in last_signals(self._signals):
            self._database.execute(
                "insert or ignore into scores select ?, ?, number from items where key = ?",
                (f"signal: {name}", value, key),
            )
        self._database.execute("commit")

    def _state(self, *, idle: bool) -> IndexState:
        tails = self._tails.values()
        return IndexState(
            path=str(self._path),
            version=self._version,
            examples=self._counts["examples"],
            drops=self._counts["drops"],
            read=sum(tail.offset for tail in tails),
            size=sum(tail.size for tail in tails),
            similarities=self._similarity.done,
            unread=self._unread,
            idle=idle,
        )


def _pool(lines: Iterable[bytes]) -> Iterable[tuple[str, str]]:
    for line in lines:
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict) and isinstance(row.get("id"), str):
            yield row["id"], line.decode("utf-8")
