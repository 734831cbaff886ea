"""Signals as JSON, for the journal and for files."""

from __future__ import annotations

from collections.abc import Mapping

from seedbed.records import JSON, BatchSignals


def signals_to_json(signals: BatchSignals) -> dict[str, JSON]:
    return {
        "step": signals.step,
        "batch": dict(signals.batch),
        "examples": [dict(row) for row in signals.examples],
    }


def signals_from_json(content: Mapping[str, JSON]) -> BatchSignals:
    return BatchSignals(
        step=content["step"], batch=content["batch"], examples=tuple(content["examples"])
    )
