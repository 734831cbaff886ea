"""What a benchmark says of a student: measurements, and the items behind them, as one file.

A benchmark writes `<folder>/<benchmark>.json`:

    {"measurements": [{"benchmark": "alpaca_eval", "metric": "win_rate", "value": 44.6, …}, …],
     "items": [{"id": "…", "scores": {"win_rate": 100.0}, "chars": 812, "group": "", …}, …]}

An item's score under a metric's own name is in that metric's unit, so that the metric is the mean
of it over the items; comparing two students pairs such scores item by item. A metric that is no
mean (the length-controlled win rate) has no score of its name. An item that could not be scored is
there without the score: `n` says how many have one, `expected_n` how many should.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from math import isfinite
from pathlib import Path

from seedbed.errors import DatasetError
from seedbed.files import json_line, make_folder, write_text
from seedbed.records import JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One number about one student.

    Args:
        benchmark: its name, also the file's ("alpaca_eval").
        metric: what of it; snake_case, unique within a result ("win_rate").
        value: in the metric's unit.
        n: how many items the value rests on.
        expected_n: how many the benchmark has, or the user asked for.
        student: the name of the model that was measured.
        low: lower end of the 95 % interval; None where there is none.
        high: its upper end.
        standard_error: of the value, in its unit; None where there is none.
        judge: the name of the model that marked; empty where a program did.
        tool: what computed it, with its version ("seedbed 0.1.0").
        settings: all that the value depends on and that two values must share to be compared
            (prompts' digest, reference, sampling, template, …).
        dollars: what the judge cost; None where the price is unknown.
        notes: what a reader has to know, a sentence each.

    Raises:
        ValueError: a number is not finite, the ends of the interval are not both there or in the
            wrong order, or `n` is not within 1 and `expected_n`.
    """

    benchmark: str
    metric: str
    value: float
    n: int
    expected_n: int
    student: str
    low: float | None = None
    high: float | None = None
    standard_error: float | None = None
    judge: str = ""
    tool: str = ""
    settings: Mapping[str, JSON] = field(default_factory=dict)
    dollars: float | None = 0.0
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        where = f"{self.benchmark}.{self.metric}"
        numbers = (self.value, self.low, self.high, self.standard_error, self.dollars)
        if not all(number is None or isfinite(number) for number in numbers):
            raise ValueError(f"{where}: expected finite numbers, got {numbers}")
        if (self.low is None) != (self.high is None):
            raise ValueError(f"{where}: an interval with one end")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"{where}: an interval from {self.low} to {self.high}")
        if not 1 <= self.n <= self.expected_n:
            raise ValueError(f"{where}: {self.n} items of {self.expected_n}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One question of a benchmark, as the student was marked on it.

    Args:
        id: the same for every student: of the question, never of the answer.
        scores: by metric, in the metric's unit; without those that could not be had.
        chars: characters of the student's answer.
        group: items that stand or fall together (the turns of a question, a subject); empty
            where every item stands for itself.
        facts: numbers that a metric needs and that are no score (the baseline's length, …).

    Raises:
        ValueError: a score or a fact is not finite.
    """

    id: str
    scores: Mapping[str, float]
    chars: int
    group: str = ""
    facts: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, value in (*self.scores.items(), *self.facts.items()):
            if not isfinite(value):
                raise ValueError(f"item {self.id}: {name} = {value}: leave it out instead")


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one benchmark said of one student.

    Raises:
        ValueError: no measurement, measurements of several benchmarks or students, or a metric or
            an item twice.
    """

    measurements: tuple[Measurement, ...]
    items: tuple[Item, ...]

    def __post_init__(self) -> None:
        subjects = {(each.benchmark, each.student) for each in self.measurements}
        if len(subjects) != 1:
            raise ValueError(f"expected one benchmark and one student, got {sorted(subjects)}")
        _each_once("metric", [each.metric for each in self.measurements])
        _each_once("item", [each.id for each in self.items])

    @property
    def benchmark(self) -> str:
        return self.measurements[0].benchmark

    @property
    def student(self) -> str:
        return self.measurements[0].student

    def measurement(self, metric: str) -> Measurement:
        """The measurement of this name.

        Raises:
            KeyError: there is none.
        """
        for each in self.measurements:
            if each.metric == metric:
                return each
        raise KeyError(metric)

    def to_json(self) -> dict[str, JSON]:
        return {
            "measurements": [asdict(each) for each in self.measurements],
            "items": [asdict(each) for each in self.items],
        }


def _each_once(what: str, names: list[str]) -> None:
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the {what} {twice!r} is there twice")


def write_result(result: Result, folder: Path) -> Path:
    """Write `<folder>/<benchmark>.json`, making the folder; returns the file.

    Raises:
        StorageError: it cannot be written; an older result is as it was.
    """
    make_folder(folder)
    path = folder / f"{result.benchmark}.json"
    write_text(path, json_line(result.to_json()))
    return path


def read_result(path: Path) -> Result:
    """Read a file that `write_result` wrote.

    Raises:
        DatasetError: it cannot be read, or is not a result.
    """
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(Result).validate_json(path.read_bytes())
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise DatasetError(
            f"{path}: not a result of `seedbed eval`: {place}: {first['msg']}",
            hint="Name a file that `seedbed eval` wrote, or the folder that holds it.",
        ) from None


def read_results(place: Path) -> tuple[Result, ...]:
    """The results in a file, or in all `.json` files of a folder (or of its `evaluation/`).

    Raises:
        DatasetError: there is none, or a file is not a result.
    """
    if not place.is_dir():
        return (read_result(place),)
    inner = place / "evaluation"
    folder = inner if inner.is_dir() else place
    found = tuple(read_result(path) for path in sorted(folder.glob("*.json")))
    if not found:
        raise DatasetError(
            f"{folder}: no result in it", hint="Measure first: `seedbed eval STUDENT …`."
        )
    return found
