from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.models.loads import (
    ANSWER,
    Full,
    Load,
    PerMinute,
    Queueing,
    Rated,
    Scattered,
    now,
    varied,
)
from tests.models.virtual_time import simulate

from seedbed.errors import ConfigError, Overloaded, RateLimited, Stopped
from seedbed.models.allowances import Allowance, Allowances
from seedbed.models.model import FakeModel
from seedbed.models.outage import Outage
from seedbed.models.pacing import Pace
from seedbed.models.retrying import Patience, Retrying
from seedbed.models.throttled import Limits, Throttled
from seedbed.records import Completion, Message, Request


def request(draw: int = 0) -> Request:
    return Request(messages=(Message("user", "Hi"),), draw=draw)


@dataclass(frozen=True, slots=True)
class Result:
    seconds: float
    rate: float
    load: Load
    limit: int


def drive(make: Callable[[], Load], calls: int, limits: Limits | None = None) -> Result:
    """Send `calls` requests as fast as `Throttled` lets them, with retries, in virtual time."""

    async def main() -> Result:
        load = make()
        throttled = Throttled(FakeModel(load), limits=limits, clock=now)
        model = Retrying(throttled, patience=Patience(attempts=50), rng=Random(0), clock=now)
        began = now()
        await asyncio.gather(*(model.complete(request(draw)) for draw in range(calls)))
        assert throttled.in_flight == 0
        return Result(now() - began, calls / (now() - began), load, throttled.limit)

    return simulate(main())


def test_a_server_without_limits_is_saturated_by_default() -> None:
    result = drive(lambda: Queueing(10_000), 2000)
    assert result.load.peak == 256
    assert result.seconds < 1.6 / 0.9


def test_never_more_than_max_in_flight() -> None:
    assert drive(lambda: Queueing(10_000), 500, Limits(max_in_flight=7)).load.peak == 7


def test_scattered_rejections_delay_only_themselves() -> None:
    result = drive(lambda: Scattered(0.1), 500, Limits(max_in_flight=50))
    assert result.seconds < 4
    assert result.limit == 50


def test_rejections_that_come_together_behind_the_successes_stop_nothing() -> None:
    """As where each of them waits for a commit to the journal."""
    result = drive(lambda: Scattered(0.3, after=0.21), 500, Limits(max_in_flight=50))
    assert result.seconds < 4.5
    assert result.limit > 40


def test_a_server_that_rejects_much_out_of_habit_is_not_starved() -> None:
    most = 256 / 0.2 / 1.3
    assert drive(lambda: Scattered(0.3), 20_000).rate > 0.9 * most


def test_a_full_server_is_kept_full_without_a_storm() -> None:
    result = drive(lambda: Full(lambda _: 40), 4000)
    assert result.rate > 0.9 * 200
    assert result.load.rejected < 0.1 * 4000


def test_a_server_that_grows_is_followed() -> None:
    result = drive(lambda: Full(lambda time: 40 if time < 1010 else 160), 10_000)
    assert result.seconds < 20 / 0.9
    assert result.load.rejected < 0.1 * 10_000


def test_answers_of_all_lengths_do_not_mislead() -> None:
    result = drive(lambda: Full(lambda _: 40, varied(2.0)), 4000)
    assert result.rate > 0.9 * 40 / (2.0 * 1.197)


def test_a_rate_is_found_without_being_told() -> None:
    result = drive(lambda: Rated(20), 600)
    assert result.rate > 0.9 * 20
    assert result.load.rejected < 0.35 * 600


def test_a_queue_is_fed_but_not_flooded() -> None:
    result = drive(lambda: Queueing(40, varied(2.0)), 4000)
    assert result.rate > 0.9 * 40 / (2.0 * 1.197)
    assert result.limit < 256


def test_a_limit_per_minute_is_waited_for_as_long_as_asked() -> None:
    result = drive(lambda: PerMinute(500), 2000)
    assert result.seconds < 20 + 3 * 60 + 5
    assert result.load.rejected < 2000


