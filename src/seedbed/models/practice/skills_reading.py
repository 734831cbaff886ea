"""Skills of counting, and of finding things in a text."""

from __future__ import annotations

import re
from random import Random

from seedbed.models.practice.skill import Parameter, Parameters, PracticeSkill, says
from seedbed.models.practice.values import VOWELS, Value, number, numbers, phrase, words


def _longest(value: Value, _: Parameters) -> Value | None:
    longest = max(map(len, value.items))
    found = {item for item in value.items if len(item) == longest}
    return phrase(found.pop()) if len(found) == 1 else None


def _a_letter(rng: Random, value: Value) -> str:
    """A letter that some but not all of the words have, where there is one."""
    letters = sorted({letter for item in value.items for letter in item if letter.islower()})
    telling = [
        letter for letter in letters if not all(letter in item for item in value.items)
    ] or letters
    return rng.choice(telling) if telling else "a"


def _with_letter(value: Value, parameters: Parameters) -> Value | None:
    return words(tuple(item for item in value.items if parameters["letter"] in item))


def _plain_words(value: Value, _: Parameters) -> Value | None:
    return words(tuple(re.findall(r"[a-z]+", value.text.lower())))


def _numbers_in(value: Value, _: Parameters) -> Value | None:
    return numbers(tuple(int(found) for found in re.findall(r"\d+", value.text)))


def _vowel_count(value: Value, _: Parameters) -> Value | None:
    return number(len(VOWELS.findall(value.text)))


def _lengths_shown(before: Value, _: Parameters, after: Value) -> str:
    pairs = zip(before.items, after.items, strict=False)  # a false result may have lost one
    return f"The lengths are {', '.join(f'{word} {length}' for word, length in pairs)}."


def _vowels_shown(before: Value, _: Parameters, after: Value) -> str:
    vowels = " ".join(VOWELS.findall(before.text)) or "none"
    return f"The vowels are {vowels}, which makes {after.text}."


SKILLS: tuple[PracticeSkill, ...] = (
    PracticeSkill(
        name="counting_words",
        topic="counting_things",
        description="counts the words of a sentence, numbers included",
        phrasings=(
            "count the words in {it}",
            "find the number of words in {it}",
            "tell me how many words are in {it}",
            "give the word count of {it}",
        ),
        accepts=("sentence",),
        gives="number",
        apply=lambda value, _: number(len(value.text.split())),
        explain=says("The sentence has {after} words, numbers included."),
        recogniser=r"\b(?:number of|how many|count (?:the|of)) words\b|\bword count\b",
    ),
    PracticeSkill(
        name="counting_vowels",
        topic="counting_things",
        description="counts the vowels a, e, i, o and u in a text",
        phrasings=(
            "count the vowels in {it}",
            "find the number of vowels in {it}",
            "tell me how many vowels are in {it}",
            "give the vowel count of {it}",
        ),
        accepts=("sentence", "words", "phrase"),
        gives="number",
        apply=_vowel_count,
        explain=_vowels_shown,
        recogniser=r"\b(?:number of|count|how many)\b[^.]*\bvowels\b",
    ),
    PracticeSkill(
        name="counting_items",
        topic="counting_things",
        description="counts the entries of a list",
        phrasings=(
            "count the entries in {it}",
            "find the number of entries in {it}",
            "tell me how many entries are in {it}",
            "give the entry count of {it}",
        ),
        accepts=("numbers", "words"),
        gives="number",
        apply=lambda value, _: number(len(value.items)),
        explain=says("The list {before} has {after} entries."),
        recogniser=r"\bcount (?:of |the number of |how many )(?!words|vowels|letters|char)",
    ),
    PracticeSkill(
        name="measuring_words",
        topic="counting_things",
        description="gives the number of letters of each word",
        phrasings=(
            "give the length of each entry in {it}",
            "replace each entry of {it} by its number of letters",
            "count the letters of each entry in {it}",
            "list the word lengths of {it}",
        ),
        accepts=("words",),
        gives="numbers",
        apply=lambda value, _: numbers(tuple(map(len, value.items))),
        explain=_lengths_shown,
        recogniser=r"\b(?:number of|how many|count the) (?:letters|characters) (?:in|of|are)\b",
    ),
    PracticeSkill(
        name="extracting_numbers",
        topic="information_extraction",
        description="finds the numbers in a sentence",
        phrasings=(
            "find the numbers in {it}",
            "extract the numbers from {it}",
            "pick the numbers out of {it}",
            "list the numbers that occur in {it}",
        ),
        accepts=("sentence",),
        gives="numbers",
        apply=_numbers_in,
        explain=says("The numbers in the sentence are {after}."),
        recogniser=r"\bextract\b[^.]*\b(?:numbers|digits|prices|amounts)\b",
    ),
    PracticeSkill(
        name="listing_words",
        topic="information_extraction",
        description="lists the words of a sentence in small letters, without numbers",
        phrasings=(
            "list the words of {it} in small letters, without numbers",
            "split {it} into words in small letters, without numbers",
            "extract the words of {it} in small letters, without numbers",
            "break {it} into words in small letters, without numbers",
        ),
        accepts=("sentence",),
        gives="words",
        apply=_plain_words,
        explain=says("The words are {after}."),
        recogniser=r"\b(?:split|break|tokeni[sz]e)\b[^.]*\b(?:sentence|text|string)\b[^.]*\bwords\b",
    ),
    PracticeSkill(
        name="longest_word",
        topic="information_extraction",
        description="finds the longest word of a list",
        phrasings=(
            "find the longest entry in {it}",
            "pick the longest entry of {it}",
            "choose the entry of {it} with the most letters",
            "tell me the longest entry of {it}",
        ),
        accepts=("words",),
        gives="phrase",
        apply=_longest,
        explain=says("The longest word is {after}."),
        recogniser=r"\blongest (?:word|string|name)\b",
    ),
    PracticeSkill(
        name="words_with_letter",
        topic="information_extraction",
        description="keeps the words that have a given letter",
        phrasings=(
            "keep the entries of {it} that have the letter {letter}",
            "pick the entries of {it} with the letter {letter}",
            "find the entries of {it} that contain the letter {letter}",
            "list the entries of {it} that use the letter {letter}",
        ),
        accepts=("words",),
        gives="words",
        apply=_with_letter,
        explain=says("The letter {letter} is in {after}."),
        parameters={"letter": Parameter(_a_letter, "[a-z]")},
        recogniser=r"\bwords (?:that )?(?:contain|start|begin|end|have)\w* (?:with )?the letter\b",
    ),
)
