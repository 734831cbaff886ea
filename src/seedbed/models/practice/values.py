"""What the practice world works on: six kinds of value, and finished blocks of text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Literal

Kind = Literal["numbers", "words", "number", "phrase", "sentence", "date", "block"]
"""`phrase`: a short text such as a weekday or a numeral; `block`: JSON, a list or a table, which
no skill takes apart again."""

VOWELS = re.compile(r"[aeiou]", re.IGNORECASE)

LARGEST = 999_999
"""Whole numbers above it do not occur: they would be long to write and have no number words."""


@dataclass(frozen=True, slots=True)
class Value:
    """All content is text, so that values print, compare and parse in one way."""

    kind: Kind
    items: tuple[str, ...]

    @property
    def ints(self) -> tuple[int, ...]:
        return tuple(int(item) for item in self.items)

    @property
    def text(self) -> str:
        return self.items[0] if self.kind == "block" else ", ".join(self.items)

    @property
    def date(self) -> date:
        return date.fromisoformat(self.items[0])


def number(value: int) -> Value | None:
    """A number of the world, or None where it is too large or negative."""
    return Value("number", (str(value),)) if 0 <= value <= LARGEST else None


def numbers(values: tuple[int, ...]) -> Value | None:
    """A list of numbers, or None where it is empty or holds one that is too large."""
    inside = values and all(0 <= value <= LARGEST for value in values)
    return Value("numbers", tuple(str(value) for value in values)) if inside else None


def words(values: tuple[str, ...]) -> Value | None:
    """A list of words, or None where it or one of its words is empty."""
    return Value("words", values) if values and all(values) else None


def like(value: Value, items: tuple[str, ...]) -> Value | None:
    """The same kind of value with other items, or None where one came out empty."""
    return Value(value.kind, items) if items and all(items) else None


def phrase(text: str) -> Value | None:
    return Value("phrase", (text,)) if text else None


def block(text: str) -> Value:
    return Value("block", (text,))
