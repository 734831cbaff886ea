"""Reading what the teacher wrote: strict where an example is made, lenient where a list is."""

from __future__ import annotations

import re

from seedbed.recipes.skillmix.skillset import normalise
from seedbed.records import Drop, QueryType

_HEADING = re.compile(
    r"^[ \t]*#{1,6}[ \t]*(?P<name>Instruction|Response)[ \t]*(?::[ \t]*)?$|"
    r"^[ \t]*#{1,6}[ \t]*(?P<inline>Instruction|Response)[ \t]*:[ \t]*(?=\S)",
    re.MULTILINE | re.IGNORECASE,
)


def parse_conversation(text: str) -> tuple[str, str] | Drop:
    """The instruction and the response of one final turn, or what is wrong with it.

    Both have to stand in this turn, once each, in this order, nothing before them. The paper's
    code takes them from different turns and falls back to the whole message, which is how markers
    and commentary came into its data. A response with a "Response" heading of its own is dropped
    too: where it begins would be a guess.
    """
    text = text.replace("\r\n", "\n")
    headings = list(_HEADING.finditer(text))
    names = [(found["name"] or found["inline"]).lower() for found in headings]
    if names != ["instruction", "response"]:
        return Drop(
            reason="unparsed",
            evidence={
                "expected": "### Instruction: … ### Response: …",
                "found": ", ".join(names[:10]) or "no headings",
            },
        )
    if before := text[: headings[0].start()].strip():
        return Drop(
            reason="unparsed",
            evidence={"expected": "nothing before the instruction", "found": before[:80]},
        )
    instruction = text[headings[0].end() : headings[1].start()].strip()
    response = text[headings[1].end() :].strip()
    if not instruction or not response:
        return Drop(
            reason="empty", evidence={"field": "response" if instruction else "instruction"}
        )
    return instruction, response


BULLET = re.compile(r"^[ \t]*(?:[-*•+][ \t]+|\(?\d{1,4}[.):](?!\d)[ \t]*)")

_FENCE = "```"
_TRIMMED = " \t`*_\"'“”"
_COMMA = re.compile(r"[,;]")
_LABEL = re.compile(r"(?:chosen |needed )?(?:skills|topics|families|labels)", re.IGNORECASE)
_WORDS_IN_A_NAME = 8
_LETTERS_IN_A_NAME = 80


def parse_names(text: str) -> list[str]:
    """Distinct names from a list with one on each line, normalised.

    Bullets, numbers, bold, quotes and a description after a colon are taken off; headings, code
    fences and sentences are no names; "none" alone or in front says that there are none. An answer
    of one line only may separate its names by commas.
    """
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith(("#", _FENCE))]
    entries = [entry for line in lines if (entry := _entry(line)) and not _is_sentence(entry)]
    if len(entries) == 1:
        entries = _separated(entries[0])
    names = [name for entry in entries if (name := normalise(entry)) and _is_short(name)]
    if names and re.match(r"none(_|$)", names[0]):
        return []
    return list(dict.fromkeys(name for name in names if name != "none"))


def _entry(line: str) -> str:
    """A list's line without its marker and description; empty for the heading of a list."""
    name, colon, rest = (part.strip(_TRIMMED) for part in BULLET.sub("", line).partition(":"))
    if colon and (not rest or _LABEL.fullmatch(name)):
        return rest
    return name


def _separated(entry: str) -> list[str]:
    parts = [re.sub(r"^\s*and\s", "", part) for part in _COMMA.split(entry)]
    return parts if all(len(part.split()) <= 4 for part in parts) else [entry]


def _is_sentence(entry: str) -> bool:
    """Prose around a list: "Sure!", "I hope this helps you."; but not "Time management."."""
    longest = max(len(part.split()) for part in _COMMA.split(entry))
    return entry.endswith(("!", "?")) or (entry.endswith(".") and longest > 4)


def _is_short(name: str) -> bool:
    return len(name) <= _LETTERS_IN_A_NAME and name.count("_") < _WORDS_IN_A_NAME


_TYPE_HEADING = re.compile(r"^[ \t]*#{2,6}(?P<name>[^\n]*)$", re.MULTILINE)


def parse_query_types(text: str) -> list[QueryType]:
    """Query types from `### Name`, a definition, and example queries as bullets."""
    text = text.replace("\r\n", "\n")
    headings = list(_TYPE_HEADING.finditer(text))
    ends = [heading.start() for heading in headings[1:]] + [len(text)]
    types = []
    for heading, end in zip(headings, ends, strict=False):
        name = BULLET.sub("", heading["name"].strip().strip("*")).strip(" \t*:#")
        lines = [line.strip() for line in text[heading.end() : end].splitlines() if line.strip()]
        bullets = [line for line in lines if BULLET.match(line)]
        definition = " ".join(line for line in lines if not BULLET.match(line))
        definition = re.sub(r"^\**Definition\**:\** *", "", definition)
        if normalise(name) and definition:
            types.append(
                QueryType(
                    name=name,
                    definition=definition,
                    examples=tuple(BULLET.sub("", line).strip(' "“”') for line in bullets),
                )
            )
    return types
