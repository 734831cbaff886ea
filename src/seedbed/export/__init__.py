"""Examples as others read them, and as a run keeps them."""

from __future__ import annotations

from seedbed.export.lines import drop_to_json, example_from_json, example_to_json
from seedbed.export.parquet import write_parquet
from seedbed.export.shapes import SHAPES, default_name, write_examples

__all__ = [
    "SHAPES",
    "default_name",
    "drop_to_json",
    "example_from_json",
    "example_to_json",
    "write_examples",
    "write_parquet",
]
