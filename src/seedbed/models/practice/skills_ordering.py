"""Skills of order: by size, by the alphabet, by length, the other way around."""

from __future__ import annotations

from seedbed.models.practice.skill import Parameters, PracticeSkill, choice, says
from seedbed.models.practice.values import Value, like, numbers, words

UPWARDS, DOWNWARDS = "from smallest to largest", "from largest to smallest"


SHORTEST, LONGEST = "shortest first", "longest first"


def _sorted(value: Value, parameters: Parameters) -> Value | None:
    return numbers(tuple(sorted(value.ints, reverse=parameters["order"] == DOWNWARDS)))


def _by_length(value: Value, parameters: Parameters) -> Value | None:
    return words(
        tuple(sorted(value.items, key=len, reverse=parameters["order"] == LONGEST))
        if len({len(item) for item in value.items}) == len(set(value.items))
        else ()
    )


SKILLS: tuple[PracticeSkill, ...] = (
    PracticeSkill(
        name="sorting_numbers",
        topic="ordering_items",
        description="puts numbers in ascending or descending order",
        phrasings=(
            "sort {it} {order}",
            "put {it} in order {order}",
            "arrange {it} {order}",
            "line up {it} {order}",
        ),
        accepts=("numbers",),
        gives="numbers",
        apply=_sorted,
        explain=says("Sorting {before} {order} gives {after}."),
        parameters={"order": choice(UPWARDS, DOWNWARDS)},
        recogniser=r"\b(?:ascending|descending)\b|\b(?:sort|arrange|order)\b[^.]*\bnumbers\b",
    ),
    PracticeSkill(
        name="alphabetical_order",
        topic="ordering_items",
        description="puts words in alphabetical order",
        phrasings=(
            "sort {it} alphabetically",
            "put {it} in alphabetical order",
            "arrange {it} from A to Z",
            "order {it} by the alphabet",
        ),
        accepts=("words",),
        gives="words",
        apply=lambda value, _: words(tuple(sorted(value.items))),
        explain=says("In alphabetical order they are {after}."),
        recogniser=r"\balphabetical(?:ly)?\b",
    ),
    PracticeSkill(
        name="reversing_order",
        topic="ordering_items",
        description="turns a list around",
        phrasings=(
            "reverse the order of {it}",
            "list {it} from last to first",
            "turn the order of {it} around",
            "put {it} in the opposite order",
        ),
        accepts=("numbers", "words"),
        gives=None,
        apply=lambda value, _: like(value, value.items[::-1]),
        explain=says("From last to first, the list is {after}."),
        recogniser=r"\breverse (?:the order|the following (?:list|array)|an array|the list)\b",
    ),
    PracticeSkill(
        name="ordering_by_length",
        topic="ordering_items",
        description="orders words by their length",
        phrasings=(
            "sort {it} by length, {order}",
            "put {it} in order of length, {order}",
            "arrange {it} by length, {order}",
            "order {it} by their number of letters, {order}",
        ),
        accepts=("words",),
        gives="words",
        apply=_by_length,
        explain=says("Ordered by length, {order}, they are {after}."),
        parameters={"order": choice(SHORTEST, LONGEST)},
        recogniser=r"\b(?:sort|arrange|order)\b[^.]*\bby (?:their )?length\b",
    ),
)
