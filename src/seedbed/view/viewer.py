"""One run being looked into: its index, its decisions, and how it goes on."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Mapping
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from seedbed.decisions import Decisions, read_decisions
from seedbed.errors import DatasetError, SeedbedError, StorageError
from seedbed.folder import RunFolder
from seedbed.forecast import JUDGE
from seedbed.records import JSON
from seedbed.view.agreement import agreement
from seedbed.view.conversation import conversation
from seedbed.view.filters import Filters
from seedbed.view.indexing import IndexState
from seedbed.view.items import find, neighbours, whole
from seedbed.view.judging import decide
from seedbed.view.lineage import family
from seedbed.view.queries import Sort, facets, page, score_names
from seedbed.view.schema import connect
from seedbed.view.status import RunWatch
from seedbed.view.worker import Worker

T = TypeVar("T")

PAUSE = 1.0
"""Seconds between two looks at files in which nothing was new."""

NEIGHBOURS = 8


class Viewer:
    """Answers the page's questions; each in a thread, with a connection of its own.

    `follow` has to run beside it: it keeps the index up with the run.
    """

    def __init__(self, folder: RunFolder, place: Path) -> None:
        self.folder = folder
        self._watch = RunWatch(folder)
        self._worker = Worker(folder, place)
        self._state: IndexState | None = None
        self._ready = asyncio.Event()
        self._facets: dict[tuple[str, int, int, Filters], dict[str, JSON]] = {}
        self.problem = ""
        try:
            self._decisions = read_decisions(folder.decisions)
            self.locked = ""
        except DatasetError as error:
            self._decisions = Decisions()
            self.locked = f"{error} {error.hint}"

    async def follow(self) -> None:
        """Keep the index up with the run's files, for ever."""
        try:
            while True:
                await asyncio.to_thread(self._watch.look)
                self._state = await self._worker.step(live=self._watch.live)
                self._ready.set()
                if self._state.idle:
                    await asyncio.sleep(PAUSE)
        except BrokenProcessPool:
            self.problem = "The process that indexes has died. Start `seedbed view` again."
            self._ready.set()

    def close(self) -> None:
        self._worker.close()

    async def run(self) -> dict[str, JSON]:
        """How the run and the index are."""
        state = await self._index()
        scores = await self._ask(score_names)
        config = await asyncio.to_thread(self._config)
        return self._watch.to_json() | {
            "index": state.to_json(),
            "scores": scores,
            "config": config,
            "problem": self.problem or self._watch.problem,
            "locked": self.locked,
        }

    async def page(self, filters: Filters, sort: Sort) -> dict[str, JSON]:
        found = await self._ask(lambda database: page(database, filters, sort))
        return found | {"version": (await self._index()).version}

    async def facets(self, filters: Filters) -> dict[str, JSON]:
        state = await self._index()
        key = (state.path, state.examples, state.drops, filters)
        if key not in self._facets:
            found: dict[str, JSON] = await self._ask(lambda database: facets(database, filters))
            if filters.judged or len(self._facets) >= 64:
                self._facets.clear()
            self._facets[key] = found
        return self._facets[key]

    async def item(self, key: str, *, full: bool) -> dict[str, JSON]:
        def look(database: sqlite3.Connection) -> dict[str, JSON]:
            return whole(database, key, full=full, judged=self._judged, decisions=self._decisions)

        return await self._ask(look)

    async def conversation(self, key: str) -> dict[str, JSON]:
        _, item, _ = await self._ask(lambda database: find(database, key))
        return await asyncio.to_thread(conversation, self.folder.journal, item.texts("calls"))

    async def lineage(self, key: str) -> dict[str, JSON]:
        def look(database: sqlite3.Connection) -> dict[str, JSON]:
            number, item, _ = find(database, key)
            return family(database, item.row, number)

        return await self._ask(look)

    async def neighbours(self, key: str) -> list[JSON]:
        _, item, _ = await self._ask(lambda database: find(database, key))
        if item.dropped:
            return []
        found = await self._worker.nearest(item.instruction_id, item.instruction, NEIGHBOURS)
        return await self._ask(lambda database: neighbours(database, found))

    async def agreement(self) -> dict[str, JSON]:
        return await self._ask(lambda database: agreement(database, judged=self._judged))

    async def decide(self, key: str, asked: Mapping[str, JSON]) -> JSON:
        """Keep a decision.

        Raises:
            SeedbedError: it is none, or cannot be kept.
        """
        if self.locked:
            raise StorageError(f"No decision is kept: {self.locked}")

        def work(database: sqlite3.Connection) -> JSON:
            number, item, _ = find(database, key)
            decision = decide(self.folder, database, item, number, asked)
            self._decisions.add(decision)
            return decision.to_json()

        made = await self._ask(work)
        self._facets.clear()
        return made

    @property
    def _judged(self) -> bool:
        return JUDGE in self._watch.manifest.get("stages", {})

    def _config(self) -> str:
        try:
            return self.folder.config.read_text(encoding="utf-8", errors="replace")[:100_000]
        except OSError:
            return ""

    async def _index(self) -> IndexState:
        await self._ready.wait()
        if self._state is None:
            raise SeedbedError(self.problem)
        return self._state

    async def _ask(self, look: Callable[[sqlite3.Connection], T]) -> T:
        state = await self._index()

        def work() -> T:
            with closing(connect(Path(state.path))) as database:
                return look(database)

        return await asyncio.to_thread(work)
