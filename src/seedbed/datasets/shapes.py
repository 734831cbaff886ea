"""The layouts of rows: which fields hold the question, its material and the answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from seedbed.datasets.chat import CHAT_COLUMNS, Turns, first_exchange
from seedbed.datasets.rows import Bad, kind_of, names, text_of
from seedbed.datasets.settings import ReadSettings
from seedbed.errors import DatasetError
from seedbed.export.lines import example_from_json
from seedbed.records import JSON, Origin

INSTRUCTION = ("instruction", "prompt", "question", "query", "problem", "input")
"""Usual names of the column with the instruction, the likeliest first; case does not matter."""

INPUT = ("input", "context")
RESPONSE = ("output", "response", "completion", "answer", "solution", "target", "reply")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a row holds; empty texts where it has no input or no response."""

    instruction: str
    input: str = ""
    response: str = ""
    origin: Origin = Origin()
    repairs: tuple[str, ...] = ()
    turns_ignored: int = 0
    systems_ignored: int = 0


@dataclass(frozen=True, slots=True)
class Shape:
    """A layout's name, how it reads a row, whether its rows have a place for a response, and the
    columns that are nothing to it."""

    name: str
    read: Callable[[Mapping[str, JSON]], Sequence[Parts] | Bad]
    answers: bool = True
    unread: tuple[str, ...] = ()


def find_shape(columns: Sequence[str], settings: ReadSettings, *, kind: str) -> Shape:
    """The layout of rows with these columns; `kind` is what the source was read as.

    Raises:
        DatasetError: none fits, or the forced one or a named column is not there.
    """
    lower = {column.lower(): column for column in reversed(columns)}
    chat = next((lower[name] for name in CHAT_COLUMNS if name in lower), None)
    match settings.shape or _likely(lower, settings, chat):
        case "messages" | "sharegpt" as name:
            return _chat_shape(name, chat, columns, kind)
        case "seed_tasks":
            return Shape("seed_tasks", _seed_task)
        case "seedbed":
            return Shape("seedbed", _seedbed_line)
        case name:
            return _columns_shape(name, columns, lower, settings, kind)


def _likely(lower: Mapping[str, str], settings: ReadSettings, chat: str | None) -> str:
    if settings.instruction or settings.response:
        return "columns"
    if chat is not None:
        return "messages" if chat.lower() == "messages" else "sharegpt"
    if {"instruction", "instances"} <= lower.keys():
        return "seed_tasks"
    if {"instruction", "response", "recipe", "calls"} <= lower.keys():
        return "seedbed"
    return "alpaca" if {"instruction", "output"} <= lower.keys() else "columns"


def _chat_shape(name: str, chat: str | None, columns: Sequence[str], kind: str) -> Shape:
    if chat is None:
        raise DatasetError(
            f"read as {kind}: no column of conversations; found {names(columns)}; "
            f"expected one of {names(CHAT_COLUMNS)}",
        )
    column = chat

    def read(row: Mapping[str, JSON]) -> Sequence[Parts] | Bad:
        if column not in row:
            return _missing(column, row)
        return _exchange(first_exchange(row[column], column))

    return Shape(name, read, unread=tuple(each for each in columns if each != column))


def _exchange(found: Turns | Bad) -> Sequence[Parts] | Bad:
    if isinstance(found, Bad):
        return found
    return [
        Parts(
            instruction=found.question,
            response=found.answer,
            turns_ignored=found.turns_ignored,
            systems_ignored=found.systems_ignored,
        )
    ]


def _seed_task(row: Mapping[str, JSON]) -> Sequence[Parts] | Bad:
    """Self-Instruct's `seed_tasks.jsonl`: an instruction with instances of input and output."""
    for key in ("instruction", "instances"):
        if key not in row:
            return _missing(key, row)
    instruction = text_of(row["instruction"], "instruction")
    instances = row["instances"]
    if isinstance(instruction, Bad):
        return instruction
    if not isinstance(instances, list) or not all(isinstance(one, Mapping) for one in instances):
        return Bad("not_text", f"`instances` is {kind_of(instances)}; expected a list of objects")
    found: list[Parts] = []
    for one in instances:
        given, output = text_of(one.get("input"), "input"), text_of(one.get("output"), "output")
        if isinstance(given, Bad):
            return given
        if isinstance(output, Bad):
            return output
        found.append(Parts(instruction=instruction, input=given, response=output))
    return found or [Parts(instruction=instruction, response="")]


def _seedbed_line(row: Mapping[str, JSON]) -> Sequence[Parts] | Bad:
    try:
        example = example_from_json(row)
    except DatasetError as error:
        return Bad("not_an_example", str(error))
    return [
        Parts(
            instruction=example.instruction.text,
            input=example.input,
            response=example.response,
            origin=example.instruction.origin,
            repairs=example.repairs,
        )
    ]


def _columns_shape(
    name: str, columns: Sequence[str], lower: Mapping[str, str], settings: ReadSettings, kind: str
) -> Shape:
    response = _column("response", settings.response, RESPONSE, columns, lower)
    instruction = _column("instruction", settings.instruction, INSTRUCTION, columns, lower)
    taken = {column for column in (instruction, response) if column is not None}
    free = {key: column for key, column in lower.items() if column not in taken}
    given = _column("input", settings.input, INPUT, columns, free)
    if instruction is None:
        raise DatasetError(
            f"read as {kind}: no column with instructions; found {names(columns)}; "
            f"expected one of {names(INSTRUCTION)}, or conversations in {names(CHAT_COLUMNS)}",
            hint='Name the columns: instruction = "…", response = "…" and, if any, input = "…"; '
            "for `seedbed curate`: --instruction, --response, --input.",
        )
    return Shape(
        name,
        _columns_reader(instruction, given, response),
        answers=response is not None,
        unread=tuple(each for each in columns if each not in (instruction, given, response)),
    )


def _column(
    role: str,
    named: str,
    usual: Iterable[str],
    columns: Sequence[str],
    lower: Mapping[str, str],
) -> str | None:
    """The column that plays a role: the one that the user named, or the first of the usual."""
    if not named:
        return next((lower[name] for name in usual if name in lower), None)
    if named not in columns:
        raise DatasetError(
            f"{role} = {named!r}: no such column; found {names(columns)}",
            hint="Upper and lower case count here.",
        )
    return named


def _columns_reader(
    instruction: str, given: str | None, response: str | None
) -> Callable[[Mapping[str, JSON]], Sequence[Parts] | Bad]:
    def read(row: Mapping[str, JSON]) -> Sequence[Parts] | Bad:
        for column in (instruction, response):
            if column is not None and column not in row:
                return _missing(column, row)
        asked, answer = row[instruction], row[response] if response is not None else None
        if isinstance(asked, list):  # TRL's conversational prompt and completion
            return _exchange(
                first_exchange(asked + (answer if isinstance(answer, list) else []), instruction)
            )
        texts = (
            text_of(asked, instruction),
            text_of(row.get(given), given) if given is not None else "",
            text_of(answer, response) if response is not None else "",
        )
        for text in texts:
            if isinstance(text, Bad):
                return text
        words = [text for text in texts if isinstance(text, str)]
        return [Parts(instruction=words[0], input=words[1], response=words[2])]

    return read


def _missing(column: str, row: Mapping[str, JSON]) -> Bad:
    return Bad("missing_field", f"no `{column}`; found {names(list(row))}")
