"""What the trainers' files have in common."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from math import gcd

from seedbed.records import JSON, Example
from seedbed.training.settings import TrainSettings

Files = Mapping[str, str]
"""Names and texts of the files beside the data."""

Row = Callable[[Example], dict[str, JSON]]

MOST_AT_ONCE = 8
"""Examples in one forward pass of a trainer that pads or packs by itself."""


def at_once(settings: TrainSettings) -> tuple[int, int]:
    """Examples per forward pass, and passes per step: together exactly the batch."""
    size = gcd(settings.batch_examples, MOST_AT_ONCE)
    return size, settings.batch_examples // size


def schedule_name(settings: TrainSettings) -> str:
    """Hugging Face's name of the schedule."""
    if settings.schedule == "constant" and settings.warmup:
        return "constant_with_warmup"
    return settings.schedule


def to_yaml(content: Mapping[str, JSON], *, indent: int = 0) -> str:
    """YAML of nested maps and lists; every scalar is JSON, which YAML reads as such."""
    lines = []
    for key, value in content.items():
        lines.append(f"{' ' * indent}{key}:{_value(value, indent)}")
    return "".join(lines)


def _value(value: JSON, indent: int) -> str:
    if isinstance(value, Mapping) and value:
        return "\n" + to_yaml(value, indent=indent + 2)
    if isinstance(value, list) and value and isinstance(value[0], Mapping):
        return "\n" + "".join(_item(item, indent) for item in value)
    return f" {_scalar(value)}\n"


def _item(item: Mapping[str, JSON], indent: int) -> str:
    text = to_yaml(item, indent=indent + 4)
    return f"{' ' * (indent + 2)}- {text[indent + 4 :]}"


def _scalar(value: JSON) -> str:
    """A float always with a point: YAML 1.1 takes `2e-05` for a text."""
    text = json.dumps(value, ensure_ascii=False)
    if isinstance(value, float) and "e" in text and "." not in text:
        return text.replace("e", ".0e")
    return text
