"""How many matches two texts need to be over a threshold, exactly."""

from __future__ import annotations

from bisect import bisect_right

import numpy as np
from numpy.typing import NDArray

from seedbed.curate.rouge import f1

RATIO = 1.2
"""How much longer texts are from one length class to the next."""

IMPOSSIBLE = 2**30
"""More matches than any text has tokens."""


class Bounds:
    """Turns `f1(matches, m, n) > threshold` into `matches >= needed`, with the same outcome.

    F1 grows with the matches by far more than a rounding error, so for each pair of lengths there
    is one smallest number of matches that is over the threshold; it is found with `f1` itself.
    """

    def __init__(self, threshold: float) -> None:
        self.threshold = threshold
        self._longest = 64
        self._least: dict[int, int] = {}
        self._needed: dict[int, NDArray[np.int32]] = {}
        self._reach: dict[int, list[tuple[int, int]]] = {}
        self._starts = list(range(1, 9))

    def least(self, m: int) -> int:
        """The fewest matches with which any text can be over the threshold to one of `m` tokens.

        It is the length of the shortest such text, which has to match wholly.
        """
        found = self._least.get(m)
        if found is None:
            found = max(1, int(self.threshold * m / (2 - self.threshold)) - 1)
            while found <= m and not f1(found, m, found) > self.threshold:
                found += 1
            self._least[m] = found = found if found <= m else IMPOSSIBLE
        return found

    def cover(self, n: int) -> None:
        """Have `needed` reach to texts of `n` tokens at least."""
        if n > self._longest:
            self._longest = 1 << n.bit_length()
            self._needed.clear()
            self._reach.clear()

    def length_class(self, n: int) -> int:
        """Texts of about the same length form a class: single lengths at first, then +20 %."""
        while self._starts[-1] <= n:
            self._starts.append(max(self._starts[-1] + 1, int(self._starts[-1] * RATIO)))
        return bisect_right(self._starts, n)

    def reach(self, m: int) -> list[tuple[int, int]]:
        """Where texts similar to one of `m` tokens can be: (length class, last position).

        The first feature that is shared stands at that position of the `m` at the latest.
        """
        found = self._reach.get(m)
        if found is None:
            found = self._reach[m] = []
            n = self.least(m)
            row = self.needed(m) if n < IMPOSSIBLE else np.empty(0, np.int32)
            while n < len(row) and row[n] < IMPOSSIBLE:
                length_class = self.length_class(n)
                found.append((length_class, m - int(row[n])))
                n = self._starts[length_class]
        return found

    def needed(self, m: int) -> NDArray[np.int32]:
        """Entry n: the fewest matches that put texts of `m` and n tokens over the threshold.

        Entry 0 and the last one are impossible; texts beyond the end are too long to be over.
        """
        row = self._needed.get(m)
        if row is None:
            row = self._needed[m] = self._row(m)
        return row

    def _row(self, m: int) -> NDArray[np.int32]:
        longest = self._longest
        if self.threshold > 0:
            longest = min(longest, int(m * (2 - self.threshold) / self.threshold) + 1)
        n = np.arange(1, longest + 1)
        # Below the wanted number by one or two whole matches, which no rounding can bridge.
        found = np.maximum(np.floor(self.threshold * (m + n) / 2).astype(np.int64) - 1, 1)
        most = np.minimum(m, n)
        while True:
            precision, recall = found / n, found / m
            below = 2 * precision * recall / (precision + recall) <= self.threshold
            below &= found <= most
            if not below.any():
                break
            found += below
        row = np.full(longest + 2, IMPOSSIBLE, np.int32)
        row[1:-1] = np.where(found <= most, found, IMPOSSIBLE)
        return row
