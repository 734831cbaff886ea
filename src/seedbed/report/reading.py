"""A run's folder as a report sees it: read once, whole, and never written to."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from pathlib import Path

from seedbed.decisions import Decision, Decisions, content_of, read_decisions
from seedbed.errors import ConfigError, DatasetError
from seedbed.evaluate.measurement import Result, read_result
from seedbed.folder import RunFolder, find_run
from seedbed.plan import plan_run
from seedbed.records import JSON
from seedbed.report.rows import Lost, Row, read_lost, read_rows
from seedbed.report.training import Training, read_training
from seedbed.wiring import RECIPES, wiring_of


@dataclass(frozen=True, kw_only=True)
class RunData:
    """A run as its files tell it.

    `name` tells it from the other runs of the report. `skills` are (name, topic) and `query_types`
    names of the pool that the recipe drew from, empty where it has none. `settings` are the
    recipe's, empty where the config can no longer be read. `decisions` are people's. `unread` says
    what was left out.
    """

    name: str
    folder: RunFolder
    manifest: Mapping[str, JSON]
    rows: Sequence[Row]
    lost: Sequence[Lost]
    skills: Sequence[tuple[str, str]]
    query_types: Sequence[str]
    settings: Mapping[str, str]
    training: Training | None
    results: Sequence[Result]
    decisions: Decisions = field(default_factory=Decisions)
    unread: Sequence[str] = ()

    @property
    def recipe(self) -> str:
        return str(self.manifest["recipe"])

    @property
    def practice(self) -> bool:
        return str(self.manifest["teacher"]).startswith("practice")

    @cached_property
    def instructions(self) -> Sequence[Row]:
        """The first example of each instruction: several examples can share one."""
        seen: dict[str, Row] = {}
        for row in self.rows:
            seen.setdefault(row.instruction_id, row)
        return tuple(seen.values())

    @cached_property
    def decided(self) -> Sequence[tuple[Row | Lost, Decision]]:
        """What people judged by hand, with their decision, in the files' order."""
        if not len(self.decisions):
            return ()
        found: list[tuple[Row | Lost, Decision]] = []
        items: Iterator[Row | Lost] = chain(self.rows, self.lost)
        for item in items:
            row, written = (item.row, item.text) if isinstance(item, Lost) else (item, "")
            content = content_of(row.instruction or written, row.input, row.response)
            name, dropped = row.id or content, isinstance(item, Lost)
            if (decision := self.decisions.find(name, content, dropped=dropped)) is not None:
                found.append((item, decision))
        return tuple(found)

    @property
    def rows_source(self) -> str:
        return f"examples.jsonl ({len(self.rows):,} lines)"

    @property
    def lost_source(self) -> str:
        return f"drops.jsonl ({len(self.lost):,} lines)"


def read_runs(places: Sequence[Path], *, evaluations: Sequence[Path] = ()) -> list[RunData]:
    """The runs at these places, with names that tell them apart.

    `evaluations` are further files or folders of benchmark results, read for the first run.

    Raises:
        ConfigError: a place is not a run.
        DatasetError: a file of a run is not what it should be.
    """
    names = _names([place.resolve() for place in places])
    more: list[Sequence[Path]] = [evaluations, *([()] * len(places))]
    return [
        _read(place, name, extra) for place, name, extra in zip(places, names, more, strict=False)
    ]


def _read(place: Path, name: str, evaluations: Sequence[Path]) -> RunData:
    folder = find_run(place)
    manifest = folder.read_manifest()
    pool, unread = _pool(folder.skills)
    settings, problem = _settings(folder, str(manifest["recipe"]))
    results, failed = _results(_result_files(place, evaluations))
    decisions, undecided = _decisions(folder)
    return RunData(
        name=name,
        folder=folder,
        manifest=manifest,
        rows=read_rows(folder.examples),
        lost=read_lost(folder.drops),
        skills=[
            (skill["name"], str(skill.get("topic", ""))) for skill in _named(pool.get("skills"))
        ],
        query_types=[kind["name"] for kind in _named(pool.get("query_types"))],
        settings=settings,
        training=read_training(place),
        results=results,
        decisions=decisions,
        unread=[*unread, *problem, *failed, *undecided],
    )


def _names(places: Sequence[Path]) -> list[str]:
    """The folders' own names, with as much of their parents as tells them apart."""
    for length in range(1, max(len(place.parts) for place in places) + 1):
        names = ["/".join(place.parts[-length:]) for place in places]
        if len(set(names)) == len(names):
            return names
    raise ConfigError("a run is named twice", hint="Name each run's folder once.")


def _pool(path: Path) -> tuple[Mapping[str, JSON], list[str]]:
    if not path.exists():
        return {}, []
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        return {}, [f"{path.name} was left out: not JSON: {error}"]
    return (content, []) if isinstance(content, dict) else ({}, [f"{path.name}: no object in it"])


def _named(items: JSON) -> Iterable[Mapping[str, JSON]]:
    for item in items if isinstance(items, list) else ():
        if isinstance(item, dict) and isinstance(item.get("name"), str):
            yield item


def _settings(folder: RunFolder, recipe: str) -> tuple[Mapping[str, str], list[str]]:
    """The recipe's settings as the config says them; the copy may name files of elsewhere."""
    if recipe not in RECIPES or not folder.config.exists():
        return {}, []
    try:
        plan = plan_run(folder.config, folder=folder.path)
        return wiring_of(recipe).settings(plan), []
    except ConfigError as error:
        return {}, [f"The settings were left out, config.toml could not be read: {error}"]


def _decisions(folder: RunFolder) -> tuple[Decisions, list[str]]:
    try:
        return read_decisions(folder.decisions), []
    except DatasetError as error:
        return Decisions(), [f"What people decided was left out: {error}"]


def _result_files(run: Path, evaluations: Sequence[Path]) -> list[Path]:
    found = sorted(
        path
        for pattern in ("evaluation/*.json", "*/evaluation/*.json", "evaluation/*/*.json")
        for path in (*run.glob(pattern), *(run / "training").glob(f"checkpoints/{pattern}"))
    )
    for place in evaluations:
        found += sorted(place.rglob("*.json")) if place.is_dir() else [place]
    return list(dict.fromkeys(found))


def _results(paths: Sequence[Path]) -> tuple[list[Result], list[str]]:
    results, problems = [], []
    for path in paths:
        try:
            results.append(read_result(path))
        except DatasetError as error:
            problems.append(f"A benchmark's result was left out: {error}")
    return results, problems
