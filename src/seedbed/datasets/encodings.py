"""Bytes to text: UTF-8, or an error that says where it is not and what it may be instead."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from seedbed.datasets.rows import Bad

CONVERT = "Convert it, for example with `iconv -f ENCODING -t UTF-8`, or save it as UTF-8."

_MARKS = (
    (codecs.BOM_UTF32_LE, "UTF-32LE"),
    (codecs.BOM_UTF32_BE, "UTF-32BE"),
    (codecs.BOM_UTF16_LE, "UTF-16LE"),
    (codecs.BOM_UTF16_BE, "UTF-16BE"),
)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a file with its number (from 1) and the offset of its first byte.

    `content` is None where the line was longer than allowed.
    """

    number: int
    offset: int
    content: bytes | None


def lines_of(file: BinaryIO, *, longest: int) -> Iterator[Line]:
    """The lines of a file without its byte order mark, never holding more than `longest` bytes."""
    if file.read(len(codecs.BOM_UTF8)) != codecs.BOM_UTF8:
        file.seek(0)
    offset, number = file.tell(), 0
    while content := file.readline(longest + 1):
        number, start = number + 1, offset
        if len(content) <= longest or content.endswith(b"\n"):
            offset += len(content)
            yield Line(number, start, content)
        else:
            offset += len(content) + _rest_of_line(file, longest)
            yield Line(number, start, None)


def _rest_of_line(file: BinaryIO, longest: int) -> int:
    passed = 0
    while piece := file.readline(longest):
        passed += len(piece)
        if piece.endswith(b"\n"):
            break
    return passed


def too_long(longest: int) -> Bad:
    return Bad("line_too_long", f"longer than {longest:,} bytes (the setting longest_line)")


def not_utf8(error: UnicodeDecodeError, *, offset: int = 0) -> str:
    """What is wrong with bytes that are not UTF-8; `offset` is where they begin in the file."""
    content = error.object
    return (
        f"not UTF-8: byte 0x{content[error.start]:02X} at offset {offset + error.start}"
        f" ({error.reason}); it looks like {likely_encoding(content, error.start)}"
    )


def wide_encoding(head: bytes) -> str:
    """The name of the UTF-16 or UTF-32 encoding that a file seems to have; empty if neither."""
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    even, odd = head[::2].count(0), head[1::2].count(0)
    if max(even, odd) * 4 > len(head) and min(even, odd) * 8 < len(head):
        return "UTF-16LE" if odd > even else "UTF-16BE"
    return ""


def likely_encoding(content: bytes, at: int) -> str:
    """A guess from the bytes around the first one that is not UTF-8.

    Western European text has single high bytes between ASCII letters; where they come in runs,
    the encodings of Asia and the Cyrillic ones cannot be told apart by so little.
    """
    if wide := wide_encoding(content):
        return wide
    near = content[max(0, at - 200) : at + 200]
    runs = [len(run) for run in bytes(b if b > 127 else 32 for b in near).split()]
    if max(runs, default=0) > 2:
        return "GB18030, Shift-JIS, EUC-KR or a Cyrillic one"
    return "Windows-1252"
