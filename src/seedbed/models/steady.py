"""A number of calls at once that stays, for what makes its own batches of them."""

from __future__ import annotations


class Steady:
    """As `Level`, without finding out: a model in process or a batch API takes all it can get.

    Its answers come in batches, so that their pace from one moment to the next says nothing.
    """

    def __init__(self, *, most: int) -> None:
        self._most = most

    def limit(self, now: float) -> int:
        return self._most

    def delay(self, now: float, *, in_flight: int) -> float | None:
        return 0.0 if in_flight < self._most else None

    def sent(self, now: float) -> None:
        """Nothing to learn."""

    def answered(self, now: float, *, sent: float, in_flight: int) -> None:
        """Nothing to learn."""

    def troubled(
        self,
        now: float,
        *,
        sent: float,
        in_flight: int,
        rejected: bool,
        retry_after: float | None,
    ) -> None:
        """Nothing to learn: `Retrying` waits."""
