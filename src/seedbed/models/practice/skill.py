"""A practice skill: its name, its wordings, and the pure function that it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random

from seedbed.models.practice.values import Kind, Value, number, numbers

Parameters = Mapping[str, str]

Apply = Callable[[Value, Parameters], Value | None]
"""The skill itself; None where its input is outside its domain."""

Explain = Callable[[Value, Parameters, Value], str]
"""One sentence of working: from the value before, with the parameters, to the value after."""

REFERENCES: Mapping[Kind, str] = {
    "numbers": "the numbers",
    "words": "the words",
    "number": "the number",
    "sentence": "the sentence",
    "date": "the date",
}
"""How an instruction refers to its material. Results of earlier steps are `RESULT`."""

RESULT = "the result"

_IT = "(?P<it>" + "|".join([*REFERENCES.values(), RESULT]) + ")"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value that an instruction fixes, such as a factor or an order.

    `draw` sees the value that the skill will work on, so that the step can be made to matter.
    """

    draw: Callable[[Random, Value], str]
    pattern: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PracticeSkill:
    """One programmatic skill.

    `phrasings` are imperative clauses with `{it}` for the input and a slot per parameter. `gives`
    is the kind of the output, None where it is the input's. `recogniser` is a regex for real
    instructions that need the skill; empty where none is safe.
    """

    name: str
    topic: str
    description: str
    phrasings: tuple[str, ...]
    accepts: tuple[Kind, ...]
    gives: Kind | None
    apply: Apply
    explain: Explain
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    recogniser: str = ""

    def output(self, kind: Kind) -> Kind:
        return self.gives or kind

    def patterns(self) -> list[re.Pattern[str]]:
        """One regex per phrasing, with a group for `it` and for each parameter."""
        return [re.compile(self._pattern(phrasing)) for phrasing in self.phrasings]

    def _pattern(self, phrasing: str) -> str:
        parts = re.split(r"\{(\w+)\}", phrasing)
        literals, slots = parts[::2], parts[1::2]
        groups = [
            f"(?P={slot})" if slot in slots[:place] else self._group(slot)
            for place, slot in enumerate(slots)
        ]
        return "".join(
            re.escape(literal) + group
            for literal, group in zip(literals, [*groups, ""], strict=True)
        )

    def _group(self, slot: str) -> str:
        return _IT if slot == "it" else f"(?P<{slot}>{self.parameters[slot].pattern})"


def whole(low: int, high: int) -> Parameter:
    return Parameter(lambda rng, _: str(rng.randint(low, high)), r"\d{1,4}")


def choice(*options: str) -> Parameter:
    return Parameter(lambda rng, _: rng.choice(options), "|".join(map(re.escape, options)))


def says(template: str) -> Explain:
    """An explanation made of a template with {before}, {after} and the parameters."""

    def explain(before: Value, parameters: Parameters, after: Value) -> str:
        return template.format(before=before.text, after=after.text, **parameters)

    return explain


def each(compute: Callable[[int, Parameters], int]) -> Apply:
    """Lift a function of one number to a number or to every number of a list."""

    def apply(value: Value, parameters: Parameters) -> Value | None:
        results = tuple(compute(item, parameters) for item in value.ints)
        return number(results[0]) if value.kind == "number" else numbers(results)

    return apply


def single(compute: Callable[[int, Parameters], int]) -> Apply:
    return lambda value, parameters: number(compute(value.ints[0], parameters))


def over(compute: Callable[[tuple[int, ...]], int]) -> Apply:
    return lambda value, _: number(compute(value.ints))
