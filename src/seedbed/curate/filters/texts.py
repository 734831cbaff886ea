"""Checks that fit any text: how long it is, how it begins, which words and scripts it holds."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from string import punctuation

from seedbed.curate.filters.checks import Check
from seedbed.curate.rouge import unicode_words
from seedbed.records import Drop

_STOP_WORDS = (
    "a an the and or but if so as of at by for from in into on onto to with about over under than "
    "then that this these those there here it its he him his she her hers they them their we us "
    "our you your i me my is are was were be been being am do does did have has had will would "
    "can could shall should may might must just very also"
)
STOP_WORDS = frozenset(_STOP_WORDS.split())
"""English words that say nothing by themselves. "yes", "no", "not", "all", "both", "more" and their
like are left out, because each can be the whole right response to a question."""

EVOL_MARKERS = (
    "given prompt",
    "rewritten prompt",
    "created prompt",
    "new prompt",
    "#the given",
    "prompt rewriter",
    "prompt creator",
)
"""Words of Evol-Instruct's own prompts (arXiv 2304.12244, section 3.2, elimination rule 4); "new
prompt" is h2o-wizardlm's."""


def split_words(text: str) -> list[str]:
    """Words between white space, as Self-Instruct counts them: one per Chinese sentence."""
    return text.split()


def word_count(
    *,
    minimum: int = 0,
    maximum: int | None = None,
    words: Callable[[str], Sequence[str]] = unicode_words,
) -> Check:
    """Reasons `too_short`, `too_long`; both bounds are allowed values.

    `words` decides what a word is; the default counts one per ideograph, so that the same bounds
    serve scripts that are written without spaces.
    """
    return _between(minimum, maximum, "words", lambda text: len(words(text)))


def character_count(*, minimum: int = 0, maximum: int | None = None) -> Check:
    """Reasons `too_short`, `too_long`, in code points without the space around the text."""
    return _between(minimum, maximum, "characters", lambda text: len(text.strip()))


def _between(minimum: int, maximum: int | None, unit: str, size_of: Callable[[str], int]) -> Check:
    def check(text: str) -> Drop | None:
        size = size_of(text)
        if size < minimum:
            return Drop(reason="too_short", evidence={unit: size, "minimum": minimum})
        if maximum is not None and size > maximum:
            return Drop(reason="too_long", evidence={unit: size, "maximum": maximum})
        return None

    return check


def empty() -> Check:
    """Reason `empty`: nothing but white space, control and invisible format characters."""

    def check(text: str) -> Drop | None:
        seen = any(unicodedata.category(character)[0] not in "CZ" for character in text)
        return None if seen else Drop(reason="empty", evidence={"characters": len(text)})

    return check


def keyword(terms: Collection[str]) -> Check:
    """Reason `keyword`: one of the terms occurs as a whole word, whatever its case.

    "map" does not object to "mapping", and "go to" does to "Go to". An inner space of a term
    matches any white space.
    """
    ordered = sorted({" ".join(term.split()) for term in terms} - {""}, key=lambda t: (-len(t), t))
    any_term = "|".join(re.escape(term).replace(r"\ ", r"\s+") for term in ordered)
    search = re.compile(rf"(?<!\w)(?:{any_term})(?!\w)", re.IGNORECASE).search

    def check(text: str) -> Drop | None:
        if not ordered or (match := search(text)) is None:
            return None
        return Drop(reason="keyword", evidence={"keyword": match[0].lower(), "at": match.start()})

    return check


def banned_start(starts: Collection[str]) -> Check:
    """Reason `banned_start`: the text begins with one of `starts`, in exactly this case."""

    def check(text: str) -> Drop | None:
        found = next((start for start in starts if text.startswith(start)), None)
        return None if found is None else Drop(reason="banned_start", evidence={"start": found})

    return check


