"""Foreign text in Markdown and YAML, where it must stay text: no markup, no links, no keys."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping

_MARKUP = re.compile(r"[\\`*_{}\[\]<>&|~$#!]|:(?=//)|(?<=[wW])\.")
"""What means something inside of a line, and what makes a bare address a link."""


def table(head: tuple[str, str], rows: Mapping[str, str]) -> str:
    def lines() -> Iterator[str]:
        yield f"| {head[0]} | {head[1]} |"
        yield "|---|---|"
        for name, value in rows.items():
            yield f"| {escaped(name)} | {escaped(value)} |"

    return "\n".join(lines())


def escaped(text: str) -> str:
    """Foreign text on one line of Markdown, inside of a line, where it shows as just this text."""
    return _MARKUP.sub(r"\\\g<0>", _one_line(text))


def fenced(text: str, *, longest: int = 1500) -> str:
    """Foreign text as a block of code, cut at `longest` characters."""
    shown = text if len(text) <= longest else text[:longest] + " …"
    tildes = max(map(len, re.findall("~+", shown)), default=0)
    fence = "~" * max(3, tildes + 1)
    return f"{fence}text\n{shown}\n{fence}"


def yaml_text(text: str) -> str:
    """A double-quoted YAML text: JSON's are, once what YAML does not print is gone."""
    return json.dumps(_one_line(text), ensure_ascii=False)


def _one_line(text: str) -> str:
    """The text without line ends and control, format, surrogate and unassigned characters."""
    plain = (" " if _is_control(character) else character for character in text)
    return " ".join("".join(plain).split())


def _is_control(character: str) -> bool:
    category = unicodedata.category(character)
    return category.startswith("C") or category in ("Zl", "Zp")
