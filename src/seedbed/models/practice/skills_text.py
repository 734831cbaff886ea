"""Skills of rewriting words letter by letter."""

from __future__ import annotations

from seedbed.models.practice.skill import Parameters, PracticeSkill, says
from seedbed.models.practice.values import VOWELS, Kind, Value, like, phrase

TEXTS: tuple[Kind, ...] = ("words", "phrase")


def _backwards(value: Value, _: Parameters) -> Value | None:
    plain = all(item.isalpha() for item in value.items)
    return like(value, tuple(item[::-1] for item in value.items)) if plain else None


def _without_vowels(value: Value, _: Parameters) -> Value | None:
    plain = all(item.isalpha() for item in value.items)
    return like(value, tuple(VOWELS.sub("", item) for item in value.items)) if plain else None


SKILLS: tuple[PracticeSkill, ...] = (
    PracticeSkill(
        name="capital_letters",
        topic="text_transformation",
        description="writes a text in capital letters",
        phrasings=(
            "write {it} in capital letters",
            "put {it} in upper case",
            "turn {it} into capitals",
            "change {it} to upper case",
        ),
        accepts=("words", "phrase", "sentence"),
        gives=None,
        apply=lambda value, _: like(value, tuple(item.upper() for item in value.items)),
        explain=says("In capital letters: {after}"),
        recogniser=r"\b(?:in|into|to) (?:all )?(?:upper ?case|capital letters)\b|\bcapitali[sz]e\b",
    ),
    PracticeSkill(
        name="backward_spelling",
        topic="text_transformation",
        description="spells words backwards",
        phrasings=(
            "spell {it} backwards",
            "write {it} with all letters backwards",
            "reverse the letters of {it}",
            "mirror the spelling of {it}",
        ),
        accepts=TEXTS,
        gives=None,
        apply=_backwards,
        explain=says("Spelled backwards this is {after}."),
        recogniser=r"\b(?:spell|write)\b[^.]*\bbackwards?\b|\breverse (?:the|a) (?:string|word)\b",
    ),
    PracticeSkill(
        name="first_letters",
        topic="text_transformation",
        description="makes an abbreviation of the first letters of words",
        phrasings=(
            "make an abbreviation from the first letters of {it}",
            "join the first letters of {it} in capitals",
            "build an acronym from {it}",
            "take the initials of {it} as one word",
        ),
        accepts=("words",),
        gives="phrase",
        apply=lambda value, _: phrase("".join(item[0].upper() for item in value.items)),
        explain=says("The first letters make {after}."),
        recogniser=r"\b(?:acronym|initials|abbreviation)\b",
    ),
    PracticeSkill(
        name="removing_vowels",
        topic="text_transformation",
        description="leaves the vowels out of words",
        phrasings=(
            "remove the vowels from {it}",
            "leave out the vowels of {it}",
            "drop all vowels in {it}",
            "strip the vowels from {it}",
        ),
        accepts=TEXTS,
        gives=None,
        apply=_without_vowels,
        explain=says("Without vowels this is {after}."),
        recogniser=r"\b(?:remove|without|drop|delete)\b[^.]*\bvowels\b",
    ),
)
