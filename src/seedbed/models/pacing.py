"""Pauses and even gaps, for servers that reject what is too much."""

from __future__ import annotations

from math import inf
from typing import Literal

RUN = 8
"""So many rejections without a success in between are not chance, at up to half of all."""

_PROBES = 4
_PROBE_SECONDS = 1.0
"""Rejections come fast: a call that was not rejected after this long has been taken on."""

_LONGEST_UNASKED = 30.0


class Pause:
    """After a run of rejections nothing is sent, but one call for every call that succeeds.

    So a server that is full keeps its number of calls, and one that takes none gets none. The
    pause ends with the first success of a call that was sent during it, or when the time that the
    server asked for is over. If it asked for none, a few probes go out after 1, 2, 4, … seconds;
    if they are not rejected, the pause is over.
    """

    def __init__(self) -> None:
        self.state: Literal["", "paused", "probing"] = ""
        self.run = 0
        self._until = 0.0
        self._since = 0.0
        self._credit = 0
        self._succeeded = -inf
        self._asked = False
        self._seconds = 0.5

    def delay(self, now: float) -> float:
        """Seconds for which nothing more may be sent."""
        if not self.state or self._credit > 0:
            return 0.0
        if now < self._until:
            return self._until - now
        if self.state == "probing" or self._asked:
            self._end()
        else:
            self.state = "probing"
            self.run, self._credit, self._until = 0, _PROBES, now + _PROBE_SECONDS
        return 0.0

    def began_after(self, sent: float) -> bool:
        """Whether there is a pause, and a call that was sent at `sent` belongs to its cause."""
        return self.state == "paused" and sent <= self._since

    def sent(self) -> None:
        self._credit -= 1

    def answered(self, now: float, *, sent: float) -> None:
        """A call that was sent at `sent` succeeded."""
        self.run = 0
        self._succeeded = now
        if self.state:
            self._credit = max(0, self._credit) + 1
            if sent >= self._since:
                self._end()
                self._seconds = 0.5

    def rejected(self, now: float, *, sent: float, retry_after: float | None) -> bool:
        """A call was rejected; whether a pause begins with it.

        What was sent before the last success says nothing of the time after it: rejections can
        come all together, behind successes that were sent with them.
        """
        if sent < self._succeeded:
            return False
        self.run += 1
        if self.run < (_PROBES if self.state == "probing" else RUN) or self.state == "paused":
            return False
        began = not self.state
        self._asked = retry_after is not None
        self._seconds = min(_LONGEST_UNASKED, 2 * self._seconds)
        wait = self._seconds if retry_after is None else retry_after
        self._since, self._until, self._credit = now, now + wait, 0
        self.state = "paused"
        return began

    def _end(self) -> None:
        self.state, self.run = "", 0


_LEAST_GAP = 0.01
_LONGEST_GAP = 2.0
"""Seconds before another try after several rejections in a row, at first and at most."""


class Pace:
    """Even gaps between calls, so that a full server's next free place is not fought for."""

    def __init__(self) -> None:
        self.on = False
        self.gap = 0.0
        self._next = 0.0
        self._held_until = 0.0

    def delay(self, now: float) -> float:
        return max(0.0, max(self._next, self._held_until) - now) if self.on else 0.0

    def sent(self, now: float) -> None:
        # What was missed by less than three gaps may be made up for. What goes out while there is
        # no pace to keep is no debt: else a burst would hold back for hours what comes later.
        if self.on:
            self._next = max(self._next, now - 3 * self.gap) + self.gap

    def answered(self) -> None:
        """There is room again."""
        self._held_until = 0.0

    def rejected(self, now: float, *, run: int) -> None:
        """Of several rejections in a row, each says that the next try may wait twice as long."""
        if run > 1:
            wait = max(self.gap, _LEAST_GAP) * 2 ** (min(run, RUN) - 1)
            self._held_until = now + min(wait, _LONGEST_GAP)


class Window:
    """What came back since `opened`, while up to `level` calls were in flight."""

    def __init__(self, *, opened: float, level: float) -> None:
        self.opened = opened
        self.level = level
        self.successes = 0
        self.failures = 0
        self.success_seconds = 0.0
        self.failure_seconds = 0.0
        self._beside_failures = 0
        self.pressed = False
        """Whether a call had to wait for want of room: else the level made no difference."""

    def succeeded(self, seconds: float) -> None:
        self.successes += 1
        self.success_seconds += seconds

    def failed(self, seconds: float, *, in_flight: int) -> None:
        self.failures += 1
        self._beside_failures += in_flight
        self.failure_seconds += seconds

    @property
    def answers(self) -> int:
        return self.successes + self.failures

    @property
    def share(self) -> float:
        """The share of failures."""
        return self.failures / self.answers if self.answers else 0.0

    @property
    def taken_on(self) -> float:
        """How many others were in flight, on average, when a call failed; 0 if none did."""
        return self._beside_failures / self.failures if self.failures else 0.0

    @property
    def latency(self) -> float:
        """Mean seconds of a success; 0 if there was none."""
        return self.success_seconds / self.successes if self.successes else 0.0
