"""What a person looks for, and the SQL that finds it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self, get_args

from seedbed.errors import ConfigError
from seedbed.records import JSON

Side = Literal["examples", "drops"]
Judged = Literal["", "accept", "reject", "edit", "open"]

EXACT = ("recipe", "step", "query_type", "reason", "kind")
"""Filters that are the value of a column."""

RANGES = {
    "instruction_low": ("instruction_chars", ">="),
    "instruction_high": ("instruction_chars", "<="),
    "response_low": ("response_chars", ">="),
    "response_high": ("response_chars", "<="),
}

SORTS = {
    "order": "i.number",
    "instruction": "i.instruction_chars",
    "response": "i.response_chars",
    "similarity": "i.similarity",
}
"""Besides these, `score:NAME` sorts by a score."""

SCORE = "score:"

_WITH_SKILL = "i.number in (select number from skills where dropped = ? and skill = ?)"

_JUDGED = {
    "accept": "i.verdict = 'accept'",
    "reject": "i.verdict = 'reject'",
    "edit": "i.edited = 1",
    "open": "i.verdict = ''",
}

_TERM = re.compile(r'(-?)(?:"([^"]*)"|(\S+))')
_WORD = re.compile(r"\w")
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
"""Scripts that put no space between words: a text is one long word to the index."""


@dataclass(frozen=True, slots=True)
class Where:
    """Conditions on `items i`, and their values in order."""

    conditions: tuple[str, ...]
    values: tuple[JSON, ...]

    def __str__(self) -> str:
        return " and ".join(self.conditions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which items; empty means all. `skills` have to be there all of them."""

    side: Side = "examples"
    search: str = ""
    skills: tuple[str, ...] = ()
    recipe: str = ""
    step: str = ""
    query_type: str = ""
    reason: str = ""
    kind: str = ""
    repaired: bool = False
    judged: Judged = ""
    instruction_low: int | None = None
    instruction_high: int | None = None
    response_low: int | None = None
    response_high: int | None = None

    @classmethod
    def read(cls, query: Mapping[str, str], skills: tuple[str, ...] = ()) -> Self:
        """The filters of an address.

        Raises:
            ConfigError: a value that cannot be one of them.
        """
        exact = {name: query[name] for name in EXACT if query.get(name)}
        ranges = {name: _whole(name, query[name]) for name in RANGES if query.get(name)}
        narrowed: dict[str, Any] = exact | ranges
        return cls(
            side=_one_of(query, "side", get_args(Side), "examples"),
            judged=_one_of(query, "judged", get_args(Judged), ""),
            search=query.get("search", "").strip()[:500],
            skills=skills,
            repaired=query.get("repaired", "") == "1",
            **narrowed,
        )

    def where(self, *, without: str = "") -> Where:
        """As SQL; `without` leaves one filter out, to count what else it could be."""
        conditions: list[str] = ["i.dropped = ?"]
        values: list[JSON] = [int(self.side == "drops")]
        for name, value in self._exact().items():
            if value and name != without:
                conditions.append(f"i.{name} = ?")
                values.append(value)
        for name, limit in self._ranges().items():
            column, operator = RANGES[name]
            if limit is not None:
                conditions.append(f"i.{column} {operator} ?")
                values.append(limit)
        if self.repaired:
            conditions.append("i.repaired = 1")
        if self.judged and without != "judged":
            conditions.append(_JUDGED[self.judged])
        for skill in self.skills if without != "skill" else ():
            conditions.append(_WITH_SKILL)
            values += [int(self.side == "drops"), skill]
        if self.search:
            condition, found = search(self.search)
            conditions.append(condition)
            values += found
        return Where(tuple(conditions), tuple(values))

    def active(self) -> tuple[str, ...]:
        """The names of the facets that are narrowed."""
        named = [name for name, value in self._exact().items() if value]
        named += ["skill"] if self.skills else []
        return (*named, "judged") if self.judged else tuple(named)

    def _exact(self) -> dict[str, str]:
        return {
            "recipe": self.recipe,
            "step": self.step,
            "query_type": self.query_type,
            "reason": self.reason,
            "kind": self.kind,
        }

    def _ranges(self) -> dict[str, int | None]:
        return {
            "instruction_low": self.instruction_low,
            "instruction_high": self.instruction_high,
            "response_low": self.response_low,
            "response_high": self.response_high,
        }


def search(text: str) -> tuple[str, list[JSON]]:
    """A condition that finds a text: all its words, "phrases" whole, and -without these.

    A word finds those that begin with it. What the index has no words for (signs alone, and scripts
    without spaces) is looked for letter by letter.
    """
    if _UNSPACED.search(text) or not _WORD.search(text):
        needle = text.strip('"')
        found = " || ".join(f"ifnull(json_extract(line, '$.{name}'), '')" for name in _FIELDS)
        return (
            f"i.number in (select number from lines where instr(line, ?) and instr({found}, ?))",
            [json.dumps(needle, ensure_ascii=False)[1:-1], needle],
        )
    wanted: list[str] = []
    unwanted: list[str] = []
    for minus, phrase, word in _TERM.findall(text):
        if _WORD.search(phrase or word):
            quoted = '"' + (phrase or word).replace('"', "") + '"'
            (unwanted if minus else wanted).append(quoted if phrase else f"{quoted}*")
    if not wanted:
        return (
            "i.number not in (select rowid from words where words match ?)",
            [" OR ".join(unwanted)],
        )
    match = " ".join(wanted)
    if unwanted:
        match = f"({match}) NOT ({' OR '.join(unwanted)})"
    return "i.number in (select rowid from words where words match ?)", [match]


_FIELDS = ("instruction", "text", "input", "response")


def _one_of(query: Mapping[str, str], name: str, known: tuple[str, ...], default: str) -> JSON:
    value = query.get(name, default)
    if value not in known:
        raise ConfigError(f"{name}={value}: expected one of: {', '.join(filter(None, known))}")
    return value


def _whole(name: str, text: str) -> int:
    if not re.fullmatch(r"\d{1,12}", text):
        raise ConfigError(f"{name}={text}: expected a whole number of characters")
    return int(text)
