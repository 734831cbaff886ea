"""From what the model wrote to the evolved instruction: what stands around it is taken off."""

from __future__ import annotations

import re

_HEADING = re.compile(
    r"^(?:[^\w\n]|_)*(?:the )?(?:rewritten|created|new|evolved)[ _](?:prompt|instruction)\b"
    r"[^\w\n]*",
    re.IGNORECASE | re.MULTILINE,
)
"""`### Rewritten prompt:` at the beginning of a line; what it announces may follow on the line."""

_PREFACE = re.compile(
    r"\A[^\n:]{0,80}\b(?:here(?:'s| is)|below is|rewritten|evolved|(?:more|harder) \w+)\b"
    r"[^\n:]{0,80}"
    r"\b(?:prompt|instruction|version|rewrite|task|question)\b[^\n:]{0,60}:[ \t]*\n+",
    re.IGNORECASE,
)
"""A first line such as "Sure! Here is a more complex version of the prompt:"."""

_QUOTES = (('"', '"'), ("“", "”"), ("```\n", "\n```"))


def repaired(text: str) -> tuple[str, tuple[str, ...]]:
    """The instruction in a completion, and the names of what was taken off.

    A heading counts wherever it begins a line, the last one most: models echo the prompt. Markers
    inside a line stay, and are objected to later.
    """
    repairs = []
    text = text.replace("\r\n", "\n").strip()
    found = list(_HEADING.finditer(text))
    if found and (rest := text[found[-1].end() :].strip()):
        text, repairs = rest, ["heading_removed"]
    if (preface := _PREFACE.match(text.replace("’", "'"))) and text[preface.end() :].strip():
        text = text[preface.end() :].strip()
        repairs.append("preface_removed")
    for left, right in _QUOTES:
        inner = text[len(left) : -len(right)]
        if text.startswith(left) and text.endswith(right) and _is_plain(inner, left, right):
            text = inner.strip()
            repairs.append("quotes_removed")
    return text, tuple(repairs)


def _is_plain(inner: str, left: str, right: str) -> bool:
    return bool(inner.strip()) and left not in inner and right not in inner
