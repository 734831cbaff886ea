"""Levels on a server that changes what it allows: 40 at once, 160 at once, 20 a second."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import cache
from random import Random

import pytest
from tests.models.loads import USUAL, Changing, Full, Load, Rated, now, varied
from tests.models.virtual_time import simulate

from seedbed.models.model import FakeModel
from seedbed.models.retrying import Patience, Retrying
from seedbed.models.throttled import Throttled
from seedbed.records import Message, Request

EVEN = {"the same length": USUAL, "many lengths": varied(0.5)}
SECONDS = {"the same length": 0.2, "many lengths": 0.5 * 1.197}
"""Mean length of an answer."""


@cache
def changed(answers: str) -> Changing:
    """A thousand callers who always want more, for the server's three minutes."""

    async def main() -> Changing:
        load = Changing(EVEN[answers])
        throttled = Throttled(FakeModel(load), clock=now)
        model = Retrying(throttled, patience=Patience(attempts=10**6), rng=Random(0), clock=now)

        async def want(caller: int) -> None:
            for draw in range(10**6):
                await model.complete(Request(messages=(Message("user", str(caller)),), draw=draw))

        callers = [asyncio.create_task(want(caller)) for caller in range(1000)]
        await asyncio.sleep(3 * Changing.SECONDS)
        for caller in callers:
            caller.cancel()
        await asyncio.gather(*callers, return_exceptions=True)
        return load

    return simulate(main())


@pytest.mark.parametrize("answers", EVEN)
def test_each_phase_brings_nine_tenths_of_what_the_server_allows(answers: str) -> None:
    load, seconds = changed(answers), SECONDS[answers]
    for start, allowed in ((0, 40 / seconds), (60, 160 / seconds), (120, 20.0)):
        assert load.between(load.answered, start, start + 60) > 0.9 * allowed


@pytest.mark.parametrize("answers", EVEN)
def test_more_room_is_noticed_within_seconds(answers: str) -> None:
    load = changed(answers)
    assert load.between(load.answered, 68, 70) > 0.85 * 160 / SECONDS[answers]


@pytest.mark.parametrize("answers", EVEN)
def test_a_limit_that_falls_from_800_to_20_a_second_makes_no_storm(answers: str) -> None:
    """A thousand callers that each retried within a second would be a thousand rejections."""
    load = changed(answers)
    assert max(load.rejections.values()) < 320
    assert load.between(load.rejections, 125, 180) < 20


@pytest.mark.parametrize("answers", EVEN)
def test_a_full_server_rejects_few_while_it_is_kept_full(answers: str) -> None:
    load = changed(answers)
    for start in (5, 65):
        rejections = load.between(load.rejections, start, start + 55)
        assert rejections < 0.15 * load.between(load.answered, start, start + 55)


def rejections_per_call(make: Callable[[], Load], calls: int) -> float:
    async def main() -> float:
        load = make()
        throttled = Throttled(FakeModel(load), clock=now)
        model = Retrying(throttled, patience=Patience(attempts=10**6), rng=Random(0), clock=now)
        requests = [Request(messages=(Message("user", "Hi"),), draw=draw) for draw in range(calls)]
        await asyncio.gather(*map(model.complete, requests))
        return load.rejected / calls

    return simulate(main())


def test_the_few_places_of_a_small_server_are_not_fought_for() -> None:
    assert rejections_per_call(lambda: Full(lambda _: 5, varied(2.0)), 1000) < 0.7


def test_a_slow_rate_is_not_fought_for() -> None:
    assert rejections_per_call(lambda: Rated(2, varied(2.0)), 300) < 1.5
