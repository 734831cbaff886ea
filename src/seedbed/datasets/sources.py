"""From what the user named to an opened table: the file found, unpacked, and its form detected."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import BinaryIO, cast

from seedbed.datasets.csv_table import csv_table
from seedbed.datasets.encodings import CONVERT, wide_encoding
from seedbed.datasets.json_tables import json_table, jsonl_table
from seedbed.datasets.parquet_table import parquet_table
from seedbed.datasets.rows import Table
from seedbed.datasets.settings import ReadSettings
from seedbed.errors import DatasetError

HEAD = 256 * 1024
"""Bytes that are looked at to tell what a file is."""

EXAMPLES = "examples.jsonl"
"""What is read of a run's folder."""

_PACKED = {
    b"PK\x03\x04": "a zip archive or a spreadsheet",
    b"BZh": "bzip2-compressed",
    b"\xfd7zXZ\x00": "xz-compressed",
    b"\x28\xb5\x2f\xfd": "zstd-compressed",
    b"ARROW1": "an Arrow file",
    b"SQLite format 3": "an SQLite database",
}


def find_file(source: Path) -> Path:
    """The file to read: the one named, or the examples of a run's folder.

    Raises:
        DatasetError: there is none.
    """
    if source.is_dir():
        if (source / EXAMPLES).is_file():
            return source / EXAMPLES
        raise DatasetError(
            f"{source}: a folder without {EXAMPLES}; expected a file, or the folder of a run",
            hint=f"Name a file in it. For a folder of the Hugging Face library, write hf:{source}.",
        )
    if source.exists() and not source.is_file():
        raise DatasetError(f"{source}: not a regular file; save the data to a file first")
    if not source.exists():
        raise DatasetError(f"{source}: no such file", hint=_near(source))
    return source


def _near(source: Path) -> str:
    folder = source.parent
    if not folder.is_dir():
        return f"There is no folder {folder} either."
    present = sorted(entry.name for entry in folder.iterdir())
    close = get_close_matches(source.name, present, n=3, cutoff=0.5)
    if close:
        return f"Did you mean {' or '.join(str(folder / name) for name in close)}?"
    return "For a dataset of the Hugging Face hub, write hf:organisation/name."


@contextmanager
def open_file(path: Path, settings: ReadSettings) -> Iterator[Table]:
    """Open a file as a table, and say its name in whatever goes wrong with it.

    Raises:
        DatasetError: it cannot be read, or not as what it should be.
    """
    form = settings.container
    doubted = not form and _says_parquet(path)
    try:
        with path.open("rb") as packed, _unpacked(packed) as file:
            head = file.read(HEAD)
            file.seek(0)
            form = form or _detected(head)
            yield _table(file, form, head, longest=settings.longest_line)
    except DatasetError as error:
        if doubted and form != "parquet":
            raise _misnamed(path, error) from error.__cause__
        raise DatasetError(f"{path}: {error}", hint=error.hint) from error.__cause__
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DatasetError(
            f"{path}: a damaged gz file: {error}", hint="Is it complete? Try to fetch it again."
        ) from error
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read: {error.strerror or error}") from error


def _says_parquet(path: Path) -> bool:
    return path.name.lower().removesuffix(".gz").endswith(".parquet")


def _misnamed(path: Path, error: DatasetError) -> DatasetError:
    """A name that lies changes nothing while the file can be read; it may say why it cannot."""
    meant = f" If it is not meant to be Parquet: {error.hint}" if error.hint else ""
    return DatasetError(
        f"{path}: its name says Parquet, and its content is something else: {error}",
        hint="Look into it, and fetch it again if it should be Parquet: a page, an error message "
        f"or a Git LFS pointer may have been saved in its place.{meant}",
    )


@contextmanager
def _unpacked(file: BinaryIO) -> Iterator[BinaryIO]:
    """The file, or what is inside if it is gz-compressed."""
    packed = file.read(2) == b"\x1f\x8b"
    file.seek(0)
    if not packed:
        yield file
        return
    with gzip.GzipFile(fileobj=file) as inner:
        # GzipFile has all that is asked of it, but not the type.
        unpacked = cast(BinaryIO, io.BufferedReader(cast(io.RawIOBase, inner)))
        if unpacked.read(4) != b"PAR1":
            unpacked.seek(0)
            yield unpacked
            return
        unpacked.seek(0)
        with tempfile.TemporaryFile() as whole:  # Parquet is read from its end
            shutil.copyfileobj(unpacked, whole)
            whole.seek(0)
            yield cast(BinaryIO, whole)


def _table(file: BinaryIO, form: str, head: bytes, *, longest: int) -> Table:
    match form:
        case "parquet":
            return parquet_table(file)
        case "json":
            return json_table(file)
        case "jsonl":
            return jsonl_table(file, longest=longest)
        case "tsv":
            return csv_table(file, longest=longest, delimiter="\t")
    return csv_table(file, longest=longest, delimiter=_delimiter(head))


def _detected(head: bytes) -> str:
    """The form of a file, told from how it begins."""
    if head.startswith(b"PAR1"):
        return "parquet"
    for mark, what in _PACKED.items():
        if head.startswith(mark):
            raise DatasetError(
                f"{what}; expected JSON, JSONL, CSV or Parquet, perhaps gz-compressed",
                hint="Unpack or convert it first.",
            )
    if wide := wide_encoding(head):
        raise DatasetError(f"not UTF-8: it looks like {wide}", hint=CONVERT)
    if b"\x00" in head:
        raise DatasetError("a binary file; expected JSON, JSONL, CSV or Parquet")
    text = head.removeprefix(codecs.BOM_UTF8).lstrip()
    if not text:
        raise DatasetError("empty; expected JSON, JSONL, CSV or Parquet with at least one row")
    if text.startswith(b"["):
        return "json"
    if text.startswith(b"{"):
        return "json" if _is_spread(text) else "jsonl"
    return "csv"


def _is_spread(text: bytes) -> bool:
    """Whether this is one JSON object over several lines, not one on each line."""
    lines = text.splitlines()
    return len(lines) > 1 and not any(_is_object(line) for line in lines)


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _delimiter(head: bytes) -> str:
    """What divides the names of the header into the most columns; a comma if nothing does."""
    header = head.removeprefix(codecs.BOM_UTF8).lstrip().split(b"\n", 1)[0]
    text = header.decode("utf-8", "replace")

    def columns(delimiter: str) -> int:
        try:
            return max(map(len, csv.reader([text], delimiter=delimiter)), default=0)
        except csv.Error:
            return 0

    return max((",", "\t", ";", "|"), key=columns)
