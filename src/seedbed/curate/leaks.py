"""The leak guard: finds refinement commentary in an example and mends what is safe to mend.

Why it exists: Instruct-SkillMix (arXiv 2408.14774) lets the teacher draft, criticise and refine in
one conversation, and the parser keeps what the last turn says about itself. The patterns, with the
cause of each, stand in `leak_patterns`; this module decides what to do about a match. A repair
takes away whole sentences of commentary on the first or the last line, single claiming adjectives,
and markers at the edges. A leak anywhere else cannot be cut without knowing what the text means,
so the example is dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from seedbed.curate.leak_patterns import DRAFT, EXCUSES, GREETING, PATTERNS, POLISHED, Field, Mend
from seedbed.records import Drop, Example

Mode = Literal["repair", "drop", "off"]

KEPT_SHARE = 0.2
"""Less than this share of a text is no answer any more, so the example is dropped. It is low
because one sentence of praise (100 to 250 characters) may be longer than a short, true answer."""

EDGE = 700
"""Claims ("this refined plan") count within so many characters of either end; farther inside, an
improved process is as a rule the subject of the text."""

MAX_CUTS = 12  # a repair each, then the search again
MAX_LEAKS = 40
"""Whatever needs more repairs, or holds more leaks, is a self-critique and not a response."""

SENTENCE_END = re.compile(
    r"(?<!\bDr)(?<!\bMr)(?<!\bMs)(?<!\bMrs)(?<!\bSt)(?<!\bvs)(?<!\be\.g)(?<!\bi\.e)(?<!\bNo)"
    r"(?<!\b[A-Z])[.!?][\"”*)’']{0,3}\s{1,3}(?=[^a-z])"
)
OPENER = re.compile(rf"\W{{0,6}}{GREETING}(?:here|below|let['’]s|following)\b", re.IGNORECASE)
PURE_GREETING = re.compile(rf"\W{{0,4}}{GREETING}\W{{0,4}}\Z", re.IGNORECASE)
CLOSER = re.compile(
    r"\W{0,8}(?:\*\*[^*\n]{1,40}\*\*:?\s|(?:overall|finally|additionally|in summary),? )?"
    rf"(?:this|in this|it|these|my|the (?:response|answer|{POLISHED}|{DRAFT})|"
    rf"(?:by|through|with)\b[^\n]{{1,200}}, (?:this|the (?:{POLISHED} )?(?:response|answer)))\b",
    re.IGNORECASE,
)
CONTINUATION = re.compile(
    r"[\W_]*(?:\Z|(?:it|the (?:response|focus|addition|inclusion|format|concise|revised|refined)|"
    r"this (?:approach|response|version|guide|format|not only|also)|these (?:enhancements|"
    r"improvements|additions|refinements)|by (?:addressing|incorporating|focusing|adding))\b)",
    re.IGNORECASE,
)
ORPHAN = re.compile(
    r"\n\s*(?:[-*_]{3,}|[*#_ ]{2,5}(?:final |closing |overall )?(?:notes?|thoughts?|conclusion|"
    r"summary|remarks?|overview|end of response)[*_: ]{0,4})\s*\Z",
    re.IGNORECASE,
)
RULE = re.compile(r"\A-{3,}\s+(?=\S)")
CLAIMED = re.compile(
    rf"(?:(?P<before>,? (?:and|yet|but)|,)? |(?<=[*#]))(?:[a-z]{{4,14}}ly )?{POLISHED}"
    r"(?P<after>,? (?:and|yet|but)|,)?(?= )",
    re.IGNORECASE,
)
ARTICLE = re.compile(r"\b(a)n?\Z", re.IGNORECASE)
WRAPPERS = (
    ("“", "”", "wrapping_quotes"),
    ('"', '"', "wrapping_quotes"),
    ("**", "**", "wrapping_bold"),
)
QUOTED_QUESTION = re.compile(
    r"\s{0,4}(\"[^\"]{40,2000}\?\")[ \t]{0,4}\n\s{1,4}[A-Z][\w ]{2,40}:[ \t]{0,4}\n"
)
"""The question in quotes, and after it the material under a label ("Code Snippet:")."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """One match: `text[start:end]`, of which `excerpt` holds at most 80 characters."""

    kind: str
    start: int
    end: int
    excerpt: str
    mend: Mend


def find_leaks(text: str, *, field: Field, asked: str = "") -> tuple[Leak, ...]:
    """Leaks in the order of their start.

    `asked` is the instruction with its input: where it asks for a revision, or sets a length,
    words such as "the revised version" are what the user wanted and stay silent.
    """
    return tuple(sorted(_leaks(text, field, asked), key=lambda leak: (leak.start, -leak.end)))


def guard(example: Example, *, mode: Mode = "repair") -> Example | Drop:
    """The example as it is, or mended (see its `repairs`), or a `leaked_commentary` drop."""
    if mode == "off":
        return example
    instruction = _cleaned(example.instruction.text, "instruction", "", mode)
    if isinstance(instruction, Drop):
        return instruction
    asked = f"{instruction.text}\n{example.input}"
    response = _cleaned(example.response, "response", asked, mode)
    if isinstance(response, Drop):
        return response
    if not (instruction.repairs or response.repairs):
        return example
    repairs = dict.fromkeys((*example.repairs, *instruction.repairs, *response.repairs))
    return replace(
        example,
        instruction=replace(example.instruction, text=instruction.text),
        response=response.text,
        repairs=tuple(repairs),
    )


@dataclass(frozen=True, slots=True)
class _Cut:
    text: str
    repairs: tuple[str, ...] = ()


def _leaks(text: str, field: Field, asked: str) -> Iterator[Leak]:
    lowered = text.lower()
    for pattern in PATTERNS:
        if pattern.field != field or not any(word in lowered for word in pattern.words):
            continue
        excuse = EXCUSES.get(pattern.excuse)
        for number, match in enumerate(pattern.regex.finditer(text)):
            if number == 0 and excuse is not None and excuse.search(asked):
                break
            start, end = match.span()
            if pattern.mend == "claim" and EDGE < start < len(text) - EDGE:
                continue
            yield _leak(pattern.kind, text, start, end, pattern.mend)
    if field == "instruction":
        yield from _wrappers(text)


def _wrappers(text: str) -> Iterator[Leak]:
    """Marks around a whole instruction, or a quote that opens it and is never closed.

    A response may be a quotation from end to end; an instruction that is one was wrapped by the
    teacher.
    """
    body = text.strip()
    start = len(text) - len(text.lstrip())
    for left, right, kind in WRAPPERS:
        inner = body[len(left) :]
        if not body.startswith(left) or {left, right} & _marks(inner[: -len(right)]):
            continue
        if inner.endswith(right) and len(inner) > len(right):
            yield _leak(kind, text, start, start + len(body), "wrapper")
        elif kind == "wrapping_quotes" and inner:
            yield _leak("unclosed_quote", text, start, start + len(left), "marker")
    asked = QUOTED_QUESTION.match(text)
    if asked is not None:
        yield _leak("wrapping_quotes", text, *asked.span(1), "wrapper")


def _marks(text: str) -> set[str]:
    return {mark for pair in WRAPPERS for mark in pair[:2] if mark in text}


def _leak(kind: str, text: str, start: int, end: int, mend: Mend) -> Leak:
    return Leak(kind=kind, start=start, end=end, excerpt=text[start:end][:80], mend=mend)


def _cleaned(text: str, field: Field, asked: str, mode: Mode) -> _Cut | Drop:
    """The text without its leaks; `text` itself, character for character, where it has none."""
    left = _Cut(text)
    for _ in range(MAX_CUTS):
        leaks = find_leaks(left.text, field=field, asked=asked)
        if not leaks:
            return left if _enough(left, text) else _drop(left.text, field, leaks, text)
        cuts = (_cut(left.text, leak) for leak in leaks) if mode == "repair" else iter(())
        cut = next((cut for cut in cuts if cut is not None), None)
        if cut is None or len(leaks) > MAX_LEAKS:
            return _drop(left.text, field, leaks, text)
        left = _Cut(cut.text, (*left.repairs, *cut.repairs))
    return _drop(left.text, field, leaks, text)


def _enough(left: _Cut, text: str) -> bool:
    if set(left.repairs) <= {"stray_marker_removed"}:
        return bool(left.text) or not left.repairs
    return len(left.text) >= KEPT_SHARE * len(text)


def _drop(left: str, field: Field, leaks: tuple[Leak, ...], text: str) -> Drop:
    """`position` is where the first leak begins, from 0 (start) to 1 (end); no leak at all means
    that too little (`left` of `characters`) would remain."""
    evidence: dict[str, float | str] = {
        "field": field,
        "leaks": len(leaks),
        "left": len(left),
        "characters": len(text),
    }
    if leaks:
        evidence["kind"] = leaks[0].kind
        evidence["excerpt"] = leaks[0].excerpt
        evidence["position"] = round(leaks[0].start / max(len(left), 1), 3)
    return Drop(reason="leaked_commentary", evidence=evidence)


def _cut(text: str, leak: Leak) -> _Cut | None:
    """The text without this leak, or None where only a reader could tell what to cut."""
    if leak.mend == "marker":
        return _Cut((text[: leak.start] + text[leak.end :]).strip(), ("stray_marker_removed",))
    if leak.mend == "wrapper":
        width = 2 if leak.kind == "wrapping_bold" else 1
        inner = text[leak.start + width : leak.end - width]
        left = (text[: leak.start] + inner + text[leak.end :]).strip()
        return _Cut(left, ("stray_marker_removed",))
    if leak.mend == "claim":
        return _without_claim(text, leak)
    if leak.mend == "sentence":
        return _without_closing(text, leak) or _without_opening(text, leak)
    return None


def _without_claim(text: str, leak: Leak) -> _Cut | None:
    """Makes "a plan" of "an enhanced plan", "a short plan" of "a refined and short plan"."""
    match = CLAIMED.search(text, leak.start, leak.end)
    if match is None:
        return None
    kept = match["before"] or "" if match["after"] else ""
    head, tail = text[: match.start()] + kept, text[match.end() :]
    if not match.group().startswith((" ", ",")):  # a heading: "**Refined Plan" becomes "**Plan"
        return _Cut(head + tail.lstrip(" "), ("refinement_claim_removed",))
    vowel = tail[1:2].lower() in "aeiou"
    return _Cut(ARTICLE.sub(r"\1n" if vowel else r"\1", head) + tail, ("refinement_claim_removed",))


def _without_closing(text: str, leak: Leak) -> _Cut | None:
    """Cuts the leaking sentence of the last line, with the sentences that go on about it."""
    body = text.rstrip()
    line = body.rfind("\n") + 1
    if leak.start < line:
        return None
    bounds = _sentences(body, line, len(body))
    index = next(n for n, (start, end) in enumerate(bounds) if leak.start < end)
    start, end = bounds[index]
    if not CLOSER.match(body, start):
        return None
    for after, until in bounds[index + 1 :]:
        if not CONTINUATION.match(body[after:until]):
            break
        end = until
    left = (body[:start] + body[end:]).rstrip()
    while end == len(body) and start == line and ORPHAN.search(left, max(0, len(left) - 120)):
        left = ORPHAN.sub("", left).rstrip()
    return _Cut(left, ("closing_commentary_removed",))


def _without_opening(text: str, leak: Leak) -> _Cut | None:
    """Cuts "Certainly! Here's the refined response:" and keeps whatever follows the colon."""
    begin = len(text) - len(text.lstrip())
    line = text.find("\n", begin)
    line = len(text) if line < 0 else line
    if leak.end > line:
        return None
    bounds = _sentences(text, begin, line)
    index = next(n for n, (_, end) in enumerate(bounds) if leak.start < end)
    start, end = bounds[index]
    if PURE_GREETING.match(text[bounds[0][0] : bounds[0][1]]):
        start = bounds[0][0] if index == 1 else start
    if not OPENER.match(text, start):
        return None
    colon = text.find(":", leak.end, end)
    end = end if colon < 0 else colon + 1
    left = (text[:start] + text[end:].lstrip()).strip()
    return _Cut(RULE.sub("", left), ("opening_commentary_removed",))


def _sentences(text: str, begin: int, end: int) -> list[tuple[int, int]]:
    cuts = [match.end() for match in SENTENCE_END.finditer(text, begin, end)]
    edges = [begin, *(cut for cut in cuts if cut < end), end]
    return list(pairwise(edges))
