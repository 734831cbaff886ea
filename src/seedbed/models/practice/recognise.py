"""Which practice skills a real instruction needs, as far as plain word patterns can tell.

Instructions of the practice world are read exactly. On others each skill has at most one pattern,
and what no pattern finds is not claimed: most instructions of a real dataset need none of these.
"""

from __future__ import annotations

import re

from seedbed.models.practice.marking import skills_of
from seedbed.models.practice.world import skills

_READ = 600
"""Characters of an instruction that are looked at: what is asked stands at its beginning."""

_PROGRAMMING = re.compile(
    r"\b(?:code|coding|programs?|function|script|query|sql|html|python|java(?:script)?|php|c\+\+|"
    r"algorithm|regular expression|password)\b",
    re.IGNORECASE,
)
"""Who asks for a program that sorts does not ask for sorting, and programming is no skill here."""

_RECOGNISERS = tuple(
    (skill.name, re.compile(skill.recogniser, re.IGNORECASE))
    for skill in skills()
    if skill.recogniser
)


def recognise(instruction: str) -> tuple[str, ...]:
    """The skills of an instruction, in the order in which it speaks of them."""
    if exact := skills_of(instruction):
        return exact
    start = instruction[:_READ]
    if _PROGRAMMING.search(start):
        return ()
    found = [
        (match.start(), name) for name, pattern in _RECOGNISERS if (match := pattern.search(start))
    ]
    return tuple(name for _, name in sorted(found))