def test_a_quota_that_comes_back_tomorrow_is_not_asked_for_all_day() -> None:
    """After the last answer of a day a handful is refused, and all others wait for the next."""
    day, most, refused = 86_400.0, 100, 0
    answered: Counter[int] = Counter()

    async def answer(_: Request) -> Completion:
        nonlocal refused
        today = int(now() // day)
        if answered[today] >= most:
            refused += 1
            raise RateLimited("HTTP 429", retry_after=(today + 1) * day - now())
        answered[today] += 1
        await asyncio.sleep(1)
        return ANSWER

    async def main() -> None:
        throttled = Throttled(FakeModel(answer), clock=now)
        model = Retrying(throttled, patience=Patience(seconds=2 * day), clock=now)
        await asyncio.gather(*(model.complete(request(draw)) for draw in range(1000)))

    simulate(main())
    assert answered == dict.fromkeys(range(10), most)
    assert refused < 9 * most


def test_a_burst_before_there_was_a_pace_is_no_debt() -> None:
    pace = Pace()
    pace.gap = 10.0
    for _ in range(3000):
        pace.sent(1000.0)
    pace.on = True
    assert pace.delay(1001.0) == 0
    pace.sent(1001.0)
    pace.sent(1001.0)
    assert 0 <= pace.delay(1001.0) <= 20


def test_first_come_first_served() -> None:
    order: list[int] = []

    async def note(asked: Request) -> Completion:
        order.append(asked.draw)
        await asyncio.sleep(1)
        return ANSWER

    async def main() -> None:
        model = Throttled(FakeModel(note), limits=Limits(max_in_flight=1), clock=now)
        await asyncio.gather(*(model.complete(request(draw)) for draw in range(20)))

    simulate(main())
    assert order == list(range(20))


@pytest.mark.parametrize(
    ("limits", "minutes"),
    [
        (Limits(requests_per_minute=60), 5),
        (Limits(tokens_per_minute=60 * 230), 5),
        (Limits(requests_per_minute=3), 100),
    ],
)
def test_stated_rates_are_used_and_not_passed(limits: Limits, minutes: int) -> None:
    times: list[float] = []

    async def note(_: Request) -> Completion:
        times.append(now())
        await asyncio.sleep(1)
        return ANSWER

    async def main() -> None:
        model = Throttled(FakeModel(note), limits=limits, clock=now)
        await asyncio.gather(*(model.complete(request(draw)) for draw in range(300)))

    simulate(main())
    assert times[-1] - times[0] < 60 * minutes * 1.05
    per_minute = limits.requests_per_minute
    if per_minute:
        for start in times:
            assert sum(start <= time < start + 60 for time in times) <= per_minute * 1.02 + 2


def test_a_used_up_allowance_holds_calls_until_its_reset() -> None:
    async def main() -> float:
        allowances = Allowances()
        model = Throttled(FakeModel(Load()), allowances=allowances, clock=now)
        await model.complete(request())
        allowances.requests = Allowance(remaining=0, reset=30.0, limit=500)
        allowances.version += 1
        began = now()
        await model.complete(request())
        return now() - began

    assert simulate(main()) == pytest.approx(30.2, abs=0.01)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), calls=st.integers(1, 60), most=st.integers(1, 8))
def test_cancelled_calls_leak_no_permits(seed: int, calls: int, most: int) -> None:
    rng = Random(seed)
    peak = in_flight = 0

    async def answer(_: Request) -> Completion:
        nonlocal peak, in_flight
        in_flight += 1
        peak = max(peak, in_flight)
        try:
            await asyncio.sleep(rng.random())
            if rng.random() < 0.2:
                raise Overloaded("HTTP 503")
            return ANSWER
        finally:
            in_flight -= 1

    async def main() -> None:
        model = Throttled(FakeModel(answer), limits=Limits(max_in_flight=most), clock=now)
        tasks = [asyncio.create_task(model.complete(request(draw))) for draw in range(calls)]
        for task in tasks:
            if rng.random() < 0.5:
                asyncio.get_running_loop().call_later(3 * rng.random(), task.cancel)
        await asyncio.gather(*tasks, return_exceptions=True)
        assert model.in_flight == 0
        await asyncio.gather(
            *(model.complete(request(draw)) for draw in range(most)), return_exceptions=True
        )

    simulate(main())
    assert peak <= most


def test_a_call_cancelled_just_as_its_turn_comes_gives_the_turn_on() -> None:
    async def main() -> None:
        model = Throttled(FakeModel(Load()), limits=Limits(max_in_flight=1), clock=now)

        async def first_then_cancel() -> None:
            await model.complete(request(0))
            second.cancel()

        first = asyncio.create_task(first_then_cancel())
        second = asyncio.create_task(model.complete(request(1)))
        third = asyncio.create_task(model.complete(request(2)))
        await asyncio.gather(first, second, third, return_exceptions=True)
        assert second.cancelled()
        assert third.result() == ANSWER
        assert model.in_flight == 0

    simulate(main())


