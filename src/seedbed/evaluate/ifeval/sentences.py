"""Sentences and words of a response, as IFEval counts them.

The official scorer splits sentences with a trained model (Punkt) that has to be downloaded. A few
rules come to the same counts nearly always; where they differ is in `docs/evaluation.md`.
"""

from __future__ import annotations

import re

_END = re.compile(r"(?P<stop>[.!?]+)[\"'”’)\]*_]*(?=\s|$)")
"""What can end a sentence: a stop, perhaps closing marks, and then space or the end."""

_BEFORE = re.compile(r"\S+$")
_NEXT = re.compile(r"\s*[^\w\s]*(?P<first>\w)?")

_NEVER_LAST = frozenset(
    {
        "mr", "mrs", "ms", "dr", "prof", "st", "gen", "rep", "sen", "gov", "capt", "lt", "col",
        "sgt", "rev", "hon", "pres", "jr", "sr", "vs", "fig", "no", "vol", "ed", "eds", "pp",
        "e.g", "i.e", "cf", "approx", "dept", "est", "al", "jan", "feb", "mar", "apr", "jun",
        "jul", "aug", "sep", "sept", "oct", "nov", "dec",
    }
)  # fmt: skip
"""Abbreviations after which a sentence goes on."""

_MAY_BE_LAST = frozenset(
    {"etc", "inc", "ltd", "co", "corp", "u.s", "u.k", "a.m", "p.m", "ph.d", "b.a", "m.a"}
)
"""Abbreviations that end a sentence only where a capital letter follows."""


def sentences(text: str) -> list[str]:
    """The sentences of a text; lines without a stop belong to the sentence that follows."""
    found, start = [], 0
    for match in _END.finditer(text):
        if _ends(text, match):
            found.append(text[start : match.end()])
            start = match.end()
    found.append(text[start:])
    return [sentence.strip() for sentence in found if sentence.strip()]


def _ends(text: str, match: re.Match[str]) -> bool:
    following = _NEXT.match(text, match.end())
    first = following["first"] if following else None
    lower = first is not None and first.islower()
    if match["stop"] != ".":
        return not (lower and match["stop"].startswith(".."))
    token = _BEFORE.search(text[: match.start()])
    word = token[0].lstrip("\"'“‘([*_").casefold() if token else ""
    if word in _NEVER_LAST:
        return first is None
    if word in _MAY_BE_LAST or word.isdigit() or re.fullmatch(r"(?:[a-z]\.)*[a-z]", word):
        return not lower and (len(word) != 1 or word.isdigit() or first is None)
    return True


def count_words(text: str) -> int:
    """Runs of letters, digits and underscores: "don't" counts two."""
    return len(re.findall(r"\w+", text))


def capital_words(text: str) -> int:
    """Words all in capitals; an apostrophe or a blank parts words, a hyphen does not."""
    return sum(word.isupper() for word in re.findall(r"\w+(?:[-/&.]\w+)*", text))
