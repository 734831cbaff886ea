"""How a dataset is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from seedbed.errors import ConfigError

CONTAINERS = ("json", "jsonl", "csv", "tsv", "parquet")
SHAPES = ("alpaca", "columns", "seed_tasks", "messages", "sharegpt", "seedbed")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadSettings:
    """How to read a dataset; the defaults suit what is laid out in one of the usual ways.

    `format` forces the file's form ("json", "jsonl", "csv", "tsv", "parquet") or the layout of
    its rows ("alpaca", "columns", "seed_tasks", "messages", "sharegpt", "seedbed"); "auto" looks
    at the content. `instruction`, `input` and `response` name columns, where theirs are unusual.
    `on_bad_line` says what a malformed row does: stop with an error, or be skipped and listed.
    Rows that are well-formed but hold no instruction or no response are skipped and counted in
    either case. A line of more than `longest_line` bytes counts as malformed, unread.

    Raises:
        ConfigError: a value is not one of those.
    """

    format: str = "auto"
    instruction: str = ""
    input: str = ""
    response: str = ""
    on_bad_line: Literal["stop", "skip"] = "stop"
    longest_line: int = 64 * 2**20

    def __post_init__(self) -> None:
        allowed = ("auto", *CONTAINERS, *SHAPES)
        if self.format not in allowed:
            raise ConfigError(f"format = {self.format!r}: expected one of: {', '.join(allowed)}")
        if self.on_bad_line not in ("stop", "skip"):
            raise ConfigError(f'on_bad_line = {self.on_bad_line!r}: expected "stop" or "skip"')
        if self.longest_line < 1:
            raise ConfigError(f"longest_line = {self.longest_line}: expected at least 1 (bytes)")

    @property
    def container(self) -> str:
        """The forced form of the file, or an empty text."""
        return self.format if self.format in CONTAINERS else ""

    @property
    def shape(self) -> str:
        """The forced layout of the rows, or an empty text."""
        return self.format if self.format in SHAPES else ""
