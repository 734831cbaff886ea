"""Checks for what a model wrote back: refusals, nothing at all, loops, and ends that are cut off.

All of them are patterns over English or over signs, chosen to be silent when in doubt. What they
catch and what they wrongly object to, on real data, is printed by `benchmarks/filters.py`.
"""

from __future__ import annotations

import re

from seedbed.curate.filters.checks import Check
from seedbed.curate.rouge import unicode_words
from seedbed.records import Drop

_CANNOT = (
    r"(?:can(?:no|')?t|can not|could ?n[o']t|(?:am|'m) (?:not able|unable)|will not|won't|"
    r"(?:do not|don't) have the (?:ability|capability)|(?:am|'m) not capable)"
)
_SERVE = (
    r"(?:assist|help|provide|fulfil+|generate|create|produce|comply|answer|respond|complete|access|"
    r"browse|view|see|open|display|engage|support|continue|offer|give|write|discuss|share|set up|"
    r"do (?:that|this|so)|process|perform|predict|draw|retrieve|search|determine|directly)"
)
_MODEL = r"(?:an? |the )?(?:ai|artificial intelligence|(?:large )?language model|gpt[\w-]*)"
_REFUSALS = re.compile(
    "|".join(
        (
            r"\A\W*(?:no, )?(?:(?:(?:i'm|i am|we are|we're) )?(?:very |really |so )?sorry\b|"
            rf"unfortunately|i apologi[sz]e)[^.!?\n]{{0,60}}?\bi (?:{_CANNOT} (?:to )?{_SERVE}\b|"
            r"(?:do not|don't) have access\b)",
            rf"\A\W*(?:no, )?i {_CANNOT} (?:to )?{_SERVE}\b",
            rf"\bas {_MODEL}\b[^.!?\n]{{0,80}}\bi {_CANNOT} (?:to )?{_SERVE}\b",
            rf"\bi {_CANNOT} (?:to )?(?:answer|fulfil+|(?:assist|help|comply) with|do) "
            r"(?:this|that|your)\b",
            r"\b(?:cannot|can't|not possible|impossible|unable)\b[^.!?\n]{0,60}"
            rf"\b(?:by|as|for|since i am|because i am) {_MODEL}\b",
            r"\A[^\n]{0,30}\bthis (?:task|instruction|request)\b[^\n]{0,200}"
            r"\b(?:gpt|ai|language)[\w -]{0,20}models? (?:cannot|can't|(?:is|are) unable)\b",
            r"\A\W*(?:sorry|(?:this|the|your) (?:request|prompt|question))\b[^.!?\n]{0,60}"
            r"(?:against|violates?) (?:my|our|the) (?:\w+ ){0,2}(?:polic|guideline|principle)",
        )
    ),
    re.IGNORECASE,
)
_SEARCHED = 600  # A refusal comes early; farther in, such words are the subject of a text.


def refusal() -> Check:
    """Reason `refusal`: the model declines, in English, within the first 600 characters."""

    def check(text: str) -> Drop | None:
        match = _REFUSALS.search(text[:_SEARCHED].replace("’", "'"))
        if match is None:
            return None
        return Drop(reason="refusal", evidence={"phrase": match[0].strip()[:120]})

    return check


def short_apology(*, fewer_than: int = 80) -> Check:
    """Reason `short_apology`: "sorry" in fewer than 80 words.

    Evol-Instruct's elimination rule 2, as stated in arXiv 2304.12244, section 3.2. It is coarse: a
    letter of apology fails it. `refusal` is the finer one.
    """

    def check(text: str) -> Drop | None:
        words = len(text.split())
        if words >= fewer_than or "sorry" not in text.lower():
            return None
        return Drop(reason="short_apology", evidence={"words": words, "fewer_than": fewer_than})

    return check


