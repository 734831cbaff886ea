"""`seedbed curate`: report first, write second."""

from __future__ import annotations

import argparse
import sys
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from time import monotonic
from typing import Any

from seedbed.cli.tables import columns, visible
from seedbed.cli.watching import PLAIN_SECONDS
from seedbed.curate.contamination import LOADERS, BenchmarkPrompt
from seedbed.curate.dataset import Curated, CurateSettings, curate
from seedbed.curate.filters import script_names
from seedbed.curate.many import Cost, Many, Watch, curate_many, processes
from seedbed.datasets import Dataset, ReadSettings, read_dataset
from seedbed.errors import ConfigError
from seedbed.export import default_name, drop_to_json, write_examples
from seedbed.files import write_jsonl
from seedbed.folder import RunFolder
from seedbed.records import JSON, Drop, Example

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
        scripts=tuple(map(_script, options.script)),
        against=tuple(prompt for given in options.against for prompt in _prompts(given)),
        novelty=options.novelty,
        near_duplicates=options.near_duplicates,
        diverse=options.diverse,
    )


def _bounds(option: str, text: str) -> tuple[int, int | None]:
    """Bounds from "4:150", "4:" or ":150"."""
    low, colon, high = text.partition(":")
    if not colon or not (low + high).isdigit():
        raise ConfigError(f"{option} {text}: expected LOW:HIGH, LOW: or :HIGH, in words")
    if low and high and int(low) > int(high):
        raise ConfigError(f"{option} {text}: expected LOW no larger than HIGH")
    return int(low or 0), int(high) if high else None


def _script(given: str) -> str:
    name = given.upper()
    if name not in (known := script_names()):
        near = ", ".join(get_close_matches(name, known)) or "LATIN, CYRILLIC, ARABIC, CJK, HANGUL"
        raise ConfigError(
            f"--script {given}: no letter of Unicode is of that script",
            hint=f"Scripts are named as Unicode names its letters, such as {near}.",
        )
    return name


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
    chosen = settings(options)
    dataset = read(options)
    if options.out:
        _spare_what_is_there(options)
    curated: Curated
    costs: dict[str, Cost] = {}
    if options.engine == "memory":
        curated = curate(dataset, chosen)
        said = str(dataset.report)
    else:
        many = _in_parts(options, dataset, chosen)
        curated, said = many.parts, many.read
        costs |= many.costs
    shown = _Shown()
    kept, drops = shown.keeping(curated.kept), shown.dropping(curated.drops)
    files: list[Path] = []
    if options.out:
        files = write(kept, drops, folder=Path(options.out), shape=options.format)
    deque(kept, 0)
    deque(drops, 0)
    facts: dict[str, Any] = {"read": said, **shown.facts()}
    if files:
        facts["files"] = [str(path) for path in files]
    costs["command"] = Cost.so_far()
    facts["costs"] = {stage: cost._asdict() for stage, cost in costs.items()}
    return report(shown, facts), facts


def _spare_what_is_there(options: argparse.Namespace) -> None:
    """Writing must not cost the dataset that is read, nor what a run says of itself.

    Raises:
        ConfigError: it would.
    """
    folder = Path(options.out)
    source = Path(options.dataset).resolve()
    if source in [path.resolve() for path in _outputs(folder, options.format)]:
        raise ConfigError(
            f"--out {options.out}: {source.name} would be replaced, the dataset that is read",
            hint="Choose another folder, or another --format.",
        )
    if RunFolder(folder).manifest.exists():
        raise ConfigError(
            f"--out {options.out}: the folder of a run, whose drops.jsonl would be replaced",
            hint="Choose another folder.",
        )


def _in_parts(
    options: argparse.Namespace, dataset: Dataset[Example], chosen: CurateSettings
) -> Many:
    """Curate with an engine that works in parts, which stay in the output's folder."""
    from seedbed.curate.on_ray import ray_data

    if not options.out:
        raise ConfigError(
            f"--engine {options.engine} needs --out FOLDER",
            hint="Its parts are kept there, so that it can go on; all machines have to see it.",
        )
    if options.parts < 1:
        raise ConfigError(f"--parts {options.parts}: expected 1 or more")
    RunFolder(Path(options.out)).make()
    engine = ray_data if options.engine == "ray" else processes
    with engine() as mapper, _watching(silent=options.json) as watch:
        return curate_many(
            dataset,
            chosen,
            folder=Path(options.out).resolve() / "parts",
            identity=_identity(options),
            mapper=mapper,
            told=lambda: str(dataset.report),
            part=options.parts,
            watch=watch,
        )


