"""From a line of a run's files to the rows of the index."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isfinite

from seedbed.decisions import content_of
from seedbed.export import example_from_json
from seedbed.files import well_formed
from seedbed.records import JSON

ITEM_COLUMNS = (
    "number",
    "key",
    "dropped",
    "kind",
    "line",
    "instruction_id",
    "recipe",
    "step",
    "query_type",
    "reason",
    "repaired",
    "round",
    "instruction_chars",
    "response_chars",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One line of `examples.jsonl` or `drops.jsonl`, read as what a stranger may have edited.

    `stored` is the same in JSON without needless escapes, for a search letter by letter.
    """

    key: str
    dropped: bool
    line: int
    row: Mapping[str, JSON]
    stored: str

    def text(self, name: str) -> str:
        value = self.row.get(name)
        return value if isinstance(value, str) else ""

    def texts(self, name: str) -> list[str]:
        value = self.row.get(name)
        return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []

    def number(self, name: str) -> int:
        value = self.row.get(name)
        return value if isinstance(value, int) and abs(value) < 2**62 else 0

    @property
    def kind(self) -> str:
        return self.text("kind") or "example"

    @property
    def instruction(self) -> str:
        """What was asked; of an attempt, which became no instruction, all that was written."""
        return self.text("instruction") or self.text("text")

    @property
    def instruction_id(self) -> str:
        return self.text("instruction_id") or (self.text("id") if self.dropped else "")

    @property
    def id(self) -> str:
        """What a decision about it is kept under: its id, or its content where it has none."""
        return self.text("id") or self.content

    @property
    def content(self) -> str:
        return content_of(self.instruction, self.text("input"), self.text("response"))

    @property
    def scores(self) -> Iterator[tuple[str, float]]:
        """The finite numbers of the evidence."""
        evidence = self.row.get("evidence")
        for name, value in evidence.items() if isinstance(evidence, dict) else ():
            if isinstance(value, int | float) and isfinite(value):
                yield f"evidence: {name}", float(value)

    def columns(self, number: int) -> tuple[JSON, ...]:
        """In the order of `ITEM_COLUMNS`."""
        return (
            number,
            self.key,
            int(self.dropped),
            self.kind,
            self.line,
            self.instruction_id,
            self.text("recipe"),
            self.text("step"),
            self.text("query_type"),
            self.text("reason"),
            int(bool(self.texts("repairs"))),
            self.number("round"),
            len(self.instruction),
            len(self.text("response")),
        )


def read_item(line: str, *, number: int, dropped: bool) -> Item | None:
    """The item on a line, None where there is none; `number` counts lines from 1."""
    try:
        row = json.loads(line)
    except ValueError:
        return None
    if not isinstance(row, dict):
        return None
    if "\\u" in line:  # perhaps half of a surrogate pair, which fits no database
        line = well_formed(json.dumps(row, ensure_ascii=False))
        row = json.loads(line)
    if not dropped and not isinstance(row.get("id"), str):
        example = example_from_json(row)
        row |= {"id": example.id, "instruction_id": example.instruction.id}
    key = f"d{number}" if dropped else row["id"]
    return Item(key=key, dropped=dropped, line=number, row=row, stored=line)
