"""ROUGE-L F1 of one text against every text of a pool: the nearest ones and the sum."""

from __future__ import annotations

import sys
from array import array
from dataclasses import dataclass, field
from math import floor

import numpy as np
from numpy.typing import NDArray

from seedbed.curate.novelty_rows import Counts, LongRows, NarrowRows, Rows, WideRows
from seedbed.curate.rouge import f1

Floats = NDArray[np.float64]
Lengths = NDArray[np.signedinteger]

WIDTHS = (32, 64, 128, 256, 512)
"""Texts stand by the first of these that holds their tokens; longer ones stand together."""


class ScoreTable:
    """Texts as lists of token numbers; each gets the next number when it is added."""

    def __init__(self) -> None:
        self._shelves: dict[int, _Shelf] = {}
        self._places: list[tuple[_Shelf, int]] = []

    def add(self, tokens: list[int]) -> None:
        width = next((width for width in WIDTHS if len(tokens) <= width), 0)
        if width not in self._shelves:
            # Lengths up to 64, times 128, fit 16 bits.
            lengths = array("h" if 0 < width <= 64 else "i")
            self._shelves[width] = _Shelf(rows=_rows(width), lengths=lengths)
        shelf = self._shelves[width]
        row = shelf.add(len(self._places), tokens)
        self._places.append((shelf, row))

    def remove(self, number: int) -> None:
        shelf, row = self._places[number]
        shelf.present[row] = 0
        shelf.removed += 1

    def total(self, tokens: list[int]) -> float:
        """Sum of the scores against all texts."""
        return sum(shelf.total(tokens) for shelf in self._shelves.values())

    def nearest(self, tokens: list[int], k: int) -> list[tuple[int, float]]:
        """Number and score of the `k` most similar texts, best first; of equals, the earlier."""
        best: list[tuple[int, float]] = []
        shelves = [(shelf.most(tokens), shelf) for shelf in self._shelves.values()]
        for most, shelf in sorted(shelves, key=lambda each: -each[0]):
            enough = best[-1][1] if len(best) == k else 0.0
            if most >= enough:
                best += shelf.nearest(tokens, k, enough)
                best.sort(key=lambda each: (-each[1], each[0]))
                del best[k:]
        return best


def _rows(width: int) -> Rows:
    if not width:
        return LongRows()
    return NarrowRows(width) if width <= 64 else WideRows(width // 64)


@dataclass(slots=True)
class _Shelf:
    """Texts of about one length, a row each; `guess` follows the k-th scores of the queries."""

    rows: Rows
    lengths: array[int]
    numbers: array[int] = field(default_factory=lambda: array("q"))
    present: array[int] = field(default_factory=lambda: array("B"))  # 0 once removed
    vocabulary: set[int] = field(default_factory=set)
    shortest: int = sys.maxsize
    longest: int = 0
    removed: int = 0
    guess: float = 0.0

    def add(self, number: int, tokens: list[int]) -> int:
        self.rows.add(tokens)
        self.numbers.append(number)
        self.lengths.append(len(tokens))
        self.present.append(1)
        self.vocabulary.update(tokens)
        self.shortest = min(self.shortest, len(tokens))
        self.longest = max(self.longest, len(tokens))
        return len(self.numbers) - 1

    def most(self, tokens: list[int]) -> float:
        """No text here has a higher score: it would be one of all the tokens that occur here."""
        known = sum(token in self.vocabulary for token in tokens)
        n = min(max(known, self.shortest), self.longest)
        return f1(min(known, n), len(tokens), n)

    def total(self, tokens: list[int]) -> float:
        """Where there are many rows, each pair (length, matches) is counted and scored once."""
        m, common = len(tokens), self.rows.matches(tokens)
        present = np.frombuffer(self.present, np.bool_)
        lengths = self._lengths()
        pitch = self.longest + 1
        if len(lengths) < pitch * pitch:
            return float(_f1_each(common * present, m, lengths).sum())
        pairs = (lengths * np.int64(pitch) + common)[present]
        counts = np.bincount(pairs)
        kinds = counts.nonzero()[0]
        return float(counts[kinds] @ _f1_each(kinds % pitch, m, kinds // pitch))

    def nearest(self, tokens: list[int], k: int, enough: float) -> list[tuple[int, float]]:
        """The `k` best rows; those with a score under `enough` may be left out."""
        m, common = len(tokens), self.rows.matches(tokens)
        rows, scores = self._over(limit := max(self.guess, enough), common, m)
        while len(rows) < k and limit > enough:
            limit = max(enough, limit / 2 if limit > 0.1 else 0.0)
            rows, scores = self._over(limit, common, m)
        if len(rows) > k:
            least = float(np.partition(scores, -k)[-k])
            self.guess += 0.1 * (0.75 * least - self.guess)
            rows, scores = rows[scores >= least], scores[scores >= least]
        order = np.argsort(-scores, kind="stable")[:k].tolist()
        return [(self.numbers[rows[each]], float(scores[each])) for each in order]

    def _lengths(self) -> Lengths:
        return np.frombuffer(self.lengths, self.lengths.typecode)

    def _over(self, limit: float, common: Counts, m: int) -> tuple[NDArray[np.intp], Floats]:
        """The rows with at least this score, and their scores."""
        # In whole 64ths, rounded down, so that none is missed; the score itself decides.
        part = floor(limit * 64 - 0.01)
        lengths = self._lengths()
        spare = common.astype(lengths.dtype)
        spare *= 128
        spare -= lengths * part
        rows = (spare >= m * part).nonzero()[0]
        if self.removed:
            rows = rows[np.frombuffer(self.present, np.bool_)[rows]]
        scores = _f1_each(common[rows], m, lengths[rows])
        over = scores >= limit
        return rows[over], scores[over]


def _f1_each(common: Counts, m: int, lengths: Lengths) -> Floats:
    """`f1` for many texts: the same operations in the same order, so the same bits."""
    scores = np.zeros(len(common))
    some = common > 0
    precision, recall = common[some] / lengths[some], common[some] / m
    scores[some] = 2 * precision * recall / (precision + recall)
    return scores