def _identity(options: argparse.Namespace) -> JSON:
    """What is read and how; a file that is changed is another one."""
    reading = [options.read_as, options.instruction, options.input, options.response]
    source = Path(options.dataset)
    state = [source.stat().st_size, source.stat().st_mtime_ns] if source.exists() else []
    return [options.dataset, options.on_bad_line, *reading, *state]


def write(
    kept: Iterable[Example], drops: Iterable[tuple[Example, Drop]], *, folder: Path, shape: str
) -> list[Path]:
    """The kept examples in a shape, and the drops beside them."""
    RunFolder(folder).make()
    paths = _outputs(folder, shape)
    write_examples(kept, paths[0], shape=shape)
    write_jsonl(paths[1], (drop_to_json(example, drop) for example, drop in drops))
    return paths


def _outputs(folder: Path, shape: str) -> list[Path]:
    return [folder / default_name(shape), folder / "drops.jsonl"]


class _Shown:
    """Counts what is kept and dropped while it passes, with the first examples of each reason."""

    def __init__(self) -> None:
        self.reasons: Counter[str] = Counter()
        self.first: dict[str, list[tuple[Example, Drop]]] = {}
        self.kept = 0
        self.repairs: Counter[str] = Counter()

    def keeping(self, examples: Iterable[Example]) -> Iterator[Example]:
        for example in examples:
            self.kept += 1
            self.repairs.update(example.repairs)
            yield example

    def dropping(self, drops: Iterable[tuple[Example, Drop]]) -> Iterator[tuple[Example, Drop]]:
        for example, drop in drops:
            self.reasons[drop.reason] += 1
            if len(shown := self.first.setdefault(drop.reason, [])) < SHOWN:
                shown.append((example, drop))
            yield example, drop

    def facts(self) -> dict[str, JSON]:
        return {
            "kept": self.kept,
            "dropped": self.reasons.total(),
            "drops": dict(self.reasons.most_common()),
            "repairs": dict(self.repairs.most_common()),
        }


def report(shown: _Shown, facts: dict[str, Any]) -> str:
    """Counts by reason, and for each reason what it looks like."""
    lines = [facts["read"], "", f"  {facts['kept']:,} kept, {facts['dropped']:,} dropped"]
    if facts["drops"]:
        rows = [(reason, f"{count:,}") for reason, count in facts["drops"].items()]
        lines += ["", columns(rows, head=("dropped for", "count"))]
    if facts["repairs"]:
        rows = [(name, f"{count:,}") for name, count in facts["repairs"].items()]
        lines += ["", columns(rows, head=("repaired, now or before", "count"))]
    for reason in facts["drops"]:
        lines += ["", f"  {reason}"]
        for example, drop in shown.first[reason]:
            evidence = ", ".join(f"{key} {value}" for key, value in drop.evidence.items())
            lines.append(f"    {visible(_short(example.instruction.text))}")
            lines.append(f"      → {visible(_short(example.response))}")
            lines.append(f"      ({visible(_short(evidence))})")
    if "files" in facts:
        lines += ["", *(f"  {path}" for path in facts["files"])]
    else:
        lines += ["", "  Nothing is written; with --out FOLDER the kept examples and drops are."]
    return "\n".join(lines)


@contextmanager
def _watching(*, silent: bool) -> Iterator[Watch]:
    """A function that tells on standard error how far the parts are."""
    live = sys.stderr.isatty()
    last = 0.0

    def show(stage: str, done: int, of: int) -> None:
        nonlocal last
        if monotonic() - last < (0.2 if live else PLAIN_SECONDS) and done != of:
            return
        last = monotonic()
        told = f"{stage}: {done:,} of {of:,} steps" if of else f"{stage}: {done:,} examples"
        print(f"\r\x1b[K{told}" if live else told, end="" if live else "\n", file=sys.stderr)

    yield (lambda stage, done, of: None) if silent else show
    if live and not silent:
        print("\r\x1b[K", end="", file=sys.stderr)


def _short(text: str, width: int = 96) -> str:
    line = " ".join(text.split())
    return line if len(line) <= width else line[: width - 1] + "…"
