"""Rates that are known: the user's per-minute limits, and what the server's headers say."""

from __future__ import annotations

from seedbed.models.allowances import Allowance, Allowances
from seedbed.models.prices import worst_case
from seedbed.records import Request

_BURST = 1.0
"""Seconds' worth of a rate that may go out at once: providers enforce a per-minute limit over
shorter stretches too."""

_LONGEST = 120.0
"""Seconds that a header can hold calls back: daily quotas have resets of hours, which is for the
run to fail on with the server's own words."""


class Quota:
    """When the next call may be sent.

    A bucket may be overdrawn by one call, which the next calls then wait for: so a call that is
    larger than the bucket goes out too, and the rate holds on average.
    """

    def __init__(
        self,
        *,
        requests_per_minute: float | None,
        tokens_per_minute: float | None,
        allowances: Allowances,
        now: float,
    ) -> None:
        self._requests = _Bucket(requests_per_minute, now) if requests_per_minute else None
        self._tokens = _Bucket(tokens_per_minute, now) if tokens_per_minute else None
        self._allowances = allowances
        self._seen = allowances.version
        self._held_until = 0.0

    def expected(self, request: Request) -> int:
        """A first guess at what a request takes, corrected by what it really took.

        A token is about 4 bytes of English; the bound of `worst_case` would leave three quarters
        of a limit unused.
        """
        if not self._tokens:
            return 0
        bound = worst_case(request)
        return bound.prompt_tokens // 4 + bound.completion_tokens // 2

    def delay(self, now: float) -> float:
        """Seconds until a call may be sent."""
        self._read_headers(now)
        delay = max(0.0, self._held_until - now)
        for bucket in (self._requests, self._tokens):
            if bucket:
                delay = max(delay, bucket.delay(now))
        return delay

    def sent(self, tokens: int) -> None:
        if self._requests:
            self._requests.level -= 1
        if self._tokens:
            self._tokens.level -= tokens

    def settle(self, expected: int, real: int) -> None:
        """Correct a call's tokens by what it really took."""
        if self._tokens:
            self._tokens.level += expected - real

    def _read_headers(self, now: float) -> None:
        allowances = self._allowances
        if allowances.version == self._seen:
            return
        self._seen = allowances.version
        for allowance in (allowances.requests, allowances.tokens):
            if allowance and _used_up(allowance):
                self._held_until = now + min(allowance.reset, _LONGEST)


def _used_up(allowance: Allowance) -> bool:
    """Whether nothing worth mentioning is left: the last hundredth is left to calls on the way."""
    return allowance.remaining <= (allowance.limit or 0) // 100


class _Bucket:
    """`level` units may go out now; it fills at the rate, up to a burst of a second's worth."""

    def __init__(self, per_minute: float, now: float) -> None:
        self._rate = per_minute / 60
        self._most = max(1.0, self._rate * _BURST)
        self._at = now
        self.level = self._most

    def delay(self, now: float) -> float:
        self.level = min(self._most, self.level + (now - self._at) * self._rate)
        self._at = now
        return 0.0 if self.level > 0 else (1e-3 - self.level) / self._rate
