"""Order in is order out, whatever the timing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedbed.streams import ordered, rng


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 3), max_size=30), st.integers(1, 8))
def test_results_come_in_the_order_of_the_items(delays: list[int], limit: int) -> None:
    async def work(item: tuple[int, int]) -> int:
        for _ in range(item[1]):
            await asyncio.sleep(0)
        return item[0]

    async def run() -> list[int]:
        return [number async for number in ordered(work, enumerate(delays), limit=limit)]

    assert asyncio.run(run()) == list(range(len(delays)))


def test_no_more_than_the_limit_is_under_way() -> None:
    under_way, most = 0, 0

    async def work(item: int) -> int:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.001 * (item % 3))
        under_way -= 1
        return item

    async def run() -> list[int]:
        return [number async for number in ordered(work, range(40), limit=7)]

    asyncio.run(run())
    assert most == 7


def test_one_slow_item_does_not_idle_the_others() -> None:
    finished: list[int] = []
    gate = asyncio.Event()

    async def work(item: int) -> int:
        if item == 0:
            await gate.wait()
        finished.append(item)
        if len(finished) == 9:
            gate.set()
        return item

    async def run() -> list[int]:
        return [number async for number in ordered(work, range(20), limit=10)]

    assert asyncio.run(asyncio.wait_for(run(), 5)) == list(range(20))


def test_an_error_ends_the_stream_at_once_and_cancels_the_rest() -> None:
    cancelled = 0

    async def work(item: int) -> int:
        nonlocal cancelled
        if item == 3:
            raise ValueError("broken")
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled += 1
            raise
        return item

    async def run() -> None:
        async for _ in ordered(work, range(8), limit=8):
            pass

    with pytest.raises(ValueError, match="broken"):
        asyncio.run(asyncio.wait_for(run(), 5))
    assert cancelled == 7


def test_items_may_come_from_an_async_stream() -> None:
    async def numbers() -> AsyncIterator[int]:
        for number in range(5):
            yield number

    async def double(number: int) -> int:
        return 2 * number

    async def run() -> list[int]:
        return [number async for number in ordered(double, numbers(), limit=2)]

    assert asyncio.run(run()) == [0, 2, 4, 6, 8]


def test_a_generator_is_seeded_by_content_alone() -> None:
    assert isinstance(rng("a", 1), Random)
    assert rng("a", 1).random() == rng("a", 1).random() != rng("a", 2).random()


def test_what_is_finished_is_yielded_before_the_window_is_full() -> None:
    taken: list[int] = []

    async def numbers() -> AsyncIterator[int]:
        for number in range(5):
            taken.append(number)
            yield number
            await asyncio.sleep(0.01)

    async def same(number: int) -> int:
        return number

    async def run() -> list[int]:
        return [len(taken) async for _ in ordered(same, numbers(), limit=100)]

    assert asyncio.run(run())[0] < 5