def test_whose_turn_was_long_in_coming_keeps_its_place_when_it_is_refused() -> None:
    """At a minute for each call: what all others wait for does not queue for another hour."""
    order: list[int] = []

    async def answer(asked: Request) -> Completion:
        order.append(asked.draw)
        await asyncio.sleep(60)
        if asked.draw == 5 and order.count(5) == 1:
            raise Overloaded("HTTP 503")
        return ANSWER

    async def main() -> None:
        throttled = Throttled(FakeModel(answer), limits=Limits(max_in_flight=1), clock=now)
        model = Retrying(throttled, rng=Random(0), clock=now)
        await asyncio.gather(*(model.complete(request(draw)) for draw in range(60)))

    simulate(main())
    assert order == [*range(7), 5, *range(7, 60)]


def test_an_outage_is_met_by_few_however_many_wait_for_their_turn() -> None:
    """Ten minutes of 503, thousands in the queue: they are not sent out to fail one by one."""
    failed = 0

    async def answer(_: Request) -> Completion:
        nonlocal failed
        await asyncio.sleep(0.2)
        if 1010 <= now() < 1610:
            failed += 1
            raise Overloaded("HTTP 503")
        return ANSWER

    async def main() -> float:
        outage = Outage(clock=now)
        limits = Limits(max_in_flight=40)
        throttled = Throttled(FakeModel(answer), limits=limits, outage=outage, clock=now)
        model = Retrying(throttled, outage=outage, rng=Random(0))
        await asyncio.gather(*(model.complete(request(draw)) for draw in range(5000)))
        return now()

    assert simulate(main()) < 1700
    assert failed < 40 + 40


def test_the_one_that_tries_in_an_outage_does_not_queue_behind_all_others() -> None:
    """At three calls a minute and a thousand in the queue, which would else be served for hours."""
    answered: list[float] = []

    async def answer(_: Request) -> Completion:
        await asyncio.sleep(0.2)
        if 1100 <= now() < 8000:
            raise Overloaded("HTTP 503")
        answered.append(now())
        return ANSWER

    async def main() -> None:
        outage = Outage(clock=now)
        limits = Limits(requests_per_minute=3)
        throttled = Throttled(FakeModel(answer), limits=limits, outage=outage, clock=now)
        patience = Patience(seconds=8000)
        model = Retrying(throttled, patience=patience, outage=outage, rng=Random(0))
        calls = [asyncio.create_task(model.complete(request(draw))) for draw in range(1000)]
        await asyncio.sleep(7500)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)

    simulate(main())
    assert 8000 <= min(time for time in answered if time > 1100) < 8070


def test_after_stop_nothing_is_sent_and_calls_in_flight_end() -> None:
    async def main() -> list[Completion | BaseException]:
        model = Throttled(FakeModel(Load()), limits=Limits(max_in_flight=2), clock=now)
        calls = asyncio.gather(
            *(model.complete(request(draw)) for draw in range(5)), return_exceptions=True
        )
        await asyncio.sleep(0.1)
        model.stop()
        with pytest.raises(Stopped):
            await model.complete(request(9))
        return await calls

    answers = simulate(main())
    assert [type(answer) for answer in answers] == [Completion] * 2 + [Stopped] * 3
    assert not any(answer.maybe_paid for answer in answers if isinstance(answer, Stopped))


def test_a_dead_server_gets_few_calls_for_nothing() -> None:
    """A server that rejects everything: pauses grow, and only probes go out."""

    async def main() -> int:
        calls = 0

        async def reject(_: Request) -> Completion:
            nonlocal calls
            calls += 1
            await asyncio.sleep(0.005)
            raise RateLimited("HTTP 429")

        throttled = Throttled(FakeModel(reject), clock=now)
        model = Retrying(throttled, patience=Patience(attempts=10**6, seconds=1e9), clock=now)
        tasks = [asyncio.create_task(model.complete(request(draw))) for draw in range(500)]
        await asyncio.sleep(600)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return calls

    assert simulate(main()) < 500


@pytest.mark.parametrize("name", ["max_in_flight", "start", "requests_per_minute"])
def test_a_limit_of_nothing_is_refused(name: str) -> None:
    nothing: Any = {name: 0}
    with pytest.raises(ConfigError, match=name):
        Limits(**nothing)
