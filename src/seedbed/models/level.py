"""Finding how many calls at once serve best, by trying and measuring.

Servers differ in what they do with too many calls: some queue them (answers get slower, no more of
them come per second), some reject them (429), some reject by rate and not by number. In all three
the successes per second stop growing with the level, so that is what is measured: over windows of
at least as many successes as calls are in flight, another level is tried, and kept if it earned
its place. Up: at least half of what it would bring to a server with room. Down, where answers have
become slow or are rejected: nearly as many successes as before.

Rejections alone prove nothing: one in ten, whatever the level, is a server's habit, and waiting
with everything because of it is how a client ends up 30 times slower than it could be. So a share
of failures that a lower level does not cure is remembered as habit and borne; only a run of
nothing but rejections makes for a pause at once.

Where a lower level does cure them, rejections tell more, and sooner, than any rate: a small step
up is tried often, costs a few of them if the server is still full, and grows if there are none.
"""

from __future__ import annotations

from math import ceil, inf, sqrt
from typing import Literal

from seedbed.models.pacing import Pace, Pause, Window

_OPENING = 8
"""Up to so many times `start` are sent before anything at all was answered, …"""
_OPENING_RATE = 2000.0
"""… this many per second, so that a server that rejects at once can say so."""

_LEAST = 16
"""Answers in a window; the relative error of a rate is about one over the square root of them."""
_SHORTEST = 0.1
"""Seconds in a window."""

_STEP = 1.25
_LONGEST_STEP = 2.0
_SMALL_STEP = 1.1
"""The step where rejections tell: whether there are any is seen at once, a small gain is not."""
_FIRST_HOLD = 0.5
_LONGEST_HOLD = 4.0
_REJECTED_HOLD = 0.8
"""Seconds between two tries that fail. A small step into rejections costs few of them, and is
worth trying often: it is how a server that allows more is noticed."""

_NOTABLE = 0.03
"""A share of failures, above the habitual, for which a lower level is tried."""
_MOST_HABIT = 0.4
"""No server rejects more than this share whatever the level."""
_FORGOTTEN = 0.75
"""With less than this part of the habitual share, the habit is forgotten by half."""
_SLOW = 2.0
"""So many times the best mean latency make a lower level worth a try."""
_KEPT = 0.95
"""The part of its successes per second that a lower level has to keep."""

Phase = Literal["opening", "rising", "holding", "higher", "lower"]


