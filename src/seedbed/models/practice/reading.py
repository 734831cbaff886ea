"""Reading rendered prompts: headings, slots, counts. Users reword prompts: little is fixed."""

from __future__ import annotations

import re
from collections.abc import Sequence

from seedbed.records import Message

_HEADING = re.compile(
    r"^[ \t]*#{1,6}[ \t]*(?P<name>[^:\n]+?)[ \t]*(?::[ \t]*(?P<inline>[^\n]*))?$", re.MULTILINE
)

_NUMBER = r"(\d{1,6})"


def user_turns(messages: Sequence[Message]) -> list[str]:
    return [message.content for message in messages if message.role == "user"]


def sections(text: str) -> list[tuple[str, str]]:
    """The headings of a text (lower case, without colon) and what follows each up to the next."""
    marks = list(_HEADING.finditer(text))
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    return [
        (mark["name"].casefold(), f"{mark['inline'] or ''}\n{text[mark.end() : end]}".strip())
        for mark, end in zip(marks, ends, strict=False)
    ]


def ends_with_heading(text: str, *names: str) -> bool:
    """Whether the last thing in a prompt is an empty section for the answer, of such a name."""
    found = sections(text)
    return bool(found) and found[-1][0] in names and not found[-1][1]


def section(text: str, name: str) -> str:
    """What stands under the first heading of a name; empty where there is none."""
    return next((body for found, body in sections(text) if found == name), "")


def slot(text: str, *names: str) -> str:
    """The first line under the last heading of such a name: few-shot examples come before it."""
    bodies = [body for found, body in sections(text) if found in names]
    return bodies[-1].partition("\n")[0].strip() if bodies else ""


def between(text: str, first: str, last: str) -> str:
    """From the first heading of a name to the last of another: slots may hold headings too."""
    marks = [(mark["name"].casefold(), mark) for mark in _HEADING.finditer(text)]
    start = next((mark for name, mark in marks if name == first), None)
    if start is None:
        return ""
    end = next(
        (
            mark.start()
            for name, mark in reversed(marks)
            if name == last and mark.end() > start.end()
        ),
        len(text),
    )
    return f"{start['inline'] or ''}\n{text[start.end() : end]}".strip()


def labelled(text: str, pattern: str) -> str:
    """The rest of the last line that begins with a label, such as "Topic: …"."""
    found = re.findall(rf"(?im)^[ \t]*(?:{pattern})[^:\n]*:[ \t]*([^\n]*)$", text)
    return found[-1].strip() if found else ""


def count_wanted(text: str, *, otherwise: int) -> int:
    """How many entries a prompt asks for: "Number of …: 7", else "at most 7"."""
    for pattern in (rf"(?im)^[ \t]*number of [^:\n]*:[ \t]*{_NUMBER}", rf"(?i)\bat most {_NUMBER}"):
        if found := re.findall(pattern, text):
            return int(found[-1])
    return otherwise


def known_names(text: str) -> frozenset[str]:
    """What a prompt says is listed already, one spelling each."""
    line = labelled(text, r"[^:\n]*\balready (?:listed|named|known)")
    return frozenset(spelled(name) for name in line.split(",")) - {"", "none"}


def names_in(text: str) -> list[str]:
    """Names separated by commas or lines, in one spelling."""
    return [name for entry in re.split(r"[,\n]", text) if (name := spelled(entry))]


def spelled(name: str) -> str:
    return re.sub(r"[\W_]+", "_", name.casefold()).strip("_")


def conversation(text: str) -> tuple[str, str] | None:
    """The instruction and response of an assistant's turn in the asked form, or None."""
    found = [entry for entry in sections(text) if entry[0] in ("instruction", "response")]
    if [name for name, _ in found] != ["instruction", "response"]:
        return None
    return found[0][1], found[1][1]
