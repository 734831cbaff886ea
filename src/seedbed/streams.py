"""Plumbing for async streams. Order in is order out, so replays are exact."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
)
from random import Random
from typing import Generic, TypeVar

from seedbed.records import JSON, digest

T = TypeVar("T")
R = TypeVar("R")


def rng(*parts: JSON) -> Random:
    """A generator seeded by content, so that concurrency cannot change what it yields."""
    return Random(digest(*parts))


async def ordered(
    work: Callable[[T], Awaitable[R]], items: Iterable[T] | AsyncIterable[T], *, limit: int
) -> AsyncGenerator[R, None]:
    """Run `work` on up to `limit` items at once and yield the results in the items' order.

    A slow item holds back what is yielded, not what is started, until `limit` items wait behind
    it: so keep `limit` well above the number of calls that the model takes at once. The first
    error ends the stream and cancels the rest, even if it belongs to a later item.
    """
    source = aiter(items) if isinstance(items, AsyncIterable) else aiter(_each(items))
    running: deque[asyncio.Task[R]] = deque()
    failed: asyncio.Future[R] = asyncio.get_running_loop().create_future()

    def watch(task: asyncio.Task[R]) -> None:
        if not task.cancelled() and (error := task.exception()) and not failed.done():
            failed.set_exception(error)

    async def first() -> R:
        await asyncio.wait((running[0], failed), return_when=asyncio.FIRST_COMPLETED)
        return failed.result() if failed.done() else running.popleft().result()

    try:
        async for item in source:
            running.append(asyncio.ensure_future(_run(work, item)))
            running[-1].add_done_callback(watch)
            while running and (len(running) >= limit or running[0].done()):
                yield await first()
        while running:
            yield await first()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        failed.cancel() if not failed.done() else failed.exception()


async def _run(work: Callable[[T], Awaitable[R]], item: T) -> R:
    return await work(item)


async def _each(items: Iterable[T]) -> AsyncIterator[T]:
    for item in items:
        yield item


class Background(Generic[R]):
    """Works one after the other, in the order in which they were added, beside their owner.

    A work that fails ends the row: whoever asks for its result, or for a later one, gets its error.
    """

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[R]] = []

    def __len__(self) -> int:
        return len(self._tasks)

    def add(self, work: Callable[[], Awaitable[R]]) -> None:
        before = self._tasks[-1] if self._tasks else None
        self._tasks.append(asyncio.create_task(_after(before, work)))

    async def result(self, number: int) -> R:
        """What work `number`, counted from 0, came to; waits for it."""
        return await asyncio.shield(self._tasks[number])

    async def results(self) -> list[R]:
        """What all works so far came to, in order; waits for them."""
        return [await self.result(number) for number in range(len(self._tasks))]

    async def aclose(self) -> None:
        """Cancel what is not done."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _after(before: asyncio.Task[R] | None, work: Callable[[], Awaitable[R]]) -> R:
    if before is not None:
        await asyncio.wait((before,))
        before.result()
    return await work()
