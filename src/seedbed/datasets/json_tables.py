"""Rows of JSONL, read as they are asked for, and of JSON lists, whose text is held whole."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import BinaryIO

from seedbed.datasets.encodings import CONVERT, Line, lines_of, not_utf8, too_long
from seedbed.datasets.rows import Bad, Row, Table, excerpt, kind_of
from seedbed.errors import DatasetError
from seedbed.records import JSON

DIGITS = 4300
"""Python refuses to read longer whole numbers from text (CVE-2020-10735)."""

_SPACE = re.compile(r"[ \t\r\n]*")


class Ambiguous(dict[str, JSON]):
    """An object in which a key stands twice: parsers disagree about which value counts."""


def _object(pairs: Sequence[tuple[str, JSON]]) -> dict[str, JSON]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else Ambiguous(found)


def _integer(digits: str) -> float:
    return int(digits) if len(digits) < DIGITS else float(digits)


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=_integer)


def jsonl_table(file: BinaryIO, *, longest: int) -> Table:
    """One JSON object per line. Blank lines are no rows."""
    lines = lines_of(file, longest=longest)
    rows = (
        Row(line.number, _json_of(line, longest))
        for line in lines
        if line.content is None or line.content.strip()
    )
    return Table(kind="JSONL", unit="line", rows=rows)


def _json_of(line: Line, longest: int) -> Mapping[str, JSON] | Bad:
    if line.content is None:
        return too_long(longest)
    try:
        text = line.content.decode("utf-8").strip()
        return checked(_DECODER.decode(text))
    except UnicodeDecodeError as error:
        return Bad("not_utf8", not_utf8(error, offset=line.offset))
    except json.JSONDecodeError as error:
        return Bad("not_json", f"{_broken(error)}; expected one JSON object per line")
    except RecursionError:
        return Bad("not_json", "nested too deeply; expected one JSON object per line")


def checked(value: JSON) -> Mapping[str, JSON] | Bad:
    """An object with named fields, or what is wrong with it."""
    if isinstance(value, Ambiguous):
        return Bad("duplicate_key", f"a key stands twice in {kind_of(value)}")
    if isinstance(value, Mapping):
        return value
    return Bad("not_an_object", f"found {kind_of(value)}; expected an object with named fields")


def _broken(error: json.JSONDecodeError) -> str:
    found = excerpt(error.doc, around=error.pos)
    return f"not JSON: {error.msg} at column {error.colno}, in {found}"


def json_table(file: BinaryIO) -> Table:
    """A JSON list of objects. It is held as text, its rows are parsed one by one."""
    content = file.read()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DatasetError(f"line {line}: {not_utf8(error)}", hint=CONVERT) from None
    start = _space(text, 0)
    if not text.startswith("[", start):
        raise DatasetError(_not_a_list(text[start:]), hint="Save the list of rows by itself.")
    return Table(kind="JSON", unit="row", rows=_listed(text, start + 1))


def _listed(text: str, at: int) -> Iterator[Row]:
    number, at = 0, _space(text, at)
    try:
        while number or not text.startswith("]", at):
            value, at = _DECODER.raw_decode(text, at)
            number += 1
            yield Row(number, checked(value))
            at = _space(text, at)
            if not text.startswith(",", at):
                break
            at = _space(text, at + 1)
        if not text.startswith("]", at):
            raise json.JSONDecodeError("Expecting ',' or ']'", text, at)
        if (end := _space(text, at + 1)) < len(text):
            raise json.JSONDecodeError("Extra data after the list", text, end)
    except json.JSONDecodeError as error:
        place = "the end of the file" if error.pos >= len(text) else f"line {error.lineno}"
        raise DatasetError(
            f"{place}: {_broken(error)}, after {number:,} rows; expected a JSON list of objects",
            hint="Is the file complete? Rows after a broken one cannot be found in a JSON list.",
        ) from None
    except RecursionError:
        raise DatasetError(f"row {number + 1}: nested too deeply") from None


def _not_a_list(text: str) -> str:
    try:
        found = kind_of(_DECODER.decode(text.rstrip()))
    except json.JSONDecodeError as error:
        found = f"{_broken(error)}, line {error.lineno}"
    except RecursionError:
        found = "something nested too deeply"
    return f"found {found}; expected a JSON list of objects, or one JSON object per line"


def _space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at
