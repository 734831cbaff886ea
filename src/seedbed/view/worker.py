"""The process that indexes, so that the pages never wait for it."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from seedbed.folder import RunFolder
from seedbed.view.indexing import Indexer, IndexState

T = TypeVar("T")

GIVES_WAY = 10
"""How nice the worker is to other processes while it does what nobody waits for."""

_indexers: list[Indexer] = []
"""Inside of the worker: its one indexer."""


class Worker:
    """One process with an `Indexer`; what is asked of it is done one after the other.

    Raises (in `step` and `nearest`):
        BrokenProcessPool: the process died.
    """

    def __init__(self, folder: RunFolder, place: Path) -> None:
        self._pool = ProcessPoolExecutor(
            max_workers=1,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_start,
            initargs=(folder.path, place),
        )

    async def step(self, *, live: bool) -> IndexState:
        return await self._ask(_step, live)

    async def nearest(self, name: str, text: str, count: int) -> list[tuple[str, float]]:
        return await self._ask(_nearest, name, text, count)

    async def _ask(self, work: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work, *arguments)

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)


def _start(folder: Path, place: Path) -> None:
    """The worker leaves Ctrl-C to the server, and dies with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_follow_parent, daemon=True).start()
    _indexers.append(Indexer(RunFolder(folder), place))


def _follow_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _step(live: bool) -> IndexState:
    """Once all is read and similarities are computed, give way to everything else."""
    state = _indexers[0].step(live=live)
    if sys.platform != "win32" and state.similarities and os.nice(0) < GIVES_WAY:
        os.nice(GIVES_WAY)
    return state


def _nearest(name: str, text: str, count: int) -> list[tuple[str, float]]:
    return _indexers[0].nearest(name, text, count)
