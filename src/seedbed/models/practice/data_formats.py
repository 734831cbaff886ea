"""Materials as data: a list of the practice world as XML, SQL, Python and so on, and back.

A block stands in code fences, its first line names the kind of the material, and each line after
that holds one entry. So whoever reads an instruction can put the plain sentence in its place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from seedbed.models.practice.material import KINDS, SHOWN
from seedbed.models.practice.values import Value


@dataclass(frozen=True, slots=True)
class DataFormat:
    fence: str
    head: str
    entry: str
    tail: str = ""


DATA_FORMATS: Mapping[str, DataFormat] = {
    "xml": DataFormat("xml", "<{kind}>", "  <item>{item}</item>", "</{kind}>"),
    "sql": DataFormat("sql", "CREATE TABLE {kind};", "INSERT INTO {kind} VALUES ('{item}');"),
    "python": DataFormat("python", "{kind} = [", '    "{item}",', "]"),
    "html": DataFormat("html", '<ul id="{kind}">', "  <li>{item}</li>", "</ul>"),
    "shell": DataFormat("sh", "cat > {kind}.txt <<END", "{item}", "END"),
    "json": DataFormat("jsonl", '{{"kind": "{kind}"}}', '{{"item": "{item}"}}'),
    "csv": DataFormat("csv", "{kind}", '"{item}"'),
    "log": DataFormat("log", "INFO {kind} begin", "INFO {item}", "INFO {kind} end"),
}
"""By a word of the name that a prompt gives the format."""

_BLOCK = re.compile(r"```(\w+)\n(.*?)\n```", re.DOTALL)
_UNSAFE = re.compile(r"[\"'<>\\]")


def format_named(name: str) -> DataFormat:
    """The format that a prompt means; JSON where it names one that is not known."""
    words = name.lower()
    return next((found for key, found in DATA_FORMATS.items() if key in words), _JSON)


_JSON = DATA_FORMATS["json"]


def fits_formats(value: Value) -> bool:
    """Whether a material can stand in every format without escapes."""
    return value.kind in KINDS and not any(map(_UNSAFE.search, value.items))


def as_block(value: Value, form: DataFormat) -> str:
    entries = [form.entry.format(kind=value.kind, item=item) for item in value.items]
    lines = [form.head.format(kind=value.kind), *entries, form.tail.format(kind=value.kind)]
    return "\n".join((f"```{form.fence}", *(line for line in lines if line), "```"))


def as_data(instruction: str, value: Value, form: DataFormat) -> str:
    """The instruction with its sentence about a material replaced by a block at the end."""
    shown = [sentence.format(value=value.text) for sentence in SHOWN[value.kind]]
    found = next((sentence for sentence in shown if sentence in instruction), None)
    if found is None:
        return instruction
    rest = " ".join(instruction.replace(found, "").split())
    return f"{rest}\n\n{as_block(value, form)}"


def plain(instruction: str) -> str:
    """The instruction with each such block replaced by a sentence about its material."""
    return _BLOCK.sub(lambda block: _sentence(block[1], block[2]) or block[0], instruction)


def _sentence(fence: str, content: str) -> str:
    form = next((form for form in DATA_FORMATS.values() if form.fence == fence), None)
    head, *rest = content.split("\n")
    kind = next((kind for kind in KINDS if form and form.head.format(kind=kind) == head), None)
    if form is None or kind is None:
        return ""
    lines = rest[:-1] if form.tail else rest
    pattern = re.escape(form.entry.format(kind=kind, item="\0")).replace("\0", "(.*)")
    items = [found[1] for line in lines if (found := re.fullmatch(pattern, line))]
    if not items or len(items) < len(lines):
        return ""
    return SHOWN[kind][0].format(value=", ".join(items))
