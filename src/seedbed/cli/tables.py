"""What the commands show: plain text made of aligned columns. Model text is shown, never obeyed."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from shutil import get_terminal_size
from textwrap import shorten, wrap
from unicodedata import category

from seedbed.errors import DatasetError
from seedbed.folder import RunFolder
from seedbed.records import JSON
from seedbed.session import Outcome

PAGE = 96
"""The longest line of text, and its length where the output is no terminal."""

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


def ending(outcome: Outcome, *, again: str) -> str:
    """The last words of `seedbed run`; `again` is the command that goes on."""
    manifest, folder = outcome.manifest, outcome.plan.folder
    look = shlex.join(["seedbed", "show", str(folder.path)])
    counts = manifest["counts"]
    kept = f"{counts['kept']:,} examples"
    if "instructions" in counts:
        kept += f" of {counts['instructions']:,} new instructions"
    head = {
        "complete": f"{kept}, as asked for." if counts["wanted"] else f"{kept}: the seeds' all.",
        "short": f"Only {of_wanted(counts)}: the rest was dropped, or there were no more seeds.",
        "interrupted": f"Stopped with {of_wanted(counts)}. Everything paid for is kept.",
        "skills": f"{counts.get('skills', 0):,} skills and "
        f"{counts.get('query_types', 0):,} query types.",
    }[outcome.status]
    lines = [head, f"  {spend_line(manifest)}", *_new_line(manifest["sessions"][-1]), ""]
    if files := outputs(folder, manifest):
        lines += [*(f"  {name:13} {path}" for name, path in files), ""]
    lines += [f"  note: {note}" for note in manifest["notes"]]
    follow = {
        "complete": f"  Next: {look}",
        "short": f"  See why: {look}",
        "interrupted": f"  To go on: {again}",
        "skills": f"  Edit it if you like; then: {again}",
    }[outcome.status]
    return "\n".join([*lines, follow])


def _new_line(session: Mapping[str, JSON]) -> Iterable[str]:
    """What of the spend is this session's: the totals are those of all of them."""
    if session["replayed"]:
        yield f"  taken from the journal: {session['replayed']:,}; new: {session['paid']:,}"


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
    """What all sessions took; no dollars are made up where a stage's model has no known price."""
    spend = manifest["spend"]
    priced = all(stage["dollars"] is not None for stage in manifest["stages"].values())
    paid = paid_line(spend["dollars"], priced=priced)
    calls = f"{spend['calls']:,} call{'' if spend['calls'] == 1 else 's'}"
    text = f"{calls}, {spend['tokens']:,} tokens, {paid}"
    if lost := spend["doubtful_calls"]:
        dollars = f" (up to {money(worst)})" if (worst := spend["doubtful_dollars"]) else ""
        text += (
            f"; {lost:,} of the calls{dollars} {'was' if lost == 1 else 'were'} lost on the way "
            "and may not have been charged"
        )
    return text


def paid_line(dollars: float, *, priced: bool) -> str:
    """Dollars that were paid; `priced` says whether the price of every model is known."""
    if priced:
        return money(dollars)
    return f"{money(dollars)} where a price is known" if dollars else "no price known"


def money(dollars: float) -> str:
    """In cents, or finer where that would be nothing."""
    return f"${dollars:.2f}" if dollars >= 0.005 or not dollars else f"${dollars:.4f}"


def folded(text: str, *, indent: str = "") -> str:
    """Text in lines that the terminal does not break."""
    width = min(PAGE, max(40, get_terminal_size((PAGE + 1, 24)).columns - 1))
    lines = wrap(
        text, width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
    )
    return "\n".join(lines)


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
        for number, line in enumerate(file, 1):
            row = _row(line, f"{path}: line {number}", fields=("reason",))
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
        chosen = islice(enumerate(file, 1), step // 2, None, step)
        return [
            _row(text, f"{path}: line {number}", fields=_FIELDS)
            for number, text in islice(chosen, count)
        ]


_FIELDS = ("skills", "recipe", "step", "query_type", "instruction", "input", "response")


def _row(text: str, place: str, *, fields: Sequence[str]) -> dict[str, JSON]:
    """A line of a run's file.

    Raises:
        DatasetError: it is not one, as when the file was edited by hand.
    """
    try:
        row = json.loads(text)
    except ValueError as error:
        row, wrong = None, str(error)
    else:
        wrong = f"expected an object with {', '.join(fields)}"
    if not isinstance(row, dict) or not row.keys() >= set(fields):
        raise DatasetError(
            f"{place}: not a line of this run: {wrong}",
            hint="`seedbed run` makes the file anew from the journal, for nothing.",
        )
    return row


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
        yield folded(part, indent="    ")
