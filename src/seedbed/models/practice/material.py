"""What instructions are about: numbers, words, sentences and dates, drawn and shown."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from random import Random

from seedbed.models.practice.values import Kind, Value

WORDS = (
    "apple", "bread", "chair", "cloud", "dance", "eagle", "field", "ghost", "honey", "igloo",
    "jelly", "knife", "lemon", "mango", "night", "ocean", "piano", "queen", "river", "stone",
    "table", "uncle", "violin", "water", "yacht", "zebra", "bird", "cat", "dog", "fish", "goat",
    "hat", "ink", "jar", "key", "lamp", "moon", "nest", "owl", "pen", "rain", "ship", "tree",
    "van", "wolf", "box", "corn", "drum", "egg", "fox", "garden", "hammer", "island", "jacket",
    "kitten", "ladder", "market", "needle", "orange", "pepper", "rabbit", "silver", "tunnel",
    "window",
)  # fmt: skip

_ADJECTIVES = ("red", "old", "small", "happy", "quiet", "young", "brave", "tired", "green", "tall")
_ACTORS = ("fox", "farmer", "teacher", "sailor", "child", "baker", "painter", "driver", "queen")
_VERBS = ("found", "sold", "bought", "counted", "carried", "lost", "saw", "packed")
_THINGS = ("apples", "books", "stones", "eggs", "boxes", "birds", "lamps", "coins", "hats", "maps")
_PLACES = ("in town", "at home", "by the river", "at the market", "near the school", "on Monday")

_FIRST_DAY = date(2024, 1, 1)
_DAYS = 3 * 365


def _numbers(rng: Random) -> tuple[str, ...]:
    return _with_a_double(rng, [str(rng.randint(1, 20)) for _ in range(rng.randint(3, 5))])


def _words(rng: Random) -> tuple[str, ...]:
    return _with_a_double(rng, rng.sample(WORDS, rng.randint(3, 5)))


def _with_a_double(rng: Random, items: list[str]) -> tuple[str, ...]:
    """A third of the lists repeat an item, so that removing doubles has something to do."""
    if rng.random() < 1 / 3:
        items.insert(rng.randrange(len(items) + 1), rng.choice(items))
    return tuple(items)


def _sentence(rng: Random) -> tuple[str, ...]:
    first, second = rng.sample(_THINGS, 2)
    actor = f"The {rng.choice(_ADJECTIVES)} {rng.choice(_ACTORS)}"
    counts = f"{rng.randint(2, 20)} {first} and {rng.randint(2, 20)} {second}"
    return (f"{actor} {rng.choice(_VERBS)} {counts} {rng.choice(_PLACES)}.",)


def _date(rng: Random) -> tuple[str, ...]:
    return ((_FIRST_DAY + timedelta(days=rng.randrange(_DAYS))).isoformat(),)


_DRAWS: Mapping[Kind, Callable[[Random], tuple[str, ...]]] = {
    "numbers": _numbers,
    "words": _words,
    "number": lambda rng: (str(rng.randint(2, 60)),),
    "sentence": _sentence,
    "date": _date,
}

KINDS: tuple[Kind, ...] = tuple(_DRAWS)
"""The kinds that an instruction can start from."""

SHOWN: Mapping[Kind, tuple[str, ...]] = {
    "numbers": (
        "Here are some numbers: {value}.",
        "My numbers are {value}.",
        "Take the numbers {value}.",
        "I have the numbers {value}.",
    ),
    "words": (
        "Here are some words: {value}.",
        "My words are {value}.",
        "Take the words {value}.",
        "I have the words {value}.",
    ),
    "number": (
        "Here is a number: {value}.",
        "My number is {value}.",
        "Take the number {value}.",
        "I have the number {value}.",
    ),
    "sentence": (
        'Here is a sentence: "{value}"',
        'My sentence is "{value}"',
        'Take the sentence "{value}"',
        'I have the sentence "{value}"',
    ),
    "date": (
        "Here is a date: {value}.",
        "My date is {value}.",
        "Take the date {value}.",
        "I have the date {value}.",
    ),
}
"""The sentences that introduce a material."""

_PATTERNS: Mapping[Kind, str] = {
    "numbers": r"\d+(?:, \d+)+",
    "words": r"[a-z]+(?:, [a-z]+)+",
    "number": r"\d+",
    "sentence": r'[^"]+',
    "date": r"\d{4}-\d{2}-\d{2}",
}

_SHOWN_PATTERNS: tuple[tuple[Kind, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(re.escape(form).replace(r"\{value\}", f"({_PATTERNS[kind]})")))
    for kind, forms in SHOWN.items()
    for form in forms
)


def draw_material(kind: Kind, rng: Random) -> Value:
    return Value(kind, _DRAWS[kind](rng))


def show_material(value: Value, rng: Random) -> str:
    return rng.choice(SHOWN[value.kind]).format(value=value.text)


def take_materials(text: str) -> tuple[dict[Kind, Value], str]:
    """The materials that a text introduces, and the text without them.

    A kind that is introduced twice counts once and leaves the second sentence in the text, where
    it will not parse: one instruction has at most one material of a kind.
    """
    found: dict[Kind, Value] = {}
    for kind, pattern in _SHOWN_PATTERNS:
        match = pattern.search(text) if kind not in found else None
        if match and (value := _read(kind, match[1])):
            found[kind] = value
            text = f"{text[: match.start()].rstrip()} {text[match.end() :].lstrip()}".strip()
    return found, text


def _read(kind: Kind, text: str) -> Value | None:
    if kind == "date":
        try:
            date.fromisoformat(text)
        except ValueError:
            return None
    return Value(kind, tuple(text.split(", ")) if kind in ("numbers", "words") else (text,))