def starts_with_punctuation() -> Check:
    """Reason `starts_with_punctuation`, by the 32 ASCII signs of `string.punctuation`."""

    def check(text: str) -> Drop | None:
        if text[:1] and text[0] in punctuation:
            return Drop(reason="starts_with_punctuation", evidence={"character": text[0]})
        return None

    return check


def starts_outside_ascii() -> Check:
    """Reason `starts_outside_ascii`. Self-Instruct's stand-in for "not English"."""

    def check(text: str) -> Drop | None:
        if text[:1].isascii():
            return None
        return Drop(reason="starts_outside_ascii", evidence={"character": text[0]})

    return check


def no_content(stop_words: Collection[str] = STOP_WORDS) -> Check:
    """Reason `no_content`: only punctuation and stop words (Evol-Instruct, elimination rule 3)."""

    def check(text: str) -> Drop | None:
        words = unicode_words(text)
        if any(word not in stop_words for word in words):
            return None
        return Drop(reason="no_content", evidence={"words": len(words)})

    return check


def foreign_script(scripts: Collection[str] = ("LATIN",), *, minimum_share: float = 0.7) -> Check:
    """Reason `foreign_script`: less than `minimum_share` of the letters are in `scripts`.

    Scripts are named as Unicode names its letters: LATIN, CYRILLIC, ARABIC, DEVANAGARI, CJK,
    HIRAGANA, HANGUL, … A text without letters passes. This cannot tell languages of one script
    apart (English from French, Russian from Ukrainian); `language` can, with a detector.
    """
    wanted = frozenset(scripts)

    def check(text: str) -> Drop | None:
        letters = Counter(_script(character) for character in text if character.isalpha())
        if not letters:
            return None
        share = sum(letters[script] for script in wanted) / letters.total()
        if share >= minimum_share:
            return None
        most, _ = letters.most_common(1)[0]
        return Drop(
            reason="foreign_script",
            evidence={"share": share, "minimum": minimum_share, "script": most},
        )

    return check


def script_names() -> frozenset[str]:
    """Every name that `foreign_script` can tell; it looks at all of Unicode, for half a second."""
    return frozenset(_script(chr(each)) for each in range(sys.maxunicode) if chr(each).isalpha())


@lru_cache(maxsize=65_536)
def _script(character: str) -> str:
    plain = unicodedata.normalize("NFKC", character)[:1]
    return unicodedata.name(plain, "UNNAMED").split()[0]


def language(allowed: Collection[str], *, detect: Callable[[str], str]) -> Check:
    """Reason `language`: `detect` names a language that is not allowed.

    Bring your own detector (lingua, fastText, …): each is large, and each is unsure of a sentence
    of five words or of code, so none is built in and no default preset uses one.
    """

    def check(text: str) -> Drop | None:
        found = detect(text)
        return None if found in allowed else Drop(reason="language", evidence={"language": found})

    return check


def leaked_prompt(
    phrases: Collection[str] = (), *, templates: Collection[str] = (), shared_words: int = 8
) -> Check:
    """Reason `leaked_prompt`: the text repeats the prompt that asked for it.

    Args:
        phrases: objected to wherever they occur, whatever their case and spacing.
        templates: the prompts themselves; a text that shares `shared_words` consecutive words
            with one of them has copied it. Leave out templates that quote real instructions.
    """
    short = tuple(_spaced(phrase) for phrase in phrases)
    runs = {run for template in templates for run in _runs(template, shared_words)}

    def check(text: str) -> Drop | None:
        flat = _spaced(text)
        copied = next((phrase for phrase in short if phrase in flat), None)
        if copied is None and runs:
            copied = next((" ".join(run) for run in _runs(text, shared_words) if run in runs), None)
        return None if copied is None else Drop(reason="leaked_prompt", evidence={"phrase": copied})

    return check


def _spaced(text: str) -> str:
    return " ".join(text.lower().split())


def _runs(text: str, length: int) -> list[tuple[str, ...]]:
    words = unicode_words(text)
    return [tuple(words[i : i + length]) for i in range(len(words) - length + 1)]
