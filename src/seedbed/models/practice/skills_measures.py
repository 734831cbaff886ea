"""Skills of measuring: units, rectangles, squares, boxes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from seedbed.models.practice.skill import (
    Explain,
    Parameters,
    PracticeSkill,
    choice,
    each,
    says,
    single,
    whole,
)
from seedbed.models.practice.values import Value

LENGTHS = {
    "from kilometres to metres": 1000,
    "from metres to centimetres": 100,
    "from centimetres to millimetres": 10,
}


WEIGHTS = {"from kilograms to grams": 1000, "from tonnes to kilograms": 1000}


TIMES = {
    "from hours to minutes": 60,
    "from minutes to seconds": 60,
    "from days to hours": 24,
    "from weeks to days": 7,
}


MONEY = {"from dollars to cents": 100, "from pounds to pence": 100, "from dimes to cents": 10}


def converting(name: str, what: str, factors: Mapping[str, int], recogniser: str) -> PracticeSkill:
    def explain(before: Value, parameters: Parameters, after: Value) -> str:
        units = parameters["units"]
        return f"Going {units} means times {factors[units]}: {before.text} becomes {after.text}."

    return PracticeSkill(
        name=name,
        topic="unit_conversion",
        description=f"converts {what} from one unit to another",
        phrasings=(
            "convert {it} {units}",
            "change {it} {units}",
            "recalculate {it} {units}",
            "translate {it} {units}",
        ),
        accepts=("number", "numbers"),
        gives=None,
        apply=each(lambda value, parameters: value * factors[parameters["units"]]),
        explain=explain,
        parameters={"units": choice(*factors)},
        recogniser=recogniser,
    )


def measuring(
    name: str,
    description: str,
    phrasings: tuple[str, ...],
    compute: Callable[[int, int], int],
    explain: Explain,
    recogniser: str = "",
) -> PracticeSkill:
    """A skill of geometry, from a number and a second length to a number."""
    return PracticeSkill(
        name=name,
        topic="plane_geometry",
        description=description,
        phrasings=phrasings,
        accepts=("number",),
        gives="number",
        apply=single(lambda value, parameters: compute(value, int(parameters.get("n", 0)))),
        explain=explain,
        parameters={"n": whole(2, 12)} if any("{n}" in phrasing for phrasing in phrasings) else {},
        recogniser=recogniser,
    )


SKILLS: tuple[PracticeSkill, ...] = (
    converting(
        "converting_length",
        "lengths",
        LENGTHS,
        r"\b(?:convert|how many)\b[^.]*\b(?:kilometers?|kilometres?|km|miles?|meters?|metres?|"
        r"feet|inches|centimeters?|cm)\b",
    ),
    converting(
        "converting_weight",
        "weights",
        WEIGHTS,
        r"\b(?:convert|how many)\b[^.]*\b(?:kilograms?|kg|grams?|pounds|ounces|tons?|tonnes)\b",
    ),
    converting(
        "converting_time",
        "times",
        TIMES,
        r"\bconvert\b[^.]*\b(?:hours|minutes|seconds)\b|\bhow many (?:hours|minutes|days) are\b",
    ),
    converting(
        "converting_money",
        "amounts of money",
        MONEY,
        r"\bconvert\b[^.]*\b(?:dollars?|euros?|usd|eur|cents|currency|yen)\b",
    ),
    measuring(
        "rectangle_area",
        "finds the area of a rectangle",
        (
            "find the area of a rectangle with {it} and {n} as its sides",
            "work out the area of a rectangle that is {it} by {n}",
            "compute the rectangle area for the sides {it} and {n}",
            "take {it} and {n} as the sides of a rectangle and find its area",
        ),
        lambda side, other: side * other,
        says("The area is {before} x {n} = {after}."),
        r"\barea of (?:a|the) rectang",
    ),
    measuring(
        "rectangle_perimeter",
        "finds the perimeter of a rectangle",
        (
            "find the perimeter of a rectangle with {it} and {n} as its sides",
            "work out the perimeter of a rectangle that is {it} by {n}",
            "compute the rectangle perimeter for the sides {it} and {n}",
            "take {it} and {n} as the sides of a rectangle and find its perimeter",
        ),
        lambda side, other: 2 * (side + other),
        says("The perimeter is 2 x ({before} + {n}) = {after}."),
        r"\bperimeter of\b",
    ),
    measuring(
        "square_area",
        "finds the area of a square",
        (
            "find the area of a square with {it} as its side",
            "work out the area of a square whose side is {it}",
            "compute the square area for the side {it}",
            "take {it} as the side of a square and find its area",
        ),
        lambda side, _: side * side if side <= 100 else -1,
        says("The area is {before} x {before} = {after}."),
        r"\barea of (?:a|the) square\b",
    ),
    measuring(
        "cuboid_volume",
        "finds the volume of a box with a square base",
        (
            "find the volume of a box with a base of {n} by {n} and {it} as its height",
            "work out the volume of a box that is {it} high on a base of {n} by {n}",
            "compute the box volume for the height {it} and a base of {n} by {n}",
            "take {it} as the height of a box on a base of {n} by {n} and find its volume",
        ),
        lambda height, side: height * side * side,
        says("The volume is {n} x {n} x {before} = {after}."),
        r"\bvolume of (?:a|the) (?:box|cube|cuboid|rectangular)\b",
    ),
)
