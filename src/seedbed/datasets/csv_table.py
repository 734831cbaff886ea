"""Rows of CSV and its relatives, under a header of column names."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, BinaryIO

from seedbed.datasets.encodings import CONVERT, lines_of, not_utf8, too_long
from seedbed.datasets.rows import Bad, Row, Table, excerpt, names
from seedbed.errors import DatasetError

if TYPE_CHECKING:
    from _csv import Reader


def csv_table(file: BinaryIO, *, longest: int, delimiter: str) -> Table:
    """Rows under a header of column names. Quoted fields may go over several lines."""
    # The csv module has this one limit for the whole process; its default, 128 KiB, is less than
    # a long response.
    csv.field_size_limit(max(csv.field_size_limit(), longest))
    decoded = _Decoded(file, longest)
    reader = csv.reader(decoded, delimiter=delimiter, strict=True)
    try:
        header = next((row for row in reader if any(row)), [])
    except csv.Error as error:
        raise DatasetError(f"line {reader.line_num}: the header is not CSV: {error}") from None
    if (problem := decoded.problem(header)) is not None:
        raise DatasetError(f"line {reader.line_num}: {problem.detail}", hint=CONVERT)
    header = [name.strip() for name in header]
    if twice := {name for name in header if name and header.count(name) > 1}:
        raise DatasetError(
            f"line {reader.line_num}: the header names {names(sorted(twice))} twice",
            hint="Give every column a name of its own.",
        )
    kind = {",": "CSV", "\t": "TSV"}.get(delimiter, f"CSV with {delimiter!r}")
    rows = _records(reader, header, decoded)
    return Table(kind=kind, unit="line", rows=rows, columns=header)


def _records(reader: Reader, header: Sequence[str], decoded: _Decoded) -> Iterator[Row]:
    while True:
        number = reader.line_num + 1
        try:
            fields = next(reader, None)
        except csv.Error as error:
            yield Row(number, Bad("not_csv", f"{error} (read to line {reader.line_num})"))
            continue
        if fields is None:
            return
        if not any(fields):
            continue
        if (problem := decoded.problem(fields)) is not None:
            yield Row(number, problem)
        elif len(fields) != len(header):
            found = f"{len(fields)} fields beginning {excerpt(fields[0])}"
            expected = f"{len(header)} as in the header"
            yield Row(number, Bad("ragged_row", f"found {found}; expected {expected}"))
        else:
            yield Row(number, dict(zip(header, fields, strict=True)))


class _Decoded:
    """Lines of text for the csv module, which cannot be told that one of them is bad.

    So a bad line goes through marked, with surrogates in place of what is not UTF-8 (PEP 383) or
    of all of it where it is too long, and is found again in the row that it became part of.
    """

    def __init__(self, file: BinaryIO, longest: int) -> None:
        self._lines = lines_of(file, longest=longest)
        self._longest = longest
        self._last = Bad("not_utf8", "")

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            if line.content is None:
                self._last = too_long(self._longest)
                yield "\udc80\n"
                continue
            try:
                yield line.content.decode("utf-8")
            except UnicodeDecodeError as error:
                self._last = Bad("not_utf8", not_utf8(error, offset=line.offset))
                yield line.content.decode("utf-8", "surrogateescape")

    def problem(self, fields: Sequence[str]) -> Bad | None:
        """What was wrong with a line of this row, if anything was."""
        return self._last if any(map(_marked, fields)) else None


def _marked(field: str) -> bool:
    return not field.isascii() and re.search("[\udc80-\udcff]", field) is not None
