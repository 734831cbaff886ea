"""What the run took, stage by stage, beside what was forecast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from seedbed.records import JSON
from seedbed.report.document import Block, Figure, Section, Table
from seedbed.report.figures import Trace, label
from seedbed.report.measures import Measured
from seedbed.report.wording import count, dollars, duration, percent, short, spoken

MEASURES = {
    "calls": "calls",
    "prompt_tokens": "prompt tokens",
    "completion_tokens": "completion tokens",
    "dollars": "dollars",
}

SOURCE = "stages and forecast of manifest.json; replayed calls count as when they were paid."


def cost(measured: Measured) -> Section | None:
    manifest = measured.run.manifest
    if not manifest["stages"]:
        return None
    blocks: list[Block] = [_tokens(measured)]
    if forecasts(manifest):
        blocks.append(_forecast(measured))
    blocks += [_finished(measured), _sessions(measured)]
    return Section(id=measured.id("cost"), title="What it took", blocks=blocks)


def forecasts(manifest: Mapping[str, JSON]) -> list[tuple[str, str, float, float, float]]:
    """For each stage and measure that was forecast: low, high, and what it came to."""
    return [
        (stage, name, low, high, actual[key])
        for stage, actual in manifest["stages"].items()
        for key, name in MEASURES.items()
        if (low_high := (manifest["forecast"].get(stage) or {}).get(key))
        and actual.get(key) is not None
        for low, high in [low_high]
        if high > 0
    ]


def _tokens(measured: Measured) -> Figure:
    stages = measured.run.manifest["stages"]
    names = list(stages)
    paid = all(stage["dollars"] is not None for stage in stages.values())
    spent = paid and any(stage["dollars"] for stage in stages.values())
    parts = [
        ("prompt tokens", "prompt_tokens", "@1"),
        ("completion tokens", "completion_tokens", "@2"),
    ]
    traces: list[Trace] = [
        {
            "type": "bar",
            "orientation": "h",
            "name": name,
            "y": [label(spoken(stage)) for stage in names],
            "x": [stages[stage][key] for stage in names],
            "marker": {"color": token},
        }
        for name, key, token in parts
    ]
    if spent:
        traces = [
            {
                "type": "bar",
                "orientation": "h",
                "name": "dollars",
                "y": [label(spoken(stage)) for stage in names],
                "x": [stages[stage]["dollars"] for stage in names],
                "marker": {"color": "@3"},
            }
        ]
    unit = "dollars" if spent else "tokens"
    largest = max(names, key=lambda stage: _size(stages[stage], spent=spent))
    whole = sum(_size(stage, spent=spent) for stage in stages.values())
    rows = [
        (
            spoken(name),
            count(stage["calls"]),
            count(stage["prompt_tokens"]),
            count(stage["completion_tokens"]),
            count(stage["cached_tokens"]),
            dollars(stage["dollars"]),
        )
        for name, stage in stages.items()
    ]
    head = ("stage", "calls", "prompt tokens", "completion tokens", "of them cached", "dollars")
    return Figure(
        id=measured.id("spend"),
        question=f"Where did the {unit} go?",
        answer=f"{percent(_size(stages[largest], spent=spent), whole)} went into the stage "
        f"{spoken(largest)}.",
        data=traces,
        layout={
            "barmode": "stack",
            "showlegend": not spent,
            "yaxis": {"autorange": "reversed", "showgrid": False},
            "xaxis": {"title": {"text": unit}},
        },
        table=Table(head=head, rows=rows),
        source="stages of manifest.json; replayed calls count as when they were paid.",
        height=150 + 44 * len(names),
    )


def _size(stage: Mapping[str, JSON], *, spent: bool) -> float:
    if spent:
        return float(stage["dollars"])
    return float(stage["prompt_tokens"] + stage["completion_tokens"])


def _forecast(measured: Measured) -> Figure:
    found = forecasts(measured.run.manifest)
    names = [label(f"{spoken(stage)}: {name}", 44) for stage, name, *_ in found]
    middles = [(low + high) / 2 for _, _, low, high, _ in found]
    every = list(zip(found, middles, strict=True))
    inside = [low <= actual <= high for _, _, low, high, actual in found]
    spans = {
        "type": "bar",
        "orientation": "h",
        "name": "forecast, low to high",
        "y": names,
        "base": [100 * low / middle for (_, _, low, _, _), middle in every],
        "x": [100 * (high - low) / middle for (_, _, low, high, _), middle in every],
        "marker": {"color": "@1-soft"},
        "width": 0.5,
        "hoverinfo": "skip",
    }
    marks = {
        "type": "scatter",
        "mode": "markers",
        "name": "what it came to",
        "y": names,
        "x": [100 * actual / middle for (*_, actual), middle in every],
        "marker": {
            "size": 12,
            "symbol": "diamond",
            "color": ["@kept" if right else "@drop" for right in inside],
        },
        "text": [f"{_amount(actual, name)}" for _, name, _, _, actual in found],
        "hovertemplate": "%{y}: %{text}<extra></extra>",
    }
    rows = [
        (
            f"{spoken(stage)}: {name}",
            _amount(low, name),
            _amount(high, name),
            _amount(actual, name),
            "yes" if right else "no",
        )
        for (stage, name, low, high, actual), right in zip(found, inside, strict=True)
    ]
    return Figure(
        id=measured.id("forecast"),
        question="Did the forecast hold?",
        answer=f"{sum(inside)} of {len(inside)} amounts came out within their forecast.",
        data=[spans, marks],
        layout={
            "yaxis": {"autorange": "reversed", "showgrid": False},
            "xaxis": {
                "title": {"text": "percent of the forecast's middle"},
                "rangemode": "tozero",
            },
            "showlegend": True,
        },
        table=Table(head=("amount", "forecast low", "high", "actual", "within"), rows=rows),
        source=SOURCE,
        height=130 + 34 * len(found),
    )


def _amount(value: float, name: str) -> str:
    return dollars(value) if name == "dollars" else short(value)


def _finished(measured: Measured) -> Table:
    stages = measured.run.manifest["stages"]
    reasons = sorted({reason for stage in stages.values() for reason in stage["finish_reasons"]})
    rows = [
        (spoken(name), *(count(stage["finish_reasons"].get(reason, 0)) for reason in reasons))
        for name, stage in stages.items()
    ]
    return Table(
        head=("stage", *reasons),
        rows=rows,
        caption="How did the calls end?",
        source="finish_reasons of manifest.json: stop is by itself, length is cut at the limit.",
    )


def _sessions(measured: Measured) -> Table:
    sessions = measured.run.manifest["sessions"]
    rows = [
        (
            str(session["started"]).replace("T", " ")[:19],
            duration(seconds) if (seconds := lasted(session)) is not None else "–",
            str(session["status"]),
            count(session["paid"]),
            count(session["replayed"]),
            count(session["in_doubt_before"]),
        )
        for session in sessions
    ]
    return Table(
        head=("began (UTC)", "took", "ended as", "paid calls", "replayed", "in doubt before"),
        rows=rows[-20:],
        caption="In which sessions?" + (" (the last 20)" if len(rows) > 20 else ""),
        source="sessions of manifest.json.",
    )


def lasted(session: Mapping[str, JSON]) -> float | None:
    """Seconds of a session, or None where it has not ended."""
    try:
        began, ended = session["started"], session["ended"]
        return (datetime.fromisoformat(ended) - datetime.fromisoformat(began)).total_seconds()
    except (KeyError, TypeError, ValueError):
        return None


def seconds_of(sessions: Sequence[Mapping[str, JSON]]) -> float:
    return sum(lasted(session) or 0.0 for session in sessions)
