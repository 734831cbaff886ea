"""When nothing but failures comes back: one request at a time tries, and all others wait."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from seedbed.errors import RateLimited, Transient
from seedbed.records import Request


class Outage:
    """Whether nothing but failures has come back lately, from any request of one server.

    Args:
        after: how many calls in a row fail before it is an outage.
        clock: seconds from any start, at the pace of the event loop.
    """

    def __init__(self, *, after: int = 8, clock: Callable[[], float] = time.monotonic) -> None:
        self._after = after
        self._clock = clock
        self._began = 0.0
        self.answers = 0
        self.failures = 0
        self.said = ""
        self.turn = asyncio.Lock()
        self.trying: Request | None = None
        """Whose turn it is, while it tries."""
        self.over: list[Callable[[], None]] = []
        """Called when the outage ends."""

    @property
    def open(self) -> bool:
        return self.failures >= self._after

    @property
    def step(self) -> int:
        """How many tries have failed since it is an outage."""
        return self.failures - self._after

    @property
    def seconds(self) -> float:
        """How long nothing has been answered."""
        return self._clock() - self._began if self.failures else 0.0

    def begin(self) -> None:
        """Take it for an outage, however few calls have failed."""
        self.failures = max(self.failures, self._after)

    def note(self, error: Transient) -> None:
        """A call has failed; being rate limited is an answer, with which `Throttled` deals."""
        if isinstance(error, RateLimited):
            self.end()
            return
        if not self.failures:
            self._began = self._clock()
        self.failures += 1
        self.said = str(error)

    def end(self) -> None:
        """Something was answered, be it with a no."""
        was_open = self.open
        self.failures = 0
        self.answers += 1
        for wake in self.over if was_open else ():
            wake()
