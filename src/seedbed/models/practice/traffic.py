"""What a server keeps of its traffic: counts, numbers of answers, a request limit."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from heapq import heappop, heappush


@dataclass(slots=True, kw_only=True)
class Stats:
    """What the server has seen.

    `ok`: whole answers sent. `spoiled`: answers written and then broken on the way, which a
    provider would charge for too. `failed`: everything else that has ended. `distinct`: prompts
    with a whole answer; `repeats`: whole answers to a prompt that had one already, so `ok` is
    `distinct` + `repeats`. A prompt is its messages and, where sent, its `seed` or `draw`. The
    tokens are of every answer that was written: what a provider would charge for.
    """

    total: int = 0
    ok: int = 0
    spoiled: int = 0
    failed: int = 0
    in_flight: int = 0
    peak: int = 0
    distinct: int = 0
    repeats: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0


class Draws:
    """Numbers the answers to each prompt; a number that was not used is given out again."""

    def __init__(self) -> None:
        self._next: defaultdict[str, int] = defaultdict(int)
        self._free: defaultdict[str, list[int]] = defaultdict(list)

    def take(self, prompt: str) -> int:
        if self._free[prompt]:
            return heappop(self._free[prompt])
        self._next[prompt] += 1
        return self._next[prompt] - 1

    def give_back(self, prompt: str, draw: int) -> None:
        heappush(self._free[prompt], draw)


class Bucket:
    """A request limit: full at first, and filled up evenly. `now` is any clock in seconds."""

    def __init__(self, per_minute: float) -> None:
        self._per_minute = per_minute
        self._level = per_minute
        self._at = 0.0

    def take(self, now: float) -> float:
        """Take one request; the seconds to wait where there is none left, else 0."""
        passed, self._at = now - self._at, now
        self._level = min(self._per_minute, self._level + passed * self._per_minute / 60)
        if self._level < 1:
            return (1 - self._level) * 60 / self._per_minute
        self._level -= 1
        return 0.0

    def headers(self) -> dict[str, str]:
        missing = self._per_minute - self._level
        return {
            "x-ratelimit-limit-requests": f"{self._per_minute:g}",
            "x-ratelimit-remaining-requests": f"{int(self._level)}",
            "x-ratelimit-reset-requests": f"{missing * 60 / self._per_minute:.3f}s",
        }
