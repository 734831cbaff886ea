from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from random import Random

import pytest
from tests.models.virtual_time import simulate

from seedbed.errors import (
    AccessDenied,
    ConfigError,
    Garbled,
    ModelError,
    Overloaded,
    RateLimited,
    Stopped,
    TimedOut,
    Transient,
    Unreachable,
)
from seedbed.models.model import FakeModel
from seedbed.models.retrying import Patience, Retrying
from seedbed.records import Completion, Message, Request

REQUEST = Request(messages=(Message("user", "Hi"),))
GOOD = Completion(text="x")


def now() -> float:
    return asyncio.get_running_loop().time()


class Script:
    """Plays errors in turn, then answers; remembers when it was asked."""

    def __init__(self, errors: Sequence[ModelError] = ()) -> None:
        self.errors = list(errors)
        self.times: list[float] = []

    async def __call__(self, _: Request) -> Completion:
        self.times.append(now())
        if self.errors:
            raise self.errors.pop(0)
        return GOOD


def retry(script: Script, patience: Patience | None = None) -> Completion:
    model = Retrying(FakeModel(script), patience=patience, rng=Random(0), clock=now)
    return simulate(model.complete(REQUEST))


def waits(script: Script) -> list[float]:
    return [after - before for before, after in zip(script.times, script.times[1:], strict=False)]


def test_a_transient_error_is_tried_again() -> None:
    script = Script([Overloaded("HTTP 503"), RateLimited("HTTP 429")])
    assert retry(script) == GOOD
    assert len(script.times) == 3


def test_waits_double_with_jitter() -> None:
    script = Script([Overloaded("HTTP 503")] * 5)
    retry(script)
    for step, wait in enumerate(waits(script)):
        assert 0.25 * 2**step <= wait <= 0.5 * 2**step


def test_the_servers_wish_is_honoured_as_long_as_patience_lasts() -> None:
    """A quota that comes back at midnight: one wait, and not as many tries as minutes."""
    script = Script([RateLimited("429", retry_after=3.0), RateLimited("429", retry_after=30_000.0)])
    retry(script, Patience(longest_wait=20.0, seconds=40_000.0))
    first, second = waits(script)
    assert 3.0 <= first <= 3.3
    assert 30_000.0 <= second <= 30_010.0


def test_what_is_not_transient_is_raised_at_once() -> None:
    script = Script([AccessDenied("HTTP 401")])
    with pytest.raises(AccessDenied):
        retry(script)
    assert len(script.times) == 1


def test_attempts_are_bounded_and_the_end_says_how_to_go_on() -> None:
    script = Script([RateLimited("HTTP 429")] * 99)
    with pytest.raises(RateLimited) as caught:
        retry(script, Patience(attempts=4))
    assert len(script.times) == 4
    assert "4 times" in caught.value.hint
    assert "kept" in caught.value.hint


def test_a_wait_longer_than_all_patience_is_not_begun() -> None:
    script = Script([RateLimited("HTTP 429", retry_after=86_400.0)])
    with pytest.raises(RateLimited) as caught:
        retry(script)
    assert "86400 s" in caught.value.hint
    assert len(script.times) == 1


def test_attempts_that_may_have_been_paid_are_counted_and_bounded() -> None:
    lost = [TimedOut("no", maybe_paid=True), Overloaded("503"), Garbled("no", maybe_paid=True)]
    assert retry(Script(lost)).usage.doubtful == 2
    with pytest.raises(Garbled):
        retry(Script([Garbled("no", maybe_paid=True)] * 99), Patience(paid_attempts=3))


def test_a_final_error_remembers_that_an_earlier_attempt_may_have_been_paid() -> None:
    with pytest.raises(AccessDenied) as caught:
        retry(Script([TimedOut("no", maybe_paid=True), AccessDenied("HTTP 401")]))
    assert caught.value.maybe_paid


def test_nobody_waits_longer_than_patience_lasts() -> None:
    script = Script([Unreachable("cannot connect")] * 99)
    with pytest.raises(Unreachable):
        retry(script, Patience(seconds=1.0))
    assert max(script.times) - 1000 < 1.5


def test_tries_that_the_server_asks_for_count_a_quarter() -> None:
    """It says when it will take the request: full minutes are no reason to give up."""
    script = Script([RateLimited("HTTP 429", retry_after=30.0)] * 99)
    with pytest.raises(RateLimited):
        retry(script, Patience(attempts=4))
    assert len(script.times) == 16


class Silent:
    """Takes every request, and answers none of them while it is silent."""

    def __init__(self, *, begin: float, end: float) -> None:
        self.begin, self.end = begin, end
        self.lost = 0

    async def __call__(self, request: Request) -> Completion:
        await asyncio.sleep(1)
        if self.begin <= now() - 1000 < self.end or request.draw == BAD:
            await asyncio.sleep(300)
            self.lost += 1
            raise TimedOut("no answer", maybe_paid=True)
        return GOOD


BAD = 99


def one_by_one(endpoint: Silent, draws: Sequence[int], patience: Patience) -> list[Completion]:
    async def main() -> list[Completion]:
        model = Retrying(FakeModel(endpoint), patience=patience, rng=Random(0), clock=now)
        return [await model.complete(replace(REQUEST, draw=draw)) for draw in draws]

    return simulate(main())


