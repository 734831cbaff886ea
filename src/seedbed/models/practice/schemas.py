"""Fitting an answer to a JSON schema, in the three shapes that recipes ask for."""

from __future__ import annotations

import json
from collections.abc import Mapping

from seedbed.models.practice.reading import conversation
from seedbed.records import JSON


def fitted(text: str, schema: Mapping[str, JSON]) -> str:
    """The answer as JSON, where it makes sense; else the plain text, which will not fit.

    Makes sense: an example for an object with "instruction" and "response", lines for an object
    with one list, any text for an object with one string.
    """
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        return text
    example = conversation(text)
    if example and properties.keys() == {"instruction", "response"}:
        return json.dumps({"instruction": example[0], "response": example[1]}, ensure_ascii=False)
    if len(properties) != 1:
        return text
    name, kind = next(iter(properties.items()))
    match kind:
        case {"type": "array"}:
            return json.dumps({name: [line for line in text.splitlines() if line.strip()]})
        case {"type": "string"}:
            return json.dumps({name: text}, ensure_ascii=False)
    return text
