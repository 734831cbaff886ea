"""ROUGE-L between two instructions, to the last bit as `rouge_score` 0.1.2 computes it.

F1 of the longest common subsequence, no stemmer (Lin 2004, section 3; Self-Instruct,
arXiv 2212.10560, section 2.2). The value is `2 * p * r / (p + r)` in floats, not the equal
`2 * matches / (m + n)`: where matches / (m + n) is exactly 7/20 the first lands above 0.7 for
about half of the lengths, and whether a text is rejected there depends on it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

from seedbed.errors import ConfigError

Token = TypeVar("Token", bound=Hashable)
Tokenizer = Callable[[str], list[str]]

_ascii_words = re.compile(r"[a-z0-9]+").findall

# Blocks of scripts that are written without spaces between words, so that a sentence would be
# one word: (first, last) code points. Korean and Tibetan do mark their units and are not here.
_UNSPACED = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Burmese
    (0x1780, 0x17FF),  # Khmer
    (0x1950, 0x19DF),  # Tai Le, New Tai Lue
    (0x1A20, 0x1AAF),  # Tai Tham
    (0x1B00, 0x1B7F),  # Balinese
    (0x3005, 0x3007),  # ideographic iteration mark, closing mark, zero
    (0x3021, 0x3029),  # Hangzhou numerals
    (0x3040, 0x312F),  # Hiragana, Katakana, Bopomofo
    (0x31A0, 0x31BF),  # Bopomofo extended
    (0x31F0, 0x31FF),  # Katakana extensions
    (0x3400, 0x4DBF),  # ideographs, extension A
    (0x4E00, 0xA4CF),  # ideographs, Yi
    (0xA980, 0xA9FF),  # Javanese, Burmese extended
    (0xAA60, 0xAA7F),  # Burmese extended
    (0xF900, 0xFAFF),  # compatibility ideographs
    (0x1B000, 0x1B16F),  # historic kana
    (0x20000, 0x3FFFF),  # ideographs, later extensions
)


def tokenizer(name: str) -> Tokenizer:
    """The tokenizer called `name`: "rouge" (the paper's) or "unicode".

    Raises:
        ConfigError: there is no tokenizer of that name.
    """
    if name not in _TOKENIZERS:
        raise ConfigError(
            f"tokenizer: {name!r} is unknown, expected one of {', '.join(sorted(_TOKENIZERS))}",
            hint='"unicode" reads every script; "rouge" reproduces Self-Instruct and Alpaca.',
        )
    return _TOKENIZERS[name]


def rouge_words(text: str) -> list[str]:
    """Runs of a-z and 0-9 after lower-casing; every other script has no words at all."""
    return _ascii_words(text.lower())


def unicode_words(text: str) -> list[str]:
    """Words in every script; on ASCII text the same as `rouge_words`.

    A word is a run of letters, digits and combining marks. In scripts without spaces every code
    point is a word of its own, and so is every pictograph. Text is NFKC-normalised and
    case-folded, so that full-width, decomposed and capital forms of a word are one word; joiners
    and other invisible format characters are removed first, because they part no words.
    """
    if text.isascii():
        return _ascii_words(text.lower())
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return folded.translate(_spacing).split()


class _Spacing(dict[int, str]):
    """What stands for a code point once words are parted by spaces; filled as text comes."""

    def __missing__(self, code: int) -> str:
        self[code] = spaced = _spaced(code)
        return spaced


def _spaced(code: int) -> str:
    character = chr(code)
    category = unicodedata.category(character)
    if (category == "Cf" and code != 0x200B) or 0xFE00 <= code <= 0xFE0F:
        return ""  # joiners, direction marks, variation selectors; a zero-width space does part
    if category == "So":
        return f" {character} "
    if category[0] not in "LMN":
        return " "
    return f" {character} " if any(a <= code <= b for a, b in _UNSPACED) else character


_spacing = _Spacing()
_TOKENIZERS: Mapping[str, Tokenizer] = {"rouge": rouge_words, "unicode": unicode_words}


def f1(matches: int, m: int, n: int) -> float:
    """ROUGE-L F1 of texts of `m` and `n` tokens whose common subsequence has `matches`.

    Symmetric in m and n to the last bit: `2 * p` is exact, and products and sums commute.
    """
    if not matches:
        return 0.0
    precision, recall = matches / n, matches / m
    return 2 * precision * recall / (precision + recall)


def rouge_l(first: Sequence[Token], second: Sequence[Token]) -> float:
    """ROUGE-L F1 of two token sequences, between 0 and 1; 0 where either is empty."""
    return f1(matches(positions(first), len(first), second), len(first), len(second))


def positions(tokens: Iterable[Token]) -> dict[Token, int]:
    """For each token the set of its positions, as the bits of one integer."""
    found: dict[Token, int] = {}
    bit = 1
    for token in tokens:
        found[token] = found.get(token, 0) | bit
        bit <<= 1
    return found


def matches(places: Mapping[Token, int], m: int, tokens: Iterable[Token]) -> int:
    """Length of the longest common subsequence of `tokens` and the `m` tokens behind `places`.

    Bit-parallel (Hyyrö 2004): bit i of `open_` is cleared where the optimal path gains a match at
    position i, so one addition handles a whole row of the dynamic program. Integers of any size
    serve texts of any length.
    """
    whole = (1 << m) - 1
    open_ = whole
    place_of = places.get
    for token in tokens:
        if place := place_of(token):
            hit = open_ & place
            open_ = (open_ + hit) | (open_ - hit)
    return m - (open_ & whole).bit_count()
