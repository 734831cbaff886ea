"""Scores one text against many at once: three ways to hold the many, by their length.

The bit-parallel subsequence of `rouge.matches`, turned around: each text held is a machine word
whose bits are its positions, and one numpy step moves all texts that contain a token of the
query.
"""

from __future__ import annotations

from array import array
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from seedbed.curate.rouge import matches, positions

Counts = NDArray[np.uint8] | NDArray[np.int64]
Word = np.uint32 | np.uint64

DENSE_FROM = 4096
"""Among so many texts, a token that one in eight of them has gets a full column."""

_WORD = 2**64 - 1


class Rows(Protocol):
    def add(self, tokens: list[int]) -> None: ...

    def matches(self, tokens: list[int]) -> Counts:
        """Length of the common subsequence with every text, in the order of adding."""
        ...


class NarrowRows:
    """Texts of at most `width` tokens, 32 or 64: one word each.

    Only texts that have a token in common with the query are touched, one in ten; the commonest
    words, which half of all texts have, are kept as full columns, which is quicker for those.
    """

    def __init__(self, width: int) -> None:
        self._width = np.uint8(width)
        self._code = "I" if width == 32 else "Q"
        self._type: type[Word] = np.uint32 if width == 32 else np.uint64
        self._size = 0
        self._listed: dict[int, tuple[array[int], array[int]]] = {}  # token: rows, their masks
        self._columns: dict[int, array[int]] = {}

    def add(self, tokens: list[int]) -> None:
        row, self._size = self._size, self._size + 1
        places = positions(tokens)
        for token, column in self._columns.items():
            column.append(places.pop(token, 0))
        for token, mask in places.items():
            if (listed := self._listed.get(token)) is None:
                self._listed[token] = array("q", (row,)), array(self._code, (mask,))
            else:
                listed[0].append(row)
                listed[1].append(mask)

    def matches(self, tokens: list[int]) -> Counts:
        open_ = np.full(self._size, np.iinfo(self._type).max, self._type)
        for token in tokens:
            if listed := self._listed.get(token):
                rows = np.frombuffer(listed[0], np.int64)
                part = open_.take(rows)
                _advance(part, np.frombuffer(listed[1], self._type))
                open_[rows] = part
                if DENSE_FROM <= self._size <= 8 * len(rows):
                    self._make_column(token)
            elif column := self._columns.get(token):
                _advance(open_, np.frombuffer(column, self._type))
        return self._width - np.bitwise_count(open_)

    def _make_column(self, token: int) -> None:
        column = np.zeros(self._size, self._type)
        rows, masks = self._listed.pop(token)
        column[rows] = masks
        self._columns[token] = array(self._code, column.tobytes())


class WideRows:
    """Texts of at most 64 * `words` tokens: a row of words each, additions carry along it."""

    def __init__(self, words: int) -> None:
        self._words = words
        self._size = 0
        self._rows: dict[int, array[int]] = {}
        self._masks: dict[int, array[int]] = {}

    def add(self, tokens: list[int]) -> None:
        row, self._size = self._size, self._size + 1
        for token, mask in positions(tokens).items():
            if token not in self._rows:
                self._rows[token], self._masks[token] = array("q"), array("Q")
            self._rows[token].append(row)
            self._masks[token].extend(mask >> 64 * word & _WORD for word in range(self._words))

    def matches(self, tokens: list[int]) -> Counts:
        open_ = np.full((self._size, self._words), _WORD, np.uint64)
        for token in tokens:
            if token in self._rows:
                rows = np.frombuffer(self._rows[token], np.int64)
                part = open_[rows]
                masks = np.frombuffer(self._masks[token], np.uint64)
                _advance_wide(part, masks.reshape(-1, self._words))
                open_[rows] = part
        counts: Counts = np.bitwise_count(~open_).sum(axis=1, dtype=np.int64)
        return counts


class LongRows:
    """Texts too long for a table, one by one."""

    def __init__(self) -> None:
        self._texts: list[array[int]] = []

    def add(self, tokens: list[int]) -> None:
        self._texts.append(array("i", tokens))

    def matches(self, tokens: list[int]) -> Counts:
        places, m = positions(tokens), len(tokens)
        return np.array([matches(places, m, text) for text in self._texts])


def _advance(open_: NDArray[Word], masks: NDArray[Word]) -> None:
    """One token of the query, in place; sums wrap as they should."""
    hit = open_ & masks
    moved = open_ + hit
    open_ -= hit
    open_ |= moved


def _advance_wide(open_: NDArray[np.uint64], masks: NDArray[np.uint64]) -> None:
    """The same for rows of words, the lowest first: (texts, words), in place."""
    carry = np.zeros(len(open_), np.uint64)
    for now, mask in zip(open_.T, masks.T, strict=True):
        hit = now & mask
        moved = now + hit
        over = moved < hit
        moved += carry
        over |= moved < carry
        carry = over.astype(np.uint64)
        now -= hit
        now |= moved
