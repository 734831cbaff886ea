"""Where a text was cut off: at the token limit, or by a stop string that occurs in prose.

Alpaca's stop string "20." ends "... as of 2020." at "... as of 20" with the finish reason "stop",
so nothing but the text itself tells (released Alpaca rows show it). Each rule names a sign that a
finished text does not end with; a missing full stop alone is no such sign, because labels, lists,
titles and code have none.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from seedbed.curate.filters.checks import Check
from seedbed.records import Drop

_MONTHS = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    r"sep(?:t(?:ember)?)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_CUT_YEAR = re.compile(
    rf"(?:\b(?:in|of|since|until|till|by|year|early|late|mid|summer|spring|autumn|fall|winter)"
    rf"|\b{_MONTHS}\.? \d{{1,2}}(?:st|nd|rd|th)?,?|\b\d{{1,2}}\.? {_MONTHS},?"
    r"|\b(?:19|20)\d\d ?[-–]| (?:from|between) (?:19|20)\d\d (?:to|and)) ?(?:19|20)\Z",
    re.IGNORECASE,
)
_COUNT_OF = re.compile(r"\b(?:out of|list of|total of|set of|average of|sum of) 20\Z", re.I)
_OPEN_WORDS = re.compile(
    r"(?:(?<=[a-z] )an?|\b(?:the|of|and|or|but|with|from|into|than|because|although|which|whose|"
    r"their|its|our|your|my|such as|as well as|in order to|due to|is a|are the|will be|has been|"
    r"have been|would be|can be))\Z"
)
_WORD_LIST = re.compile(r", [\w'-]+, (?!and\Z|or\Z|but\Z)[\w'-]+\Z")
"""A list of words, which may end with any of them: "school, the, near, the"."""

_LIST_NUMBER = re.compile(r"\n[ \t]*(?:\d{1,3}[.)]|[-*•])[ \t]*\Z")
_PAIRS = {"(": ")", "[": "]", "{": "}"}
_TAIL = 300
_PROSE = 8


def _ends_with_an_open_word(text: str) -> bool:
    if not text[-1].isalpha():
        return False
    found = _OPEN_WORDS.search(text) is not None and _WORD_LIST.search(text) is None
    return found and _is_prose(text)


def truncated() -> Check:
    """Reason `truncated`, with the sign in the evidence.

    Signs: `code_fence` (an opened ``` is never closed), `list_number` (ends with a bare "3."),
    `comma` (or an opening bracket), `bracket` (opened in the last 300 characters of prose and not
    closed), `open_word` ("… because of the") and `year` ("… in 20").
    """
    signs: tuple[tuple[str, Callable[[str], bool]], ...] = (
        ("code_fence", _leaves_a_fence_open),
        ("list_number", lambda text: _LIST_NUMBER.search(text) is not None),
        ("comma", lambda text: text.endswith((",", "(", "[", "{")) and _is_prose(text)),
        ("year", _ends_in_half_a_year),
        ("open_word", _ends_with_an_open_word),
        ("bracket", _leaves_a_bracket_open),
    )

    def check(text: str) -> Drop | None:
        bare = text.strip()
        sign = next((name for name, shows in signs if bare and shows(bare)), None)
        if sign is None:
            return None
        return Drop(reason="truncated", evidence={"sign": sign, "end": bare[-40:]})

    return check


def ends_with_colon() -> Check:
    """Reason `ends_with_colon`: something was announced and did not come.

    Self-Instruct's rule. Code (`for x in y:`) and blank forms ("Name:") rightly end with one.
    """

    def check(text: str) -> Drop | None:
        bare = text.rstrip()
        if not bare.endswith((":", "：")):
            return None
        return Drop(reason="ends_with_colon", evidence={"end": bare[-40:]})

    return check


def _is_prose(text: str) -> bool:
    """The last line is long enough to end in a sentence, and not in a label or a greeting."""
    return len(text.rsplit("\n", 1)[-1].split()) >= _PROSE


def _leaves_a_fence_open(text: str) -> bool:
    return "```" in text and len(re.findall(r"^\s*```", text, re.MULTILINE)) % 2 == 1


def _ends_in_half_a_year(text: str) -> bool:
    if not text.endswith(("19", "20")):  # which spares most texts the search
        return False
    return _CUT_YEAR.search(text) is not None and _COUNT_OF.search(text) is None


def _leaves_a_bracket_open(text: str) -> bool:
    """Looks at the last paragraph only, and not at one with code, maths or a finished sentence."""
    tail = re.sub(r"[:;=]-?[(\[]", " ", text[-_TAIL:].rsplit("\n", 1)[-1])  # not a smiley
    if not _is_prose(tail) or text[-1] in ".!?:;\"'`*”" or re.search(r"[`=<>\\$|]", tail):
        return False
    waiting: list[str] = []
    for character in tail:
        if character in _PAIRS:
            waiting.append(_PAIRS[character])
        elif waiting and character == waiting[-1]:
            waiting.pop()
    return bool(waiting)
