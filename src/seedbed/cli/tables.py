"""What the commands show: plain text made of aligned columns. Model text is shown, never obeyed."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from textwrap import shorten, wrap
from unicodedata import category

from seedbed.folder import RunFolder
from seedbed.forecast import CACHED_FROM, Forecast, Range, total
from seedbed.plan import RunPlan
from seedbed.records import JSON
from seedbed.session import Outcome
from seedbed.wiring import forecast_of, wiring_of

_JOINERS = "\n\t\u200c\u200d"
"""What scripts and emoji need of the characters that show nothing."""


def visible(text: str) -> str:
    """Text of a model without what could steer a terminal or hide itself."""
    return "".join(
        "\ufffd" if category(char) in ("Cc", "Cf", "Cs") and char not in _JOINERS else char
        for char in text
    )


def columns(rows: Sequence[Sequence[str]], *, head: Sequence[str] = ()) -> str:
    """Rows under each other: the first column to the left, the others to the right."""
    every = [list(head), *map(list, rows)] if head else [list(row) for row in rows]
    widths = [max(len(row[n]) for row in every) for n in range(len(every[0]))]
    lines = [
        "  ".join(
            [row[0].ljust(widths[0])]
            + [c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True)]
        )
        for row in every
    ]
    if head:
        lines.insert(1, "  ".join("─" * width for width in widths))
    return "\n".join("  " + line.rstrip() for line in lines)


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
            "the prompts and this config;\n  how much the teacher will write is a guess, hence the "
            f"ranges. No call was made.{_caching(plan, forecast)}"
        )
    head = ("", "calls", "prompt tokens", "completion tokens", "dollars")
    return (
        f"{config.recipe} with {visible(config.teacher.shown)}: {asked_for(plan)}\n\n"
        f"{columns(rows, head=head)}\n\n  {told}{_shortfall(plan)}"
    )


def _shortfall(plan: RunPlan) -> str:
    """What the seeds can give, where that is less than what is asked for."""
    wiring = wiring_of(plan.config.recipe)
    wanted, expected = wiring.wanted(plan), wiring.expected and wiring.expected(plan)
    if not wanted or not expected or expected.high >= wanted:
        return ""
    return (
        f"\n\n  These seeds give {_between(expected)} {wiring.unit}, not {wanted:,}: "
        "for more take more seeds, or more rounds."
    )


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
        f"\n  The provider's cache may serve {' and '.join(shares)} of the prompt tokens (prompts\n"
        f"  that begin alike, from {CACHED_FROM:,} tokens on): the low end counts all of that, the "
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


def ending(outcome: Outcome, *, again: str) -> str:
    """The last words of `seedbed run`; `again` is the command that goes on."""
    manifest, folder = outcome.manifest, outcome.plan.folder
    look = shlex.join(["seedbed", "show", str(folder.path)])
    counts = manifest["counts"]
    kept = f"{counts['kept']:,} examples"
    if "instructions" in counts:
        kept += f" of {counts['instructions']:,} new instructions"
    head = {
        "complete": f"{kept}, as asked for.",
        "short": f"Only {of_wanted(counts)}: the rest was dropped, or there were no more seeds.",
        "interrupted": f"Stopped with {of_wanted(counts)}. Everything paid for is kept.",
        "skills": f"{counts.get('skills', 0):,} skills and "
        f"{counts.get('query_types', 0):,} query types.",
    }[manifest["status"]]
    lines = [head, f"  {spend_line(manifest)}", ""]
    lines += [f"  {name:13} {path}" for name, path in outputs(folder, manifest)]
    lines += ["", *(f"  note: {note}" for note in manifest["notes"])]
    follow = {
        "complete": f"  Next: {look}",
        "short": f"  See why: {look}",
        "interrupted": f"  To go on: {again}",
        "skills": f"  Edit it if you like; then: {again}",
    }[manifest["status"]]
    return "\n".join([*lines, follow])


def of_wanted(counts: Mapping[str, JSON]) -> str:
    """Examples kept, and how far that is on the way to what was asked for."""
    kept, wanted = counts["kept"], counts["wanted"]
    if wanted is None:
        return f"{kept:,} examples"
    if "instructions" in counts:
        return f"{kept:,} examples of {counts['reached']:,} instructions ({wanted:,} wanted)"
    return f"{kept:,} of {wanted:,} examples"


def outputs(folder: RunFolder, manifest: Mapping[str, JSON]) -> list[tuple[str, Path]]:
    """Where the files are, for people."""
    found = [
        ("dataset", folder.examples),
        ("", folder.parquet),
        ("drops", folder.drops),
        ("dataset card", folder.card),
        ("skills", folder.skills),
        ("batches", folder.batches),
        ("seeds", folder.seeds),
        ("rounds", folder.rounds),
        ("held out", folder.held_out),
    ]
    return [(name, path) for name, path in found if path.exists()]


def spend_line(manifest: Mapping[str, JSON]) -> str:
    spend = manifest["spend"]
    text = f"{spend['calls']:,} calls, {spend['tokens']:,} tokens, ${spend['dollars']:.2f}"
    if spend["doubtful_calls"]:
        text += (
            f"; {spend['doubtful_calls']:,} of the calls (up to ${spend['doubtful_dollars']:.2f}) "
            "were lost on the way and may not have been charged"
        )
    return text


def run_story(folder: RunFolder, *, samples: int) -> str:
    """Counts, drops by reason, spend, samples, and where everything is."""
    manifest = folder.read_manifest()
    counts = manifest["counts"]
    lines = [
        f"{folder.path}: {manifest['recipe']}, {manifest['status']}",
        f"  teacher {visible(manifest['teacher'])}, seed {manifest['seed']}, "
        f"seedbed {manifest['seedbed']}",
        "",
        f"  {of_wanted(counts)} kept, {counts['dropped']:,} dropped, "
        f"{counts['repaired']:,} repaired",
    ]
    if "progress" in manifest:
        now = manifest["progress"]
        lines.append(
            f"  under way, or killed: {now['kept']:,} kept and {now['dropped']:,} dropped when it "
            "last wrote"
        )
    if manifest["drops"]:
        rows = [(reason, f"{count:,}") for reason, count in manifest["drops"].items()]
        lines += ["", columns(rows, head=("dropped for", "count")), "", *_drops(folder.drops)]
    if manifest["repairs"]:
        rows = [(name, f"{count:,}") for name, count in manifest["repairs"].items()]
        lines += ["", columns(rows, head=("repaired", "count"))]
    lines += ["", f"  {spend_line(manifest)}"]
    for number, example in enumerate(_samples(folder.examples, samples), 1):
        lines += ["", *_sample(number, example)]
    lines += ["", *(f"  {name:13} {path}" for name, path in outputs(folder, manifest))]
    return "\n".join(lines)


def _drops(path: Path) -> Iterable[str]:
    """For each reason the first thing that was dropped for it, in a line."""
    seen: set[str] = set()
    if not path.exists():
        return
    with path.open(encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            if row["reason"] not in seen:
                seen.add(row["reason"])
                text = row.get("text") or row.get("response") or row.get("instruction", "")
                shown = shorten(
                    " ".join(visible(text).split()) or "(nothing)", 80, placeholder=" …"
                )
                yield f"  {visible(row['reason'])}: {shown}"


def _samples(path: Path, count: int) -> list[dict[str, JSON]]:
    """Examples from all over the file, the same at every look."""
    if not path.exists() or count < 1:
        return []
    with path.open(encoding="utf-8") as file:
        kept = sum(1 for _ in file)
    step = max(1, kept // count)
    with path.open(encoding="utf-8") as file:
        chosen = islice(file, step // 2, None, step)
        return [json.loads(text) for text in islice(chosen, count)]


def _sample(number: int, example: Mapping[str, JSON]) -> Iterable[str]:
    made = ", ".join(example["skills"]) or f"{example['recipe']}, {example['step']}"
    kind = f" · {example['query_type']}" if example["query_type"] else ""
    yield f"  ── example {number}: {visible(made + kind)}"
    for field in ("instruction", "input", "response"):
        if example[field]:
            yield from _paragraph(field, example[field])


def _paragraph(field: str, text: str, limit: int = 900) -> Iterable[str]:
    """A field of an example, folded to the page and cut where it is very long."""
    shown = visible(text[:limit]) + (" […]" if len(text) > limit else "")
    yield f"  {field}:"
    for part in shown.splitlines():
        yield from wrap(part, 96, initial_indent="    ", subsequent_indent="    ") or [""]


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
    return f"{columns(rows, head=head)}\n\n  in all: {spend_line(manifest)}"


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
