"""What a server says it will still take: the `x-ratelimit-*` headers and `Retry-After`.

`ChatModel` writes an `Allowances` and `Throttled` reads it, so that headers need no second verb
on `Model`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from math import isfinite


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """`remaining` of `limit` are left; in `reset` seconds all of them are there again."""

    remaining: int
    reset: float
    limit: int | None = None


@dataclass(slots=True)
class Allowances:
    """The newest word of one server, None where it said nothing; `version` counts the words."""

    requests: Allowance | None = None
    tokens: Allowance | None = None
    version: int = 0

    def note(self, headers: Mapping[str, str]) -> None:
        requests = _allowance(headers, "requests")
        tokens = _allowance(headers, "tokens")
        if requests or tokens:
            self.requests, self.tokens = requests, tokens
            self.version += 1


def _allowance(headers: Mapping[str, str], kind: str) -> Allowance | None:
    remaining = headers.get(f"x-ratelimit-remaining-{kind}")
    reset = headers.get(f"x-ratelimit-reset-{kind}")
    if remaining is None or reset is None:
        return None
    count, seconds = _number(remaining), duration(reset)
    if count is None or seconds is None:
        return None
    limit = _number(headers.get(f"x-ratelimit-limit-{kind}", ""))
    return Allowance(
        remaining=int(count), reset=seconds, limit=None if limit is None else int(limit)
    )


def retry_after(headers: Mapping[str, str], *, now: float) -> float | None:
    """The seconds that a server asks to wait; `now` is in seconds since 1970.

    `retry-after-ms` wins over `Retry-After`, which holds seconds or an HTTP date (RFC 9110,
    10.2.3). None where there is neither, or nothing that can be understood.
    """
    milliseconds = _number(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return milliseconds / 1000
    text = headers.get("retry-after", "")
    seconds = _number(text)
    if seconds is not None or not text:
        return seconds
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return max(0.0, date.timestamp() - now)


_PARTS = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


def duration(text: str) -> float | None:
    """Seconds of "12ms", "1s", "6m0s", "1h2m3.5s" (OpenAI, Groq), or of a bare number."""
    seconds = _number(text)
    if seconds is not None:
        return seconds
    parts = _PARTS.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text.strip():
        return None
    return float(sum(float(number) * _SECONDS[unit] for number, unit in parts))


def _number(text: str) -> float | None:
    """A finite number of at least 0, or None."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if isfinite(value) and value >= 0 else None