_NO_INPUT = (
    *("noinput", "noinputs", "noinputneeded", "noinputrequired", "noinputnecessary"),
    *("noinputprovided", "none", "na", "nil", "null", "notapplicable", "empty", "blank"),
)
_NO_RESPONSE = (
    *("nooutput", "nooutputs", "nooutputneeded", "nooutputrequired", "nooutputnecessary"),
    *("noresponse", "noinput", "noanswer", "na", "notapplicable", "nil", "null", "undefined"),
    *("placeholder", "tbd", "todo"),
)
_MARKED = re.compile(r"\A\W{0,3}[<\[{(]\W{0,2}no[\s_-]?(?:output|response)\W{0,2}[>\]})]", re.I)


def is_no_input(text: str) -> bool:
    r"""Whether the text only says that there is no input: "", "<noinput>", "No input.", "N/A", …

    Self-Instruct's and Alpaca's parsers know one spelling; models use a dozen.
    """
    bare = _bare(text)
    return not bare or bare in _NO_INPUT


def placeholder_input() -> Check:
    """Reason `placeholder_input`: words for "no input" where the input should be empty."""

    def check(text: str) -> Drop | None:
        if not text.strip() or not is_no_input(text):
            return None
        return Drop(reason="placeholder_input", evidence={"text": text.strip()[:80]})

    return check


def placeholder_response() -> Check:
    """Reason `placeholder_response`: "<nooutput>", "N/A" and their like stand for a response.

    "None", "Nothing" and "0" are right responses to some questions, and pass.
    """

    def check(text: str) -> Drop | None:
        if _bare(text) not in _NO_RESPONSE and not _MARKED.match(text):
            return None
        return Drop(reason="placeholder_response", evidence={"text": text.strip()[:80]})

    return check


def _bare(text: str) -> str:
    return re.sub(r"[\W_]+", "", text[:200]).lower()


def repetition(
    *, times: int = 5, words: int = 40, longest: int = 30, repeated_share: float = 0.6
) -> Check:
    """Reason `repetition`: a model that got caught in a loop.

    Either one phrase of 1 to `longest` words stands `times` or more times in a row and fills at
    least `words` words, or more than `repeated_share` of the 5-word runs of a text of 60 words or
    more were there before. Refrains, tables and "row, row, row your boat" stay below both.
    """

    def check(text: str) -> Drop | None:
        found = unicode_words(text)
        for period in range(1, min(longest, len(found) // times) + 1):
            least = max(words, times * period)
            if not _has_run(found, period, least):
                continue
            run, start = _longest_run(found, period)
            phrase = " ".join(found[start : start + period])
            return Drop(
                reason="repetition",
                evidence={"phrase": phrase[:120], "times": run // period, "words": run},
            )
        share = _repeated_share(found, 5)
        if len(found) >= 60 and share > repeated_share:
            return Drop(
                reason="repetition",
                evidence={"repeated_share": share, "maximum": repeated_share, "words": len(found)},
            )
        return None

    return check


def _has_run(words: list[str], period: int, least: int) -> bool:
    """Whether in a stretch of so many words each word equals the one `period` back.

    Such a stretch holds at least one of every `least - period` places; from those it is looked for.
    """
    step = least - period
    for place in range(least - 1, len(words), step):
        first, after = place, place
        while first >= period and words[first] == words[first - period]:
            first -= 1
        while first < place and after < len(words) and words[after] == words[after - period]:
            after += 1
        if after - first > step:
            return True
    return False


def _longest_run(words: list[str], period: int) -> tuple[int, int]:
    """Length and start of the longest stretch in which each word equals the one `period` back."""
    best, best_start, run = 0, 0, 0
    for i in range(period, len(words)):
        run = run + 1 if words[i] == words[i - period] else 0
        if run > best:
            best, best_start = run, i - run - period + 1
    return best + period if best else 0, best_start


def _repeated_share(words: list[str], length: int) -> float:
    runs = [tuple(words[i : i + length]) for i in range(len(words) - length + 1)]
    return 1 - len(set(runs)) / len(runs) if runs else 0.0
