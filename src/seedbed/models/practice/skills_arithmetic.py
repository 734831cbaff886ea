"""Skills of arithmetic, and of writing numbers down."""

from __future__ import annotations

from seedbed.models.practice.skill import Parameters, PracticeSkill, each, over, says, single, whole
from seedbed.models.practice.values import Value, numbers, phrase


def _sum_shown(before: Value, _: Parameters, after: Value) -> str:
    return f"{' + '.join(before.items)} = {after.text}."


def _average_shown(before: Value, _: Parameters, after: Value) -> str:
    total, count = sum(before.ints), len(before.items)
    return f"The sum is {total}, and {total} divided by {count}, rounded down, is {after.text}."


def _times_shown(before: Value, parameters: Parameters, after: Value) -> str:
    return f"Multiplying {before.text} by {parameters['n']} gives {after.text}."


def _remainder_shown(before: Value, parameters: Parameters, after: Value) -> str:
    quotient = before.ints[0] // int(parameters["n"])
    return (
        f"{parameters['n']} goes into {before.text} {quotient} times, "
        f"and the remainder is {after.text}."
    )


def roman(value: Value, _: Parameters) -> Value | None:
    left, text = value.ints[0], ""
    if not 1 <= left <= 3999:
        return None
    for size, letters in (
        (1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"),
        (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"),
    ):  # fmt: skip
        text += letters * (left // size)
        left %= size
    return phrase(text)


_ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen",
)  # fmt: skip


_TENS = (
    "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
)  # fmt: skip


def in_words(value: int) -> str:
    """The English words of 0 to 999,999, without "and"."""
    if value < 20:
        return _ONES[value]
    if value < 100:
        return _TENS[value // 10 - 2] + (f"-{_ONES[value % 10]}" if value % 10 else "")
    size, name = (1000, "thousand") if value >= 1000 else (100, "hundred")
    rest = f" {in_words(value % size)}" if value % size else ""
    return f"{in_words(value // size)} {name}{rest}"


def _binary(value: Value, _: Parameters) -> Value | None:
    return phrase(f"{value.ints[0]:b}") if 2 <= value.ints[0] <= 1023 else None


def _digits(value: Value, _: Parameters) -> Value | None:
    digits = tuple(int(digit) for digit in value.text)
    return numbers(digits) if len(digits) > 1 else None


SKILLS: tuple[PracticeSkill, ...] = (
    PracticeSkill(
        name="adding_numbers",
        topic="everyday_arithmetic",
        description="adds up a list of numbers",
        phrasings=(
            "add up {it}",
            "find the sum of {it}",
            "work out the total of {it}",
            "add {it} together",
        ),
        accepts=("numbers",),
        gives="number",
        apply=over(sum),
        explain=_sum_shown,
        recogniser=r"\b(?:sum of|add (?:up|together)|calculate the total)\b",
    ),
    PracticeSkill(
        name="averaging_numbers",
        topic="everyday_arithmetic",
        description="finds the mean of a list of numbers, rounded down",
        phrasings=(
            "find the average of {it}, rounded down",
            "work out the mean of {it}, rounded down",
            "average {it} and round down",
            "compute the rounded-down average of {it}",
        ),
        accepts=("numbers",),
        gives="number",
        apply=over(lambda values: sum(values) // len(values)),
        explain=_average_shown,
        recogniser=r"\b(?:average|mean) (?:of|score|value|price|age)\b",
    ),
    PracticeSkill(
        name="multiplying_by_factor",
        topic="everyday_arithmetic",
        description="multiplies a number, or every number of a list, by a factor",
        phrasings=(
            "multiply {it} by {n}",
            "take {it} times {n}",
            "scale {it} by {n}",
            "work out {n} times {it}",
        ),
        accepts=("number", "numbers"),
        gives=None,
        apply=each(lambda value, parameters: value * int(parameters["n"])),
        explain=_times_shown,
        parameters={"n": whole(2, 9)},
        recogniser=r"\b(?:multiply|product of|times table)\b",
    ),
    PracticeSkill(
        name="finding_remainders",
        topic="everyday_arithmetic",
        description="finds the remainder of a division",
        phrasings=(
            "find the remainder of {it} divided by {n}",
            "divide {it} by {n} and keep the remainder",
            "work out what is left over from {it} in groups of {n}",
            "take {it} modulo {n}",
        ),
        accepts=("number",),
        gives="number",
        apply=single(lambda value, parameters: value % int(parameters["n"])),
        explain=_remainder_shown,
        parameters={"n": whole(3, 9)},
        recogniser=r"\b(?:remainder|modulo|modulus)\b",
    ),
    PracticeSkill(
        name="roman_numerals",
        topic="number_notation",
        description="writes a number as a Roman numeral",
        phrasings=(
            "write {it} as a Roman numeral",
            "turn {it} into a Roman numeral",
            "give {it} in Roman numerals",
            "express {it} in Roman numerals",
        ),
        accepts=("number",),
        gives="phrase",
        apply=roman,
        explain=says("In Roman numerals, {before} is {after}."),
        recogniser=r"\broman numerals?\b",
    ),
    PracticeSkill(
        name="binary_notation",
        topic="number_notation",
        description="writes a number in base two",
        phrasings=(
            "write {it} in binary",
            "turn {it} into a binary number",
            "give {it} in base two",
            "express {it} in binary",
        ),
        accepts=("number",),
        gives="phrase",
        apply=_binary,
        explain=says("In binary, {before} is {after}."),
        recogniser=r"\b(?:binary (?:number|form|notation|string)|(?:to|into|in) binary)\b",
    ),
    PracticeSkill(
        name="number_words",
        topic="number_notation",
        description="writes a number in English words",
        phrasings=(
            "write {it} in English words",
            "spell out {it} in words",
            "give {it} in words",
            "express {it} in words",
        ),
        accepts=("number",),
        gives="phrase",
        apply=lambda value, _: phrase(in_words(value.ints[0])),
        explain=says("In words, {before} is {after}."),
    ),
    PracticeSkill(
        name="splitting_digits",
        topic="number_notation",
        description="takes a number apart into its digits",
        phrasings=(
            "split {it} into its digits",
            "list the digits of {it}",
            "take {it} apart digit by digit",
            "break {it} into single digits",
        ),
        accepts=("number",),
        gives="numbers",
        apply=_digits,
        explain=says("The digits of {before} are {after}."),
    ),
)
