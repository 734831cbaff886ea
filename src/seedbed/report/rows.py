"""The lines of `examples.jsonl` and `drops.jsonl`, as much of them as a report looks at."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from sys import intern

from seedbed.errors import DatasetError
from seedbed.records import JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An example, or what was left of one: an attempt has no response, perhaps no instruction."""

    id: str
    instruction_id: str
    instruction: str
    input: str
    response: str
    recipe: str
    step: str
    round: int
    skills: tuple[str, ...]
    query_type: str
    repairs: tuple[str, ...]

    @property
    def asked(self) -> str:
        """The instruction with the material that it works on."""
        return f"{self.instruction}\n{self.input}" if self.input else self.instruction


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """A line of `drops.jsonl`; `kind` is attempt, instruction or example, `text` an attempt's."""

    reason: str
    evidence: Mapping[str, float | str]
    kind: str
    text: str
    row: Row


def read_rows(path: Path) -> tuple[Row, ...]:
    """The examples of a run, none where the file is not there yet.

    Raises:
        DatasetError: a line is not an example.
    """
    return tuple(_row(line, path, number) for number, line in _lines(path))


def read_lost(path: Path) -> tuple[Lost, ...]:
    """What a run dropped, none where the file is not there yet.

    Raises:
        DatasetError: a line is not a drop.
    """
    return tuple(_lost(line, path, number) for number, line in _lines(path))


def _lines(path: Path) -> Iterator[tuple[int, Mapping[str, JSON]]]:
    if not path.exists():
        return
    with path.open(encoding="utf-8") as file:
        for number, text in enumerate(file, 1):
            try:
                line = json.loads(text)
            except ValueError as error:
                raise _broken(path, number, str(error)) from None
            if not isinstance(line, dict):
                raise _broken(path, number, "not an object")
            yield number, line


def _row(line: Mapping[str, JSON], path: Path, number: int) -> Row:
    for key in ("instruction", "response"):
        if not isinstance(line.get(key), str):
            raise _broken(path, number, f"no text under `{key}`")
    return _loose(line)


def _lost(line: Mapping[str, JSON], path: Path, number: int) -> Lost:
    reason, evidence = line.get("reason"), line.get("evidence", {})
    if not isinstance(reason, str) or not isinstance(evidence, dict):
        raise _broken(path, number, "no `reason`, or no `evidence`")
    return Lost(
        reason=intern(reason),
        evidence=evidence,
        kind=intern(_text(line, "kind") or "example"),
        text=_text(line, "text"),
        row=_loose(line),
    )


def _loose(line: Mapping[str, JSON]) -> Row:
    """What is there of an example; a key of the wrong type counts as one that is not there."""
    instruction = _text(line, "instruction")
    rounds = line.get("round", 0)
    return Row(
        id=_text(line, "id"),
        instruction_id=_text(line, "instruction_id") or instruction,
        instruction=instruction,
        input=_text(line, "input"),
        response=_text(line, "response"),
        recipe=intern(_text(line, "recipe")),
        step=intern(_text(line, "step")),
        round=rounds if isinstance(rounds, int) else 0,
        skills=_texts(line, "skills"),
        query_type=intern(_text(line, "query_type")),
        repairs=_texts(line, "repairs"),
    )


def _text(line: Mapping[str, JSON], key: str) -> str:
    value = line.get(key, "")
    return value if isinstance(value, str) else ""


def _texts(line: Mapping[str, JSON], key: str) -> tuple[str, ...]:
    value = line.get(key, ())
    return tuple(intern(item) for item in value if isinstance(item, str)) if value else ()


def _broken(path: Path, number: int, what: str) -> DatasetError:
    return DatasetError(
        f"{path}: line {number}: {what}",
        hint="`seedbed run` makes the file anew from the journal, for nothing.",
    )
