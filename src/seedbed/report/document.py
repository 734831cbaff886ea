"""What a report is made of. Two renderers, `page` (HTML) and `markdown`, tell the same story of it.

Every text in here is plain, and much of it was written by models: a renderer escapes all of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from seedbed.records import JSON

Weight = Literal["alarm", "look", "good", "note"]
"""How much a finding asks of the reader, most first: mend it, look at it, be glad, know it."""

WEIGHTS: tuple[Weight, ...] = ("alarm", "look", "good", "note")


@dataclass(frozen=True, slots=True)
class Prose:
    """A paragraph."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows under a head, all text. The first column names; the others are numbers unless `texts`.

    `source` says what the numbers were computed from; a figure's table leaves it to the figure.
    """

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str = ""
    source: str = ""
    texts: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A plot that answers one question.

    Args:
        id: unique in the report; letters, digits and hyphens.
        question: the title.
        answer: what the plot shows, in a sentence: its text alternative.
        data: Plotly traces. Colours may be tokens of the page ("@1", "@soft", …).
        layout: Plotly layout, over the page's own.
        table: the same numbers.
        source: what they were computed from.
        height: in pixels.
    """

    id: str
    question: str
    answer: str
    data: Sequence[Mapping[str, JSON]]
    table: Table
    source: str
    layout: Mapping[str, JSON] = field(default_factory=dict)
    height: int = 320


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One item as it is: what it is, why it is shown, and its texts by name."""

    title: str
    why: str
    texts: Sequence[tuple[str, str]]
    facts: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """Items under one heading."""

    title: str
    about: str
    items: Sequence[Sample]
    source: str


Block = Prose | Table | Figure | Samples


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """What the reader opens a report for, one matter at a time; `id` is unique in the report."""

    id: str
    title: str
    blocks: Sequence[Block]
    lead: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something concrete to look at, computed; `section` holds the evidence."""

    weight: Weight
    text: str
    section: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One of the story's few numbers: what was asked for, what came out, what it cost."""

    title: str
    value: str
    detail: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """A run (or the runs side by side): its story, then its evidence."""

    id: str
    title: str
    lead: str
    cards: Sequence[Card]
    findings: Sequence[Finding]
    sections: Sequence[Section]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """The whole report. `made` says by what and from when."""

    title: str
    made: str
    chapters: Sequence[Chapter]
