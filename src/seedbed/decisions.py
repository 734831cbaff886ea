"""What people decided about a run's items by hand: `decisions.jsonl`, one line for each decision.

The file is only ever appended to, and is on disk before a decision counts. A line holds all that
is decided about an item, so the last one about it stands. It is found again by the item's id, and
where a later run gave the same text another id, by its content.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO, Literal, get_args

from seedbed.errors import DatasetError, StorageError
from seedbed.files import hold_file, json_line
from seedbed.records import JSON, Example, digest

Verdict = Literal["accept", "reject", "none"]
"""`none` takes back what was decided before."""

EDITED = "edited_by_hand"
"""Among the repairs of an example whose text a person changed."""

FIELDS = ("instruction", "input", "response")


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """All that is decided about one item.

    `id` is the example's, or for a drop that has none the content's. `edit` holds the fields of
    `FIELDS` as they shall be, or nothing. `dropped` tells opinions about what the run left out:
    they are counted, and change no export. `at` is when, in ISO 8601.
    """

    id: str
    content: str
    verdict: Verdict
    reason: str = ""
    edit: Mapping[str, str] = field(default_factory=dict)
    dropped: bool = False
    at: str = ""

    def to_json(self) -> dict[str, JSON]:
        return {
            "id": self.id,
            "content": self.content,
            "verdict": self.verdict,
            "reason": self.reason,
            "edit": dict(self.edit),
            "dropped": self.dropped,
            "at": self.at,
        }


class Decisions:
    """The last decision about each item; the run's drops and its examples are told apart."""

    def __init__(self, decisions: Iterable[Decision] = ()) -> None:
        self._by_id: dict[tuple[bool, str], Decision] = {}
        self._by_content: dict[tuple[bool, str], Decision] = {}
        for decision in decisions:
            self.add(decision)

    def add(self, decision: Decision) -> None:
        self._by_id[decision.dropped, decision.id] = decision
        self._by_content[decision.dropped, decision.content] = decision

    def find(self, name: str, content: str, *, dropped: bool = False) -> Decision | None:
        """What is decided about the item of this id, or else this content; None if nothing is."""
        found = self._by_id.get((dropped, name)) or self._by_content.get((dropped, content))
        return None if found is None or found.verdict == "none" else found

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __iter__(self) -> Iterator[Decision]:
        """Those that stand."""
        return (decision for decision in self._by_id.values() if decision.verdict != "none")


@dataclass(slots=True)
class Applied:
    """How many examples the decisions changed; it counts while the examples are read."""

    accepted: int = 0
    rejected: int = 0
    edited: int = 0


def content_of(instruction: str, material: str, response: str) -> str:
    """Names the text of an example, whatever its origin."""
    return digest(instruction, material, response)[:16]


def decided(
    examples: Iterable[Example], decisions: Decisions, applied: Applied
) -> Iterator[Example]:
    """The examples as people want them: the rejected left out, the edits made."""
    if not len(decisions):
        yield from examples
        return
    for example in examples:
        content = content_of(example.instruction.text, example.input, example.response)
        decision = decisions.find(example.id, content)
        if decision is None:
            yield example
        elif decision.verdict == "reject":
            applied.rejected += 1
        elif decision.edit:
            applied.edited += 1
            yield _edited(example, decision.edit)
        else:
            applied.accepted += 1
            yield example


def _edited(example: Example, edit: Mapping[str, str]) -> Example:
    text = edit.get("instruction", example.instruction.text)
    return replace(
        example,
        instruction=replace(example.instruction, text=text),
        input=edit.get("input", example.input),
        response=edit.get("response", example.response),
        repairs=(*example.repairs, EDITED),
    )


def read_decisions(path: Path) -> Decisions:
    """The decisions in a file; none where there is no file.

    A last line without an end is left out: its writer died before it was told that it is kept.

    Raises:
        DatasetError: a line is not a decision, or the file cannot be read.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return Decisions()
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read: {error.strerror}") from error
    return Decisions(
        _decision(line, f"{path}: line {number}")
        for number, line in enumerate(lines[:-1], 1)
        if line.strip()
    )


def _decision(line: bytes, place: str) -> Decision:
    try:
        row = json.loads(line)
        good = (
            isinstance(row, dict)
            and row["verdict"] in get_args(Verdict)
            and all(isinstance(row[key], str) for key in ("id", "content", "reason", "at"))
            and isinstance(row["dropped"], bool)
            and isinstance(row["edit"], dict)
            and all(key in FIELDS and isinstance(row["edit"][key], str) for key in row["edit"])
        )
    except (ValueError, KeyError):
        good = False
    if not good:
        raise DatasetError(
            f"{place}: not a decision: {line[:60]!r}",
            hint="Mend or delete this line, or export with --ignore-decisions.",
        )
    return Decision(**{key: row[key] for key in Decision.__slots__})


def append_decision(path: Path, decision: Decision) -> None:
    """Write a decision down; it is on disk when this returns.

    Raises:
        StorageError: the file cannot be written.
    """
    line = json_line(decision.to_json()).encode("utf-8")
    try:
        with path.open("ab+") as file:
            hold_file(file)
            _mend(file)
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise StorageError(
            f"{path}: the decision is not kept: {error.strerror or error}",
            hint="Allow writing to the run's folder, and look at the space on its disk.",
        ) from error


def _mend(file: BinaryIO) -> None:
    """Cut off what a writer that died left of its line."""
    size = file.seek(0, os.SEEK_END)
    if not size:
        return
    file.seek(size - 1)
    if file.read(1) != b"\n":
        file.seek(0)
        file.truncate(file.read().rfind(b"\n") + 1)
        file.seek(0, os.SEEK_END)