def test_a_long_silence_is_an_outage_however_few_ask() -> None:
    """One request at a time: its attempts are not used up by what is nobody's fault."""
    endpoint = Silent(begin=10, end=2 * 3600)
    answers = one_by_one(endpoint, range(60), Patience(seconds=3 * 3600))
    assert [answer.text for answer in answers] == ["x"] * 60
    assert endpoint.lost == sum(answer.usage.doubtful for answer in answers) < 30


def test_a_silence_that_outlasts_all_patience_ends_the_run() -> None:
    endpoint = Silent(begin=10, end=1e9)
    with pytest.raises(TimedOut) as caught:
        one_by_one(endpoint, range(60), Patience(seconds=3600))
    assert "for too long" in caught.value.hint
    assert endpoint.lost < 20


def test_a_request_that_alone_is_never_answered_uses_up_its_attempts() -> None:
    endpoint = Silent(begin=0, end=0)

    async def main() -> None:
        model = Retrying(FakeModel(endpoint), rng=Random(0), clock=now)
        bad = asyncio.create_task(model.complete(replace(REQUEST, draw=BAD)))
        for draw in range(5000):
            if bad.done():
                break
            await model.complete(replace(REQUEST, draw=draw % BAD))
        with pytest.raises(TimedOut):
            await bad

    simulate(main())
    assert endpoint.lost == Patience().paid_attempts


class Endpoint:
    """Down between two times."""

    def __init__(self, *, down: float, up: float) -> None:
        self.down, self.up = down, up
        self.failed = 0

    async def __call__(self, _: Request) -> Completion:
        await asyncio.sleep(0.01)
        if self.down <= now() - 1000 < self.up:
            self.failed += 1
            raise Unreachable("cannot connect")
        return GOOD


def crowd(endpoint: Endpoint, patience: Patience) -> list[Completion | BaseException]:
    """200 requests, twenty per second."""

    async def main() -> list[Completion | BaseException]:
        model = Retrying(FakeModel(endpoint), patience=patience, rng=Random(0), clock=now)

        async def later(number: int) -> Completion:
            await asyncio.sleep(number / 20)
            return await model.complete(REQUEST)

        return await asyncio.gather(*map(later, range(200)), return_exceptions=True)

    return simulate(main())


def test_an_outage_is_probed_by_one_and_survived_by_all() -> None:
    endpoint = Endpoint(down=1, up=301)
    answers = crowd(endpoint, Patience(attempts=3))
    assert answers == [GOOD] * 200
    assert endpoint.failed < 40


def test_an_outage_that_lasts_ends_the_run() -> None:
    endpoint = Endpoint(down=1, up=1e9)
    answers = crowd(endpoint, Patience(attempts=3, seconds=100))
    errors = [answer for answer in answers if isinstance(answer, Unreachable)]
    assert len(errors) > 100
    assert all("run again" in error.hint for error in errors)


def test_an_endpoint_that_never_answered_is_given_up_sooner() -> None:
    async def main() -> float:
        endpoint = Endpoint(down=0, up=1e9)
        model = Retrying(FakeModel(endpoint), rng=Random(0), clock=now)
        with pytest.raises(Unreachable):
            await asyncio.gather(*(model.complete(REQUEST) for _ in range(20)))
        return now() - 1000

    assert 30 <= simulate(main()) <= 90


def test_rate_limits_are_no_outage() -> None:
    """Every request keeps its own attempts: the server lives."""
    script = Script([RateLimited("HTTP 429")] * 30)

    async def main() -> list[Completion]:
        model = Retrying(FakeModel(script), rng=Random(0), clock=now)
        return await asyncio.gather(*(model.complete(REQUEST) for _ in range(30)))

    assert simulate(main()) == [GOOD] * 30
    assert max(script.times) - min(script.times) < 1


def test_a_probe_that_is_cancelled_hands_its_turn_on() -> None:
    endpoint = Endpoint(down=0, up=5)

    async def main() -> None:
        patience = Patience(outage_after=1)
        model = Retrying(FakeModel(endpoint), patience=patience, rng=Random(0), clock=now)
        tasks = [asyncio.create_task(model.complete(REQUEST)) for _ in range(3)]
        await asyncio.sleep(1)
        tasks[0].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert tasks[1].result() == tasks[2].result() == GOOD

    simulate(main())


def test_stop_ends_waits_at_once() -> None:
    async def main() -> float:
        script = Script([TimedOut("no", maybe_paid=True)] + [Overloaded("no", retry_after=50)] * 9)
        model = Retrying(FakeModel(script), rng=Random(0), clock=now)
        task = asyncio.create_task(model.complete(REQUEST))
        await asyncio.sleep(2)
        model.stop()
        with pytest.raises(Stopped) as caught:
            await task
        assert caught.value.maybe_paid
        return now() - 1000

    assert simulate(main()) < 2.1


@pytest.mark.parametrize("name", ["attempts", "paid_attempts", "outage_after"])
def test_no_attempt_at_all_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=name):
        Patience(**{name: 0})


def test_every_kind_of_transient_error_is_tried_again() -> None:
    for kind in Transient.__subclasses__():
        assert retry(Script([kind("no")])) == GOOD
