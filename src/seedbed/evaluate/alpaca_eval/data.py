"""What AlpacaEval 2 is made of: instructions, the baseline's outputs, difficulties, gamed rows.

None of it is part of this package: its licence (CC BY-NC 4.0) is another one. It comes from a
folder that the user names, or from the hub at one revision; what is not the published file, by its
digest, is said in the result.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Protocol

import numpy as np

from seedbed.errors import DatasetError
from seedbed.evaluate.alpaca_eval.gamed import GamedRows, gamed_rows
from seedbed.evaluate.alpaca_eval.hub import fetch
from seedbed.evaluate.alpaca_eval.leaderboard import Published, read_leaderboard
from seedbed.evaluate.alpaca_eval.win_rate import Floats
from seedbed.records import JSON

REFERENCE = "alpaca_eval_gpt4_baseline.json"
DIFFICULTY = "instruction_difficulty.csv"
GAMED = "df_gamed.csv"

FILES: Mapping[str, tuple[str, ...]] = {
    REFERENCE: (REFERENCE,),
    DIFFICULTY: (DIFFICULTY, "instruction_difficulty_recovered.csv"),
    GAMED: (GAMED, "df_gamed_surrogate.csv"),
}
"""Each file by its name on the hub, with the names that it may have in a folder."""

DIGESTS: Mapping[str, str] = {
    REFERENCE: "83db546b872ddebee8965fd05fa48461ee3c32bc695c62fb57f2d214ff741ec4",
    DIFFICULTY: "e28d875bb334f75e17acd1e4ed659b261860e3db379cf5de29060301bed0a18b",
    GAMED: "97aeec3f1c7de6dee6fd31fe66f1702623f4614c3efe1c6fc5f4927cd5fd674d",
}
"""SHA-256 of the published files, at the revision that `hub.REVISION` names."""


class Baseline(Protocol):
    """What a student's outputs are judged against: the name, and an output per instruction."""

    @property
    def baseline(self) -> str: ...

    @property
    def instructions(self) -> tuple[str, ...]: ...

    @property
    def outputs(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AlpacaEvalData:
    """The benchmark. All sequences have one entry per instruction, in the reference's order.

    `subsets` name the set that an instruction is from, `outputs` are the baseline's. `digests` are
    of the files, by their names on the hub.
    """

    instructions: tuple[str, ...]
    subsets: tuple[str, ...]
    outputs: tuple[str, ...]
    baseline: str
    difficulty: Floats
    gamed: GamedRows
    digests: Mapping[str, str]
    leaderboard: Mapping[str, tuple[Published, ...]] = field(default_factory=dict)

    @property
    def settings(self) -> dict[str, JSON]:
        """What a measurement depends on: two with other values are not comparable."""
        return {"baseline": self.baseline, "data": dict(self.digests)}

    def notes(self) -> tuple[str, ...]:
        """Which files are not the published ones."""
        others = [name for name, found in self.digests.items() if found != DIGESTS[name]]
        if not others:
            return ()
        return (
            f"Not the published file by its digest: {', '.join(others)}. LC win rates can differ "
            "from the leaderboard's by the choice of C, up to 0.15 points.",
        )

    def places(self) -> dict[str, int]:
        """Where in the benchmark each instruction is."""
        return {text: place for place, text in enumerate(self.instructions)}


def load_data(
    folder: Path | None = None, *, cache: Path | None = None, offline: bool = False
) -> AlpacaEvalData:
    """Read the benchmark.

    Args:
        folder: holds its files under one of the names in `FILES`; from the hub unless given.
        cache: the hub's cache; where its library keeps it unless given.
        offline: only what the cache has, without a look at the network.

    Raises:
        DatasetError: a file is missing, cannot be had, is not what it should be, or does not go
            with the others; or one from the hub does not have the digest it should have.
    """
    paths = {
        name: _find(folder, name) if folder else _fetch(name, cache, offline=offline)
        for name in FILES
    }
    rows = _reference(paths[REFERENCE])
    difficulty = _difficulty(paths[DIFFICULTY])
    if len(rows) != len(difficulty):
        raise DatasetError(
            f"{paths[DIFFICULTY]}: {len(difficulty)} difficulties for {len(rows)} instructions of "
            f"{paths[REFERENCE].name}",
            hint="They belong together: difficulty 0 is of the first instruction.",
        )
    return AlpacaEvalData(
        instructions=tuple(row["instruction"] for row in rows),
        subsets=tuple(str(row.get("dataset", "")) for row in rows),
        outputs=tuple(row["output"] for row in rows),
        baseline=rows[0].get("generator", "baseline"),
        difficulty=difficulty,
        gamed=gamed_rows(paths[GAMED]),
        digests={name: _digest(path) for name, path in paths.items()},
        leaderboard=read_leaderboard(folder),
    )


def _find(folder: Path, name: str) -> Path:
    for candidate in FILES[name]:
        if (folder / candidate).is_file():
            return folder / candidate
    raise DatasetError(
        f"{folder}: no {' and no '.join(FILES[name])}",
        hint="A folder of AlpacaEval's data holds all of: " + ", ".join(FILES) + ". Without "
        "--data they come from the hub.",
    )


def _fetch(name: str, cache: Path | None, *, offline: bool) -> Path:
    path = fetch(name, cache=cache, offline=offline)
    if (found := _digest(path)) != DIGESTS[name]:
        raise DatasetError(
            f"{path}: SHA-256 {found[:12]}…, expected {DIGESTS[name][:12]}… of the published file",
            hint="It is damaged, or was changed. Delete it to fetch it again.",
        )
    return path


def _digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


def _reference(path: Path) -> list[dict[str, str]]:
    """The rows of a reference file: a JSON list of objects with an instruction and an output."""
    try:
        rows = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path}: cannot be read: {error}") from error
    for name in ("instruction", "output"):
        if not isinstance(rows, list) or not rows or not all(_has_text(row, name) for row in rows):
            raise DatasetError(f"{path}: expected a JSON list of objects with a text `{name}`")
    if len({row["instruction"] for row in rows}) != len(rows):
        raise DatasetError(f"{path}: an instruction is there twice")
    if len({row.get("generator") for row in rows}) != 1:
        raise DatasetError(f"{path}: outputs of several generators")
    return list(rows)


def _has_text(row: JSON, name: str) -> bool:
    return isinstance(row, dict) and isinstance(row.get(name), str)


def _difficulty(path: Path) -> Floats:
    """The last column of a CSV file, in the order of its first, which counts from 0."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = [(int(row[0]), float(row[-1])) for row in list(csv.reader(file))[1:] if row]
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path}: cannot be read as index and difficulty: {error}") from error
    if [place for place, _ in rows] != list(range(len(rows))):
        raise DatasetError(f"{path}: expected the indices 0, 1, 2, … in this order")
    return np.array([value for _, value in rows])
