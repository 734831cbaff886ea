"""Reading the files of a benchmark: JSON lines with their places, and single-pass templates."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from seedbed.errors import DatasetError
from seedbed.records import JSON


def read_file(path: Path) -> str:
    """The text of a benchmark's file.

    Raises:
        DatasetError: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(
            f"{path}: cannot be read: {error}",
            hint="The benchmark's files come from its repository; name their folder with --data.",
        ) from error


def json_lines(path: Path) -> Iterator[tuple[str, Mapping[str, JSON]]]:
    """The objects of a JSONL file, each with its place for errors.

    Raises:
        DatasetError: it cannot be read, or a line is not an object.
    """
    for number, line in enumerate(read_file(path).split("\n"), 1):
        if not line.strip():
            continue
        place = f"{path}: line {number}"
        try:
            row = json.loads(line)
        except ValueError as error:
            raise DatasetError(f"{place}: not JSON: {error}") from None
        if not isinstance(row, dict):
            raise DatasetError(f"{place}: expected an object")
        yield place, row


def fill(template: str, values: Mapping[str, str], *, mark: str = "{%s}") -> str:
    """Put values in the place of their marks, all in one pass: what a value says is not read again.

    Args:
        template: the text; braces that hold no name of `values` stay.
        values: by name.
        mark: how a name is marked, with %s for the name.
    """
    marks = {mark % name: value for name, value in values.items()}
    pattern = "|".join(re.escape(text) for text in sorted(marks, key=len, reverse=True))
    return re.sub(pattern, lambda match: marks[match[0]], template)
