"""`seedbed curate`: report first, write second."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from seedbed.cli.tables import columns, visible
from seedbed.curate.contamination import LOADERS, BenchmarkPrompt
from seedbed.curate.dataset import Curated, CurateSettings, curate
from seedbed.datasets import Dataset, ReadSettings, read_dataset
from seedbed.errors import ConfigError
from seedbed.export import default_name, drop_to_json, write_examples
from seedbed.files import write_jsonl
from seedbed.folder import RunFolder
from seedbed.records import JSON, Example

SHOWN = 2
"""Dropped examples shown for each reason."""


def read(options: argparse.Namespace) -> Dataset[Example]:
    return read_dataset(
        options.dataset,
        settings=ReadSettings(
            format=options.read_as,
            instruction=options.instruction,
            input=options.input,
            response=options.response,
            on_bad_line=options.on_bad_line,
        ),
    )


def settings(options: argparse.Namespace) -> CurateSettings:
    """The command's options as settings.

    Raises:
        ConfigError: a value that is not one of those allowed.
    """
    return CurateSettings(
        rules=tuple(options.rules),
        leaks=options.leaks,
        words=_bounds("--words", options.words),
        response_words=_bounds("--response-words", options.response_words),
        keywords=tuple(options.keyword),
        scripts=tuple(script.upper() for script in options.script),
        against=tuple(prompt for given in options.against for prompt in _prompts(given)),
        novelty=options.novelty,
        near_duplicates=options.near_duplicates,
    )


def _bounds(option: str, text: str) -> tuple[int, int | None]:
    """Bounds from "4:150", "4:" or ":150"."""
    low, colon, high = text.partition(":")
    if not colon or not (low + high).isdigit():
        raise ConfigError(f"{option} {text}: expected LOW:HIGH, LOW: or :HIGH, in words")
    return int(low or 0), int(high) if high else None


def _prompts(given: str) -> tuple[BenchmarkPrompt, ...]:
    name, _, path = given.partition("=")
    if name not in LOADERS or not path:
        raise ConfigError(
            f"--against {given}: expected BENCHMARK=FILE",
            hint=f"Benchmarks: {', '.join(LOADERS)}. The file is the benchmark's own.",
        )
    return LOADERS[name](Path(path))


def run(options: argparse.Namespace) -> tuple[str, dict[str, JSON]]:
    """Curate a dataset; the report for people, and for machines."""
    dataset = read(options)
    curated = curate(dataset, settings(options))
    facts: dict[str, Any] = {
        "read": str(dataset.report),
        "kept": len(curated.kept),
        "dropped": len(curated.drops),
        "drops": dict(curated.reasons.most_common()),
        "repairs": dict(curated.repairs.most_common()),
    }
    if options.out:
        facts["files"] = [str(path) for path in write(curated, Path(options.out), options.format)]
    return report(curated, facts), facts


def write(curated: Curated, folder: Path, shape: str) -> list[Path]:
    """The kept examples in a shape, and the drops beside them."""
    RunFolder(folder).make()
    kept, drops = folder / default_name(shape), folder / "drops.jsonl"
    write_examples(curated.kept, kept, shape=shape)
    write_jsonl(drops, (drop_to_json(example, drop) for example, drop in curated.drops))
    return [kept, drops]


def report(curated: Curated, facts: dict[str, Any]) -> str:
    """Counts by reason, and for each reason what it looks like."""
    lines = [facts["read"], "", f"  {facts['kept']:,} kept, {facts['dropped']:,} dropped"]
    if facts["drops"]:
        rows = [(reason, f"{count:,}") for reason, count in facts["drops"].items()]
        lines += ["", columns(rows, head=("dropped for", "count"))]
    if facts["repairs"]:
        rows = [(name, f"{count:,}") for name, count in facts["repairs"].items()]
        lines += ["", columns(rows, head=("repaired", "count"))]
    for reason in facts["drops"]:
        lines += ["", f"  {reason}"]
        for example, drop in [pair for pair in curated.drops if pair[1].reason == reason][:SHOWN]:
            evidence = ", ".join(f"{key} {value}" for key, value in drop.evidence.items())
            lines.append(f"    {visible(_short(example.instruction.text))}")
            lines.append(f"      → {visible(_short(example.response))}")
            lines.append(f"      ({visible(_short(evidence))})")
    if "files" in facts:
        lines += ["", *(f"  {path}" for path in facts["files"])]
    else:
        lines += ["", "  Nothing is written; with --out FOLDER the kept examples and drops are."]
    return "\n".join(lines)


def _short(text: str, width: int = 96) -> str:
    line = " ".join(text.split())
    return line if len(line) <= width else line[: width - 1] + "…"
