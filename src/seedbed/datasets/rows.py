"""Rows on their way in: read or bad, each with its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from typing import Literal

from seedbed.records import JSON

Unit = Literal["line", "row"]


@dataclass(frozen=True, slots=True)
class Bad:
    """Why a row cannot be used: a stable snake_case reason, and what was found and expected.

    `malformed` is False where the row is in order and only empty: that is counted, never an error.
    """

    reason: str
    detail: str
    malformed: bool = True


@dataclass(frozen=True, slots=True)
class Row:
    """A row's number (from 1; of its first line, where rows are lines) and what stands there."""

    number: int
    content: Mapping[str, JSON] | Bad


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """An opened source: what it is, and its rows, which are read as they are asked for.

    `columns` are the names that the source declares; empty where only its rows can tell.
    """

    kind: str
    unit: Unit
    rows: Iterator[Row]
    columns: Sequence[str] = ()


def excerpt(text: str, *, around: int = 0, width: int = 60) -> str:
    """A short piece of foreign text on one line, in backticks, with control characters escaped."""
    start = max(0, around - width // 2)
    piece = "".join(map(_visible, text[start : start + width]))
    before, after = "…" if start else "", "…" if start + width < len(text) else ""
    return f"`{before}{piece}{after}`"


def _visible(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode()


def kind_of(value: JSON) -> str:
    """What a value is, in a reader's words, with an excerpt of it."""
    match value:
        case None:
            return "null"
        case bool():
            return f"a truth value ({str(value).lower()})"
        case int() | float():
            return f"a number ({value!r:.30})"
        case str():
            return f"text ({excerpt(value)})"
        case list():
            return f"a list of {len(value)}"
        case dict():
            return f"an object with {names(list(value))}"
    return f"a {type(value).__name__}"


def names(columns: Sequence[object], *, most: int = 12) -> str:
    """Column names for a message, shortened where they are many or long."""
    shown = [excerpt(str(column), width=40) for column in columns[:most]]
    rest = f" and {len(columns) - most} more" if len(columns) > most else ""
    return (", ".join(shown) + rest) or "no columns"


def text_of(value: JSON, name: str) -> str | Bad:
    """A field's text; null, and the NaN that pandas writes for it, is the empty text."""
    if value is None or (isinstance(value, float) and isnan(value)):
        return ""
    if isinstance(value, str):
        return value
    return Bad("not_text", f"`{name}` is {kind_of(value)}; expected text")
