"""As many calls at once as the server can use, and no more than it allows."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count

from seedbed.errors import ConfigError, ModelError, RateLimited, Stopped, Transient, Unreachable
from seedbed.models.allowances import Allowances
from seedbed.models.level import Level
from seedbed.models.model import Model
from seedbed.models.outage import Outage
from seedbed.models.quota import Quota
from seedbed.models.steady import Steady
from seedbed.records import Completion, Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a user knows of a server's limits; None where it is found out.

    Args:
        max_in_flight: never more calls at once than this.
        start: calls at once to begin with.
        requests_per_minute: as the provider states it.
        tokens_per_minute: as the provider states it, prompt and completion together.
        steady: always `max_in_flight`, where there is nothing to find out.

    Raises:
        ConfigError: a limit that would let nothing through.
    """

    max_in_flight: int = 256
    start: int = 32
    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None
    steady: bool = False

    def __post_init__(self) -> None:
        for name, value in (
            ("max_in_flight", self.max_in_flight),
            ("start", self.start),
            ("requests_per_minute", self.requests_per_minute),
            ("tokens_per_minute", self.tokens_per_minute),
        ):
            if value is not None and not value > 0:
                raise ConfigError(f"{name} = {value}: expected more than 0")


_LONG = 60.0
"""Seconds in the queue; where it is quickly passed, another time costs nothing."""


class Throttled:
    """Holds calls back until there is room for them.

    Conversations that have got farthest go first, among equals the first to come: so what was
    begun is finished before more is begun, and a run that ends early has made examples, not drafts.
    Whose turn was long in coming, and who is refused then, keeps the place that it had: results
    are consumed in order, and all of them wait for the first.
    Room is what `Level` finds out about concurrency and what `Quota` knows about rates.

    Args:
        model: what is asked.
        limits: what is known of the server.
        allowances: what the server's headers say; the same object that the `ChatModel` fills.
        outage: shared with the `Retrying` outside. While it lasts, only the request that tries is
            sent: thousands may wait here when it begins, and would go out only to fail.
        clock: seconds from any start, at the pace of the event loop.
    """

    def __init__(
        self,
        model: Model,
        /,
        *,
        limits: Limits | None = None,
        allowances: Allowances | None = None,
        outage: Outage | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        limits = limits or Limits()
        self._model = model
        self._clock = clock
        self._level: Level | Steady = (
            Steady(most=limits.max_in_flight)
            if limits.steady
            else Level(start=limits.start, most=limits.max_in_flight)
        )
        self._quota = Quota(
            requests_per_minute=limits.requests_per_minute,
            tokens_per_minute=limits.tokens_per_minute,
            allowances=allowances or Allowances(),
            now=clock(),
        )
        self._outage = outage or Outage()
        self._outage.over.append(self._serve)
        self._waiting: list[tuple[tuple[int, int, int], asyncio.Future[bool], int]] = []
        self._arrivals = count(1)
        self._places: dict[int, int] = {}
        self._stopped = False
        self._alarm: asyncio.TimerHandle | None = None
        self.in_flight = 0

    @property
    def name(self) -> str:
        return self._model.name

    @property
    def limit(self) -> int:
        """How many calls may be in flight now."""
        return self._level.limit(self._clock())

    def stop(self) -> None:
        """Send nothing any more; calls in flight come to their end."""
        self._stopped = True
        while self._waiting:
            _, turn, _ = heappop(self._waiting)
            if not turn.done():
                turn.set_result(False)

    async def complete(self, request: Request, /) -> Completion:
        """Answer one request when it is its turn.

        Raises:
            Stopped: the run ends, and this request was not sent.
            ModelError: whatever the model raises.
        """
        tokens = self._quota.expected(request)
        place = self._places.pop(id(request), None) or next(self._arrivals)
        came = self._clock()
        rank = (-len(request.messages), place, next(self._arrivals))
        await self._enter(tokens, rank=rank, first=request is self._outage.trying)
        sent = self._clock()
        try:
            completion = await self._model.complete(request)
        except ModelError as error:
            self._quota.settle(tokens, tokens if error.maybe_paid else 0)
            if sent - came > _LONG:
                self._places[id(request)] = place
            if isinstance(error, Transient) and not isinstance(error, Unreachable):
                self._level.troubled(
                    self._clock(),
                    sent=sent,
                    in_flight=self.in_flight - 1,
                    rejected=isinstance(error, RateLimited),
                    retry_after=error.retry_after,
                )
            raise
        else:
            now = self._clock()
            usage = completion.usage
            if usage.reported:
                self._quota.settle(tokens, usage.prompt_tokens + usage.completion_tokens)
            self._level.answered(now, sent=sent, in_flight=self.in_flight - 1)
            return completion
        finally:
            self._leave()

    async def _enter(self, tokens: int, *, rank: tuple[int, int, int], first: bool) -> None:
        if self._stopped:
            raise _stopped()
        if not first and (self._waiting or self._delay() != 0):
            turn: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
            heappush(self._waiting, (rank, turn, tokens))
            self._serve()
            try:
                sends = await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled() and turn.result():
                    self._leave()
                else:
                    self._serve()
                raise
            if not sends:
                raise _stopped()
        else:
            self._admit(tokens)

    def _admit(self, tokens: int) -> None:
        self.in_flight += 1
        self._level.sent(self._clock())
        self._quota.sent(tokens)

    def _leave(self) -> None:
        self.in_flight -= 1
        self._serve()

    def _delay(self) -> float | None:
        """Seconds until a call may be sent; None if only another call's end can tell."""
        if self._outage.open:
            return None
        now = self._clock()
        level = self._level.delay(now, in_flight=self.in_flight)
        return None if level is None else max(level, self._quota.delay(now))

    def _serve(self) -> None:
        """Let in those who wait, in their order, and set an alarm if only time is missing."""
        while self._waiting:
            _, turn, tokens = self._waiting[0]
            if not turn.done():
                delay = self._delay()
                if delay != 0:
                    if delay is not None:
                        self._wake_after(delay)
                    return
                self._admit(tokens)
                turn.set_result(True)
            heappop(self._waiting)

    def _wake_after(self, delay: float) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time() + delay
        if self._alarm and not self._alarm.cancelled() and loop.time() < self._alarm.when() <= due:
            return
        if self._alarm:
            self._alarm.cancel()
        self._alarm = loop.call_at(due, self._serve)


def _stopped() -> Stopped:
    return Stopped("the run is ending; this request was not sent")
