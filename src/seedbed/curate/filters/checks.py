"""What a check is, and how one is aimed at a part of an example.

A `Check` looks at one text, so that recipes can use it on an instruction that has no response yet;
`on_instruction`, `on_input` and `on_response` turn it into a `Filter` on finished examples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TypeVar

from seedbed.records import Drop, Example, Filter

Item = TypeVar("Item")
Check = Callable[[str], Drop | None]


def first_objection(item: Item, checks: Iterable[Callable[[Item], Drop | None]]) -> Drop | None:
    """What the first check that objects has to say; the order decides which reason is counted."""
    return next((found for check in checks if (found := check(item)) is not None), None)


def on_instruction(check: Check) -> Filter:
    """The check as a filter on the instruction's text, without its input."""
    return _aimed(check, "instruction", lambda example: example.instruction.text)


def on_input(check: Check) -> Filter:
    return _aimed(check, "input", lambda example: example.input)


def on_response(check: Check) -> Filter:
    return _aimed(check, "response", lambda example: example.response)


def _aimed(check: Check, field: str, text_of: Callable[[Example], str]) -> Filter:
    def filter_(example: Example) -> Drop | None:
        found = check(text_of(example))
        if found is None:
            return None
        return replace(found, evidence={**found.evidence, "field": field})

    return filter_
