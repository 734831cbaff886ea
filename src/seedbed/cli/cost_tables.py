"""What a run will take, and what it took, as a person reads it."""

from __future__ import annotations

from collections.abc import Mapping

from seedbed.cli.tables import columns, folded, spend_line, visible
from seedbed.forecast import CACHED_FROM, Forecast, Range, total
from seedbed.plan import RunPlan
from seedbed.records import JSON
from seedbed.wiring import forecast_of, wiring_of


def forecast_table(plan: RunPlan) -> str:
    """What a run will take, prompt by prompt, low to high."""
    config, forecast = plan.config, forecast_of(plan)
    rows = [
        _forecast_row(f"{name}: {stage.name}", plan, {name: [stage]})
        for name, stages in forecast.items()
        for stage in stages
    ]
    rows.append(_forecast_row("in all", plan, forecast))
    price = plan.price("examples")
    if price is None:
        told = "No price is known for this model: give `price` under [teacher] to see dollars."
    else:
        told = (
            f"At ${price.input:g} in and ${price.output:g} out per million tokens. Counted from "
            "the prompts and this config; how much the teacher will write is a guess, hence the "
            f"ranges. No call was made.{_caching(plan, forecast)}"
        )
    head = ("", "calls", "prompt tokens", "completion tokens", "dollars")
    title = folded(f"{config.recipe} with {visible(config.teacher.shown)}: {asked_for(plan)}")
    below = [told, _shortfall(plan), _caps(plan, forecast), wiring_of(config.recipe).caution(plan)]
    return "\n\n".join(
        [title, columns(rows, head=head), *(folded(each, indent="  ") for each in below if each)]
    )


def _shortfall(plan: RunPlan) -> str:
    """What the seeds can give, where that is less than what is asked for."""
    wiring = wiring_of(plan.config.recipe)
    wanted, expected = wiring.wanted(plan), wiring.expected and wiring.expected(plan)
    if not wanted or not expected or expected.high >= wanted:
        return ""
    return (
        f"These seeds give {_between(expected)} {wiring.unit}, not {wanted:,}: "
        "for more take more seeds, or more rounds."
    )


def _caps(plan: RunPlan, forecast: Forecast) -> str:
    """Which caps are below what the run is likely to take."""
    row = total([stage for stages in forecast.values() for stage in stages])
    budget = plan.config.budget
    likely: list[tuple[str, float | None, Range | None]] = [
        ("dollars", budget.dollars, plan.dollars(forecast)),
        ("tokens", budget.tokens, row.prompt_tokens + row.completion_tokens),
        ("calls", budget.calls, row.calls),
    ]
    low = [
        f"[budget] {name} = {cap:,} {'is too low' if cap < expected.low else 'may be too low'}"
        for name, cap, expected in likely
        if cap is not None and expected is not None and cap < expected.high
    ]
    if not low:
        return ""
    return f"{'; '.join(low)}: the run stops there, and goes on with a higher cap."


def _caching(plan: RunPlan, forecast: Forecast) -> str:
    """What the low end of the dollars takes for granted, where that makes a difference."""
    shares = [
        f"{_between(Range(0, part.cached_tokens.high))} at ${price.cached_input:g}"
        for name, stages in forecast.items()
        if (part := total(stages)).cached_tokens.high
        and (price := plan.price(name)) is not None
        and price.cached_input not in (None, price.input)
    ]
    if not shares:
        return ""
    return (
        f" The provider's cache may serve {' and '.join(shares)} of the prompt tokens (prompts "
        f"that begin alike, from {CACHED_FROM:,} tokens on): the low end counts all of that, the "
        "high end none."
    )


def asked_for(plan: RunPlan) -> str:
    """The recipe's settings on one line, what is wanted first."""
    wiring = wiring_of(plan.config.recipe)
    wanted = wiring.wanted(plan)
    parts = [f"{name} {value}" for name, value in wiring.settings(plan).items()]
    return ", ".join([f"{wanted:,} {wiring.unit}" if wanted else f"all {wiring.unit}", *parts])


def _forecast_row(title: str, plan: RunPlan, stages: Forecast) -> tuple[str, ...]:
    row = total([stage for group in stages.values() for stage in group])
    dollars = plan.dollars(stages)
    return (
        title,
        _between(row.calls),
        _between(row.prompt_tokens),
        _between(row.completion_tokens),
        "?" if dollars is None else f"{dollars.low:.2f} – {dollars.high:.2f}",
    )


def _between(values: Range) -> str:
    low, high = short(values.low), short(values.high)
    return low if low == high else f"{low} – {high}"


def short(number: float) -> str:
    """1,234 as it is, 1,234,567 as 1.23 M."""
    if number >= 1e9:
        return f"{number / 1e9:.2f} G"
    if number >= 1e6:
        return f"{number / 1e6:.2f} M"
    return f"{number:,.0f}"


def cost_table(manifest: Mapping[str, JSON]) -> str:
    """What was forecast beside what it took, for each stage and kind of number."""
    rows = []
    for name, actual in manifest["stages"].items():
        expected = manifest["forecast"].get(name)
        for field, shown in _COSTS.items():
            if actual[field] is not None and (actual[field] or field != "cached_tokens"):
                rows.append(
                    (name, shown, _expected(expected, field), _number(actual[field], field))
                )
                name = ""  # a stage is named once
    head = ("stage", "", "forecast", "actual")
    table = f"{columns(rows, head=head)}\n\n" if rows else ""
    return f"{table}  in all: {spend_line(manifest)}"


_COSTS = {
    "calls": "calls",
    "prompt_tokens": "prompt tokens",
    "cached_tokens": "of them cached",
    "completion_tokens": "completion tokens",
    "dollars": "dollars",
}


def _number(value: float, field: str) -> str:
    return f"{value:,.2f}" if field == "dollars" else f"{value:,}"


def _expected(expected: Mapping[str, JSON] | None, field: str) -> str:
    if not expected or expected.get(field) is None:
        return "–"
    low, high = expected[field]
    return f"{low:,.2f} – {high:,.2f}" if field == "dollars" else _between(Range(low, high))
