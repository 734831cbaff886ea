"""The shapes that training code reads.

An example's `input` has a field of its own in the Alpaca shape only; the others get it after the
instruction and a blank line, which is how a user would have sent it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from seedbed.errors import ConfigError
from seedbed.export.lines import example_to_json
from seedbed.export.parquet import write_parquet
from seedbed.files import json_line, replacing, write_jsonl
from seedbed.records import JSON, Example


def messages(example: Example) -> dict[str, JSON]:
    """Hugging Face's conversational shape, as TRL reads it; nothing but the conversation.

    OpenAI's fine-tuning files hold the same, and their checker refuses any other key.
    """
    return {
        "messages": [
            {"role": "user", "content": asked(example)},
            {"role": "assistant", "content": example.response},
        ]
    }


def sharegpt(example: Example) -> dict[str, JSON]:
    """FastChat's shape, with the id and the origin beside the conversation."""
    row = example_to_json(example)
    turns = [
        {"from": "human", "value": asked(example)},
        {"from": "gpt", "value": example.response},
    ]
    return {"id": row["id"], "conversations": turns, **_origin(row)}


def alpaca(example: Example) -> dict[str, JSON]:
    """Stanford Alpaca's shape, with the id and the origin beside it."""
    row = example_to_json(example)
    return {
        "instruction": row["instruction"],
        "input": row["input"],
        "output": row["response"],
        "id": row["id"],
        **_origin(row),
    }


def asked(example: Example) -> str:
    """What the user says: the instruction, and after a blank line its input, if there is one."""
    return example.asked


def _origin(row: dict[str, JSON]) -> dict[str, JSON]:
    shown = {"id", "instruction_id", "instruction", "input", "response"}
    return {key: value for key, value in row.items() if key not in shown}


def write_list(rows: Iterable[JSON], path: Path) -> int:
    """Replace a file with one JSON list, a row per line, holding one row in memory."""
    count = 0
    with replacing(path) as file:
        file.write(b"[")
        for line in _separated(rows):
            file.write(line.encode("utf-8"))
            count += 1
        file.write(b"\n]\n")
    return count


def _separated(rows: Iterable[JSON]) -> Iterator[str]:
    before = "\n"
    for row in rows:
        yield before + json_line(row).rstrip("\n")
        before = ",\n"


Writer = Callable[[Iterable[Example], Path], int]


def _lines_of(shaped: Callable[[Example], JSON]) -> Writer:
    def write(examples: Iterable[Example], path: Path) -> int:
        return write_jsonl(path, map(shaped, examples))

    return write


def _list_of(shaped: Callable[[Example], JSON]) -> Writer:
    def write(examples: Iterable[Example], path: Path) -> int:
        return write_list(map(shaped, examples), path)

    return write


_WRITERS: dict[str, tuple[Writer, str]] = {
    "messages": (_lines_of(messages), "messages.jsonl"),
    "alpaca": (_list_of(alpaca), "alpaca.json"),
    "sharegpt": (_lines_of(sharegpt), "sharegpt.jsonl"),
    "openai": (_lines_of(messages), "openai.jsonl"),
    "parquet": (write_parquet, "examples.parquet"),
}

SHAPES = tuple(_WRITERS)
"""What `write_examples` can write."""


def default_name(shape: str) -> str:
    """How the file of a shape is usually called."""
    return _known(shape)[1]


def write_examples(examples: Iterable[Example], path: Path, *, shape: str) -> int:
    """Replace a file atomically with the examples in one of `SHAPES`; return their number.

    Raises:
        ConfigError: no such shape.
        StorageError: it cannot be written; the old file, if any, is as it was.
    """
    writer, _ = _known(shape)
    return writer(examples, path)


def _known(shape: str) -> tuple[Writer, str]:
    try:
        return _WRITERS[shape]
    except KeyError:
        raise ConfigError(
            f"{shape!r}: not a shape to export to; expected one of: {', '.join(SHAPES)}"
        ) from None
