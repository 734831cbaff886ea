"""The lines of `examples.jsonl` and `drops.jsonl`: flat, readable keys in a stable order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from math import isfinite

from seedbed.errors import DatasetError
from seedbed.records import JSON, Attempt, Drop, Dropped, Example, Instruction, Origin

ORIGIN_KEYS = tuple(field.name for field in fields(Origin))
DERIVED = ("id", "instruction_id")
"""For the reader: an example's own name, and the one that `parents` of others refer to."""

KEYS = (*DERIVED, "instruction", "input", "response", *ORIGIN_KEYS, "repairs")

_NUMBERS = frozenset({"seed", "round", "draw"})
_LISTS = frozenset({"skills", "parents", "calls", "repairs"})


def example_to_json(example: Example) -> dict[str, JSON]:
    """A line of `examples.jsonl`: what is trained on first, then where it came from.

    `example_from_json` gives the same example back; the ids are there for the reader, and derived.
    """
    return {
        "id": example.id,
        "instruction_id": example.instruction.id,
        "instruction": example.instruction.text,
        "input": example.input,
        "response": example.response,
        **origin_to_json(example.instruction.origin),
        "repairs": list(example.repairs),
    }


def origin_to_json(origin: Origin) -> dict[str, JSON]:
    return {
        "recipe": origin.recipe,
        "step": origin.step,
        "seed": origin.seed,
        "round": origin.round,
        "draw": origin.draw,
        "skills": list(origin.skills),
        "query_type": origin.query_type,
        "parents": list(origin.parents),
        "calls": list(origin.calls),
    }


def example_from_json(row: Mapping[str, JSON]) -> Example:
    """The example of a line of `examples.jsonl`, or of a row of `examples.parquet`.

    Only `instruction` and `response` have to be there. An `id` is not believed but derived anew,
    so that a line may be edited by hand; other keys are ignored.

    Raises:
        DatasetError: a key is missing or its value has the wrong type.
    """
    for key in ("instruction", "response"):
        if key not in row:
            raise DatasetError(f"no `{key}`; found {', '.join(map(str, row)) or 'nothing'}")
    values = {key: _checked(key, row[key]) for key in KEYS[2:] if row.get(key) is not None}
    origin = Origin(**{key: values[key] for key in ORIGIN_KEYS if key in values})
    return Example(
        instruction=Instruction(text=values.get("instruction", ""), origin=origin),
        response=values.get("response", ""),
        input=values.get("input", ""),
        repairs=values.get("repairs", ()),
    )


def _checked(key: str, value: JSON) -> JSON:
    if key in _NUMBERS:
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        raise DatasetError(f"`{key}` is {value!r:.60}; expected a whole number")
    if key in _LISTS:
        if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
            return tuple(value)
        raise DatasetError(f"`{key}` is {value!r:.60}; expected a list of texts")
    if isinstance(value, str):
        return value
    raise DatasetError(f"`{key}` is {value!r:.60}; expected text")


def drop_to_json(item: Dropped, drop: Drop) -> dict[str, JSON]:
    """A line of `drops.jsonl`: the reason and its evidence first, then the item and its origin.

    `kind` says how far the item came: `attempt`, `instruction` or `example`. Evidence that is not
    a finite number is written as text, which JSON can hold.
    """
    return {
        "reason": drop.reason,
        "evidence": {key: _plain(value) for key, value in drop.evidence.items()},
        **_item_to_json(item),
    }


def _item_to_json(item: Dropped) -> dict[str, JSON]:
    match item:
        case Attempt(text=text, origin=origin):
            return {"kind": "attempt", "text": text, **origin_to_json(origin)}
        case Instruction(text=text, origin=origin):
            head = {"kind": "instruction", "id": item.id, "instruction": text}
            return {**head, **origin_to_json(origin)}
        case Example():
            return {"kind": "example", **example_to_json(item)}


def _plain(value: float | str) -> float | str:
    return value if isinstance(value, str) or isfinite(value) else str(value)