class Level:
    """How many calls may be in flight, and how soon the next may be sent.

    Time is handed in with every call, in seconds from any start. `in_flight` never counts the
    call that the news is about.
    """

    def __init__(self, *, start: int, most: int) -> None:
        self.phase: Phase = "opening"
        self.level = float(min(start, most))
        self._most = most
        self._top = float(min(_OPENING * start, most))
        self._began: float | None = None
        self._window = Window(opened=0.0, level=self.level)
        self._skip = 0
        self._rate = 0.0
        self._best_latency = inf
        self._habit = self._borne = 0.0
        self._base = self._previous = self.level
        self._step = _STEP
        self._hold = _FIRST_HOLD
        self._held_until = 0.0
        self._rejects = False
        """Whether rejections, and not slowness, are what the level was last lowered for."""
        self._pause = Pause()
        self._pace = Pace()

    def limit(self, now: float) -> int:
        """How many calls may be in flight now."""
        if self.phase == "opening" and self._began is not None:
            return int(min(self._top, self.level + (now - self._began) * _OPENING_RATE))
        return max(1, ceil(self.level - 1e-9))

    def delay(self, now: float, *, in_flight: int) -> float | None:
        """Seconds until one more call may be sent; None if a call has to end first."""
        if pause := self._pause.delay(now):
            return pause
        if in_flight >= self.limit(now):
            self._window.pressed = True
            opening = self.phase == "opening" and in_flight < self._top
            return 10 / _OPENING_RATE if opening else None
        if pace := self._pace.delay(now):
            self._window.pressed = True
        return pace

    def sent(self, now: float) -> None:
        if self._began is None:
            self._began = self._window.opened = now
        self._pause.sent()
        self._pace.sent(now)

    def answered(self, now: float, *, sent: float, in_flight: int) -> None:
        """A call that was sent at `sent` brought a completion."""
        was_paused = self._pause.state
        self._pause.answered(now, sent=sent)
        self._pace.answered()
        self._open(now)
        if was_paused:
            self._restart(now, skip=0)
        elif not self._skipped(now):
            self._window.succeeded(now - sent)
            if self._best_latency == inf and self._window.successes == _LEAST:
                # The first answers, before a queue has grown on a server that queues.
                self._best_latency = self._window.latency
            if self.phase == "rising" and self._window.pressed:
                self.level = min(self._most, self.level + 1)
            self._close(now, in_flight)

    def troubled(
        self,
        now: float,
        *,
        sent: float,
        in_flight: int,
        rejected: bool,
        retry_after: float | None,
    ) -> None:
        """A call failed for what may be too much load.

        Args:
            rejected: whether the server refused it for its load (429) rather than broke on it.
            retry_after: how many seconds the server asks to wait.
        """
        self._open(now)
        if rejected and self._pause.rejected(now, sent=sent, retry_after=retry_after):
            self._rejected(now)
        if rejected and self._pause.began_after(sent):
            # What is still in flight is what the server has taken on.
            self._set(max(1.0, min(self.level, in_flight)))
        if rejected:
            self._pace.rejected(now, run=self._pause.run)
        if not self._pause.state and not self._skipped(now):
            self._window.failed(now - sent, in_flight=in_flight)
            self._close(now, in_flight)

    def _open(self, now: float) -> None:
        if self.phase == "opening":
            self.level, self.phase = float(self.limit(now)), "rising"
            self._window.level = self.level

    def _skipped(self, now: float) -> bool:
        """Whether this answer belongs to a call that was sent at an earlier level."""
        if not self._skip:
            return False
        self._skip -= 1
        if not self._skip:
            self._restart(now, skip=0)
        return True

    def _restart(self, now: float, *, skip: int) -> None:
        self._skip = skip
        self._window = Window(opened=now, level=self.level)

    def _set(self, level: float) -> None:
        self.level = min(float(self._most), level)
        if self._window.latency:
            # A little less than calls take on average, or varied lengths would leave places empty.
            self._pace.gap = 0.9 * self._window.latency / self.level

    def _close(self, now: float, in_flight: int) -> None:
        window, before = self._window, self.level
        lasted = now - window.opened
        enough = max(_LEAST, window.level)
        if lasted < _SHORTEST or (window.successes < enough and window.failures < enough):
            return
        rate = window.successes / lasted
        accepted = max(1.0, window.taken_on - window.failure_seconds / lasted)
        if self.phase == "rising":
            self._rise(now, rate)
        elif self.phase == "higher":
            self._judge_higher(now, rate, accepted)
        elif self.phase == "lower":
            self._judge_lower(now, rate, accepted)
        elif window.share > self._habit + self._noise(self._habit) and window.failures > 2:
            self._rejected(now)
            self._try_lower(rate, to=min(0.95 * self.level, accepted))
        else:
            self._keep(now, rate)
        self._set(self.level)
        # Rejections come at once; for a rate the calls sent earlier have to be out of the way.
        measures = self.level != before and not (self.phase == "higher" and self._rejects)
        self._restart(now, skip=in_flight if measures else 0)

    def _rise(self, now: float, rate: float) -> None:
        window = self._window
        if window.share > self._habit + 0.25:
            self.phase = "holding"
        elif self._rate and rate < 1.25 * self._rate:
            self.level = self._previous
            self._hold_on(now)
        elif self.level >= self._most:
            self.phase = "holding"
        self._rate, self._previous = max(rate, self._rate), window.level
        if window.latency:
            self._best_latency = min(self._best_latency, window.latency)

    def _keep(self, now: float, rate: float) -> None:
        window = self._window
        self._rate = rate
        self._best_latency = min(1.02 * self._best_latency, window.latency or inf)
        if window.share < _FORGOTTEN * self._habit:
            self._habit = (self._habit + window.share) / 2
        if now < self._held_until:
            return
        if window.latency > _SLOW * self._best_latency and self.level > 2:
            shrink = max(0.5, 1.25 * self._best_latency / window.latency)
            self._try_lower(rate, to=shrink * self.level)
        else:
            self._try_higher(rate)

    def _try_lower(self, rate: float, *, to: float) -> None:
        self._rate, self._base, self.phase = rate, self.level, "lower"
        self._borne = self._window.share
        self.level = max(0.05, to)

    def _judge_lower(self, now: float, rate: float, accepted: float) -> None:
        """Keep the lower level if it brings as much; if not, what it was to cure is no illness."""
        share = self._window.share
        as_much = rate >= _KEPT * self._rate
        # A habit takes its share at any level, so that successes fall with the level.
        nearly = self._rejects and rate > (1 + self.level / self._base) / 2 * self._rate
        if as_much or nearly or (self._rejects and share > _MOST_HABIT):
            self._rate, self.phase = rate, "holding"
        elif self._rejects and share <= self._habit + self._noise(self._habit):
            # Cured, but by too much: the right level lies between.
            self._try_higher(rate, to=(self.level + self._base) / 2)
        elif self._rejects and share > self._borne + self._noise(self._borne):
            # Worse: meanwhile the server has changed.
            self._try_lower(rate, to=min(0.95 * self.level, accepted))
        else:
            self.level, self._habit = self._base, max(self._habit, share)
            self._rejects = False
            self._best_latency = self._window.latency
            self._hold_on(now)

    def _try_higher(self, rate: float, *, to: float = 0.0) -> None:
        self._rate, self.phase = rate, "holding"
        if self._window.pressed and self.level < self._most:
            self._base, self.phase = self.level, "higher"
            least = 0.0 if self._pace.on else ceil(self.level) + 1.0
            self.level = min(self._most, max(least, to or self.level * self._step))

    def _judge_higher(self, now: float, rate: float, accepted: float) -> None:
        gain = rate / self._rate if self._rate else inf
        tried = self.level / self._base
        clean = self._window.share <= self._habit + self._noise(self._habit)
        if not self._window.pressed:
            self.phase = "holding"
        elif clean if self._rejects else gain >= 1 + (tried - 1) / 2:
            self._hold = _FIRST_HOLD
            self._step = min(_LONGEST_STEP, self._step**2)
            if self._window.share <= self._habit and (
                not self._rejects or self.level >= self._most
            ):
                self._pace.on = self._rejects = False
            self._try_higher(rate)
        elif clean:
            self.level = self._base * min(max(gain, 1.0), tried)
            self._step = _STEP
            self._hold_on(now)
        else:
            # What was rejected is taken away: by number, or where the rate is limited, by share.
            share = max(0.0, self._window.share - self._habit)
            self.level = min(self.level, max(accepted, self.level * (1 - share)))
            self._rejected(now)

    def _noise(self, share: float) -> float:
        """By how much a window's share of failures differs from what it is on average."""
        return max(_NOTABLE, 2 * sqrt(share * (1 - share) / self._window.answers))

    def _rejected(self, now: float) -> None:
        """Hold, pace what is sent, and try higher by small steps, soon."""
        self._rejects = self._pace.on = True
        self._step = _SMALL_STEP
        self._hold_on(now)
        self._held_until = min(self._held_until, now + _REJECTED_HOLD)

    def _hold_on(self, now: float) -> None:
        self.phase = "holding"
        self._hold = min(_LONGEST_HOLD, 2 * self._hold)
        self._held_until = now + self._hold
