"""Reading what the teacher wrote: strict where an example is made, lenient where a list is."""

from __future__ import annotations

import re

from seedbed.recipes.skillmix.skillset import normalise
from seedbed.records import Drop, QueryType

_HEADING = re.compile(
    r"^[ \t]*#{1,6}[ \t]*(?P<name>Instruction|Response)[ \t]*:?[ \t]*$|"
    r"^[ \t]*#{1,6}[ \t]*(?P<inline>Instruction|Response)[ \t]*:[ \t]*(?=\S)",
    re.MULTILINE | re.IGNORECASE,
)


def parse_conversation(text: str) -> tuple[str, str] | Drop:
    """The instruction and the response of one final turn, or what is wrong with it.

    Both have to stand in this turn, once each, in this order, nothing before them. The paper's
    code takes them from different turns and falls back to the whole message, which is how markers
    and commentary came into its data.
    """
    headings = list(_HEADING.finditer(text))
    names = [(found["name"] or found["inline"]).lower() for found in headings]
    if names != ["instruction", "response"]:
        return Drop(
            reason="unparsed",
            evidence={
                "expected": "### Instruction: … ### Response: …",
                "found": ", ".join(names) or "no headings",
            },
        )
    if text[: headings[0].start()].strip():
        return Drop(
            reason="unparsed",
            evidence={"expected": "nothing before the instruction", "found": text[:80].strip()},
        )
    instruction = text[headings[0].end() : headings[1].start()].strip()
    response = text[headings[1].end() :].strip()
    if not instruction or not response:
        return Drop(
            reason="empty", evidence={"field": "response" if instruction else "instruction"}
        )
    return instruction, response


_BULLET = re.compile(r"^\s*(?:[-*•+]\s+|\(?\d{1,4}[.):]\s*)")


def parse_names(text: str) -> list[str]:
    """Names from a list with one on each line, normalised; headings and sentences are no names."""
    found = []
    for line in text.splitlines():
        if line.lstrip().startswith("#"):
            continue
        entry = _BULLET.sub("", line).strip(" \t`*_\"'.,:;")
        if entry and len(entry.split()) <= 8 and (name := normalise(entry)):
            found.append(name)
    return [] if found == ["none"] else found


_TYPE_HEADING = re.compile(r"^\s*#{2,6}\s*(?:\d+[.)]\s*)?\**(?P<name>[^*\n]+?)\**\s*:?\s*$", re.M)


def parse_query_types(text: str) -> list[QueryType]:
    """Query types from `### Name`, a definition, and example queries as bullets."""
    headings = list(_TYPE_HEADING.finditer(text))
    ends = [heading.start() for heading in headings[1:]] + [len(text)]
    types = []
    for heading, end in zip(headings, ends, strict=True):
        lines = [line.strip() for line in text[heading.end() : end].splitlines() if line.strip()]
        bullets = [line for line in lines if _BULLET.match(line)]
        definition = " ".join(line for line in lines if not _BULLET.match(line))
        if definition:
            types.append(
                QueryType(
                    name=heading["name"].strip(),
                    definition=definition,
                    examples=tuple(_BULLET.sub("", line).strip(' "“”') for line in bullets),
                )
            )
    return types
