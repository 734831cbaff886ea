"""What was spent, what is reserved for calls in flight, and the caps on both."""

from __future__ import annotations

from dataclasses import dataclass, field

from seedbed.models.prices import PICO, Price, cost
from seedbed.records import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Spend:
    """An amount of calls, tokens and money.

    The `doubtful_…` part (contained in the rest) is what was booked at its worst case because the
    call's fate is unknown. Money is 0 where no price is known.
    """

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    picodollars: int = 0
    doubtful_calls: int = 0
    doubtful_tokens: int = 0
    doubtful_picodollars: int = 0

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens

    @property
    def dollars(self) -> float:
        return self.picodollars / PICO

    @property
    def doubtful_dollars(self) -> float:
        return self.doubtful_picodollars / PICO

    @classmethod
    def of(cls, usage: Usage, price: Price | None, *, doubtful: bool = False) -> Spend:
        """One call's spending; `doubtful` where it may not have been charged at all."""
        money = cost(usage, price) if price else 0
        tokens = usage.prompt_tokens + usage.completion_tokens
        return cls(
            calls=1,
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
            cached_tokens=usage.cached_tokens,
            picodollars=money,
            doubtful_calls=int(doubtful),
            doubtful_tokens=tokens if doubtful else 0,
            doubtful_picodollars=money if doubtful else 0,
        )

    def __add__(self, other: Spend) -> Spend:
        return self._combine(other, 1)

    def __sub__(self, other: Spend) -> Spend:
        return self._combine(other, -1)

    def _combine(self, other: Spend, sign: int) -> Spend:
        return Spend(
            calls=self.calls + sign * other.calls,
            prompt_tokens=self.prompt_tokens + sign * other.prompt_tokens,
            completion_tokens=self.completion_tokens + sign * other.completion_tokens,
            cached_tokens=self.cached_tokens + sign * other.cached_tokens,
            picodollars=self.picodollars + sign * other.picodollars,
            doubtful_calls=self.doubtful_calls + sign * other.doubtful_calls,
            doubtful_tokens=self.doubtful_tokens + sign * other.doubtful_tokens,
            doubtful_picodollars=self.doubtful_picodollars + sign * other.doubtful_picodollars,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """Hard limits on what a run may spend over all its sessions; None means no limit."""

    dollars: float | None = None
    tokens: int | None = None
    calls: int | None = None


@dataclass(slots=True)
class Ledger:
    """`spent` is settled; `reserved` is the worst case of the calls in flight."""

    spent: Spend = field(default_factory=Spend)
    reserved: Spend = field(default_factory=Spend)
