"""The signals of a training on the run's examples, as scores to sort by."""

from __future__ import annotations

import json
from collections.abc import Iterator
from math import isfinite
from pathlib import Path


def last_signals(path: Path) -> Iterator[tuple[str, str, float]]:
    """Example id, name and last value of each signal in a training's `signals.jsonl`.

    None where there is no such file; lines that are not signals are passed over.
    """
    found: dict[tuple[str, str], float] = {}
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            for line in file:
                try:
                    row = json.loads(line)
                except ValueError:
                    continue
                if not isinstance(row, dict) or not isinstance(row.get("id"), str):
                    continue
                for name, value in row.items():
                    if isinstance(value, int | float) and name != "step" and isfinite(value):
                        found[row["id"], name] = float(value)
    except OSError:
        return
    for (key, name), value in found.items():
        yield key, name, value
