"""Another try for what is transient, within bounds, and one waiting room for an outage."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from seedbed.errors import ConfigError, ModelError, Stopped, Transient
from seedbed.models.model import Model
from seedbed.models.outage import Outage
from seedbed.records import Completion, Request

_SPREAD = 10.0
"""Seconds over which those who wait for the same moment come back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to hope.

    Args:
        attempts: the most tries of one request while the endpoint answers others. One after which
            the server says when to come back counts a quarter: it will take the request then.
        paid_attempts: the most of them that may have been charged (timed out, broken off).
        seconds: the longest that one request waits in sum unasked, the longest wait that a server
            may ask for, and the longest outage.
        start_seconds: the longest that an outage may last before anything was ever answered:
            then it is rather a wrong address than an outage.
        first_wait: seconds before the second try; each further wait is twice as long.
        longest_wait: seconds that no wait exceeds, unless the server asks for more.
        outage_after: how many calls in a row, of any requests, fail before it is an outage; fewer
            where a request has used up its attempts and nothing was answered meanwhile.

    Raises:
        ConfigError: a value with which nothing could ever be asked.
    """

    attempts: int = 10
    paid_attempts: int = 4
    seconds: float = 900.0
    start_seconds: float = 30.0
    first_wait: float = 0.5
    longest_wait: float = 60.0
    outage_after: int = 8

    def __post_init__(self) -> None:
        for name, value in (
            ("attempts", self.attempts),
            ("paid_attempts", self.paid_attempts),
            ("outage_after", self.outage_after),
        ):
            if value < 1:
                raise ConfigError(f"{name} = {value}: expected 1 or more")


class Retrying:
    """Asks again what failed for a reason that may pass.

    A request waits as long as the server asked, or else twice as long each time, with some jitter
    so that those who failed together do not come back together. It holds nothing while it waits.

    In an outage (nothing but failures, of any request) one request at a time tries while all
    others wait and use up no attempts; the first success lets them go on. Being rate limited is
    not an outage: `Throttled` deals with that.

    Args:
        model: what is asked.
        patience: the bounds.
        outage: shared with the `Throttled` inside, which then sends nothing but what tries.
        rng: where the jitter comes from; it changes no answer.
        clock: seconds from any start, at the pace of the event loop.
    """

    def __init__(
        self,
        model: Model,
        /,
        *,
        patience: Patience | None = None,
        outage: Outage | None = None,
        rng: Random | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._model = model
        self._patience = patience or Patience()
        self._rng = rng or Random()
        self._outage = outage or Outage(after=self._patience.outage_after, clock=clock)
        self._stopped = asyncio.Event()

    @property
    def name(self) -> str:
        return self._model.name

    @property
    def trouble(self) -> str:
        """What the last of several failures in a row said; "" while calls are answered."""
        return self._outage.said if self._outage.failures > 2 else ""

    def stop(self) -> None:
        """Try nothing again; a call in flight comes to its end."""
        self._stopped.set()

    async def complete(self, request: Request, /) -> Completion:
        """Answer one request; its usage says how many earlier attempts may have been charged.

        Raises:
            Transient: the last error, once the bounds are reached.
            Stopped: the run ends before another try.
            ModelError: whatever is not transient, at once. `maybe_paid` is set if any of the
                tries may have been charged.
        """
        tries = _Tries()
        while True:
            if self._outage.open:
                completion = await self._probe(request, tries)
            else:
                completion = await self._try(request, tries)
                if completion is None:
                    await self._sleep(self._next_wait(tries), tries)
            if completion is not None:
                return _counted(completion, tries.doubtful)

    async def _try(self, request: Request, tries: _Tries) -> Completion | None:
        try:
            completion = await self._model.complete(request)
        except Transient as error:
            tries.note(error, answers=self._outage.answers)
            self._outage.note(error)
            return None
        except ModelError as error:
            self._outage.end()
            error.maybe_paid |= tries.doubtful > 0
            raise
        self._outage.end()
        return completion

    async def _probe(self, request: Request, tries: _Tries) -> Completion | None:
        """Wait for the turn to try in an outage; None if it ended meanwhile or goes on."""
        outage = self._outage
        async with outage.turn:
            if not outage.open:
                return None
            await self._sleep(self._jittered(outage.step), tries)
            outage.trying = request
            try:
                completion = await self._try(request, tries)
            finally:
                outage.trying = None
            if self._too_long() and tries.last:
                raise _final(tries, "Nothing but failures for too long.")
            return completion

    def _too_long(self) -> bool:
        outage, patience = self._outage, self._patience
        most = patience.seconds if outage.answers else min(patience.start_seconds, patience.seconds)
        return outage.open and outage.seconds >= most

    async def _sleep(self, seconds: float, tries: _Tries) -> None:
        try:
            await asyncio.wait_for(self._stopped.wait(), seconds)
        except TimeoutError:
            return
        raise Stopped("the run is ending; no further try", maybe_paid=tries.doubtful > 0)

    def _next_wait(self, tries: _Tries) -> float:
        """Seconds until this request's next try.

        Raises:
            Transient: there is no next try.
        """
        error, patience = tries.last, self._patience
        if error is None:
            return 0.0
        asked = error.retry_after
        tries.attempts += 1 if asked is None else 0.25
        tries.paid += error.maybe_paid
        wait = self._jittered(int(tries.attempts) - 1)
        if asked is None:
            tries.waited += wait
        else:
            wait = asked + min(0.1 * asked, _SPREAD) * self._rng.random()
        spent = (
            tries.attempts >= patience.attempts
            or tries.paid >= patience.paid_attempts
            or tries.waited > patience.seconds
        )
        if spent and tries.in_a_row > 1 and self._outage.answers:
            self._outage.begin()
            tries.attempts = tries.paid = tries.waited = 0
        elif spent or (asked or 0.0) > patience.seconds:
            asks = "" if asked is None else f" The server asks to wait {asked:.0f} s."
            raise _final(tries, f"Tried {tries.made} times.{asks}")
        return wait

    def _jittered(self, step: int) -> float:
        """A wait that doubles with every step, between half and all of it."""
        wait = self._patience.first_wait * 2.0 ** min(max(step, 0), 20)
        return min(wait, self._patience.longest_wait) * (0.5 + 0.5 * self._rng.random())


@dataclass(slots=True)
class _Tries:
    """One request's tries so far.

    `made`: all of them. `doubtful`: those that may have been charged. `in_a_row`: the last ones,
    between which no request was answered. `attempts`, `paid` and `waited` (seconds)
    are what counts against the bounds: not what was tried in an outage.
    """

    made: int = 0
    doubtful: int = 0
    in_a_row: int = 0
    attempts: float = 0
    paid: int = 0
    waited: float = 0
    last: Transient | None = None
    _answers: int = 0

    def note(self, error: Transient, *, answers: int) -> None:
        """A try has failed, when so many of any requests had been answered."""
        self.made += 1
        self.doubtful += error.maybe_paid
        self.in_a_row = self.in_a_row + 1 if answers == self._answers else 1
        self._answers = answers
        self.last = error


def _counted(completion: Completion, doubtful: int) -> Completion:
    if not doubtful:
        return completion
    usage = completion.usage
    return replace(completion, usage=replace(usage, doubtful=usage.doubtful + doubtful))


def _final(tries: _Tries, why: str) -> Transient:
    error = tries.last or Transient("no try was made")
    go_on = "Everything that was answered is kept: run again to go on."
    error.hint = " ".join(part for part in (error.hint, why, go_on) if part)
    error.maybe_paid |= tries.doubtful > 0
    return error
