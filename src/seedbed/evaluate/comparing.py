"""Students compared pair by pair, on every metric that both were measured by."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations

from seedbed.errors import ConfigError
from seedbed.evaluate.measurement import Measurement, Result
from seedbed.evaluate.statistics import Difference, holm, paired_difference, verdict
from seedbed.records import JSON

LENGTH = "chars"
"""A metric that is shown beside every score and is none itself."""

DECISIVE = (
    "baseline",
    "both_orders",
    "data",
    "files",
    "grading",
    "judge_prompt",
    "order_seed",
    "preferences_from",
    "set",
    "world",
)
"""Settings without which two scores are of different questions, or of another judging."""

Refit = Callable[[Result, Result], Difference]
"""Compares two results by a metric that is no mean over items."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Two students on one metric; `difference` is of the first less the second.

    `first` and `second` are the measured values with their own items, `difference` of the items
    that both have. `adjusted` is p after Holm's correction over all comparisons made at once.
    `chars` is by how much longer the first one's answers are on average.
    """

    benchmark: str
    metric: str
    first: Measurement
    second: Measurement
    difference: Difference
    adjusted: float
    chars: float
    verdict: str
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, JSON]:
        return {
            "benchmark": self.benchmark,
            "metric": self.metric,
            "first": {"student": self.first.student, "value": self.first.value},
            "second": {"student": self.second.student, "value": self.second.value},
            **asdict(self.difference),
            "adjusted_p": self.adjusted,
            "more_chars": self.chars,
            "verdict": self.verdict,
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All pairs; `untested` are metrics that are no mean over items, so that pairs of items say
    nothing of them."""

    pairs: tuple[Compared, ...]
    untested: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]


def compare(
    students: Sequence[Sequence[Result]],
    *,
    metrics: Sequence[str] = (),
    every: bool = False,
    refits: Mapping[tuple[str, str], Refit] | None = None,
    anyway: bool = False,
    seed: int = 0,
) -> Comparison:
    """Compare every two students.

    Args:
        students: the results of each.
        metrics: only these; unless given, the first that each benchmark measures, and those that
            have a refit.
        every: all that can be paired, instead; then Holm's correction is over more.
        refits: by benchmark and metric, for what is no mean over items.
        anyway: compare also what was judged by other judges or settings, with a warning.

    Raises:
        ConfigError: there is nothing to compare, a metric is unknown, or two results were judged
            in different ways.
    """
    found: list[Compared] = []
    untested: dict[tuple[str, str], None] = {}
    for first, second in combinations(students, 2):
        for one, other in _shared(first, second):
            notes = _differences(one, other, anyway=anyway)
            for metric in _both(one, other):
                refit = (refits or {}).get((one.benchmark, metric))
                headline = metric == one.measurements[0].metric or refit is not None
                if not (metric in metrics if metrics else every or headline):
                    continue
                if refit is None and not _is_paired(one, other, metric):
                    untested[one.benchmark, metric] = None
                    continue
                difference = refit(one, other) if refit else _paired(one, other, metric, seed)
                found.append(_compared(one, other, metric, difference, notes))
    if not found:
        raise ConfigError(
            "nothing to compare: no benchmark and metric that two students share"
            + (f" among {', '.join(metrics)}" if metrics else ""),
            hint="Measure both by the same benchmark first: `seedbed eval`.",
        )
    adjusted = holm([each.difference.p for each in found])
    pairs = tuple(_judged(each, p) for each, p in zip(found, adjusted, strict=True))
    return Comparison(
        pairs=pairs,
        untested=tuple(untested),
        notes=tuple(dict.fromkeys(note for each in pairs for note in each.notes)),
    )


def _shared(first: Sequence[Result], second: Sequence[Result]) -> list[tuple[Result, Result]]:
    """Results of one benchmark, side by side."""
    others = {each.benchmark: each for each in second}
    return [(each, others[each.benchmark]) for each in first if each.benchmark in others]


def _both(one: Result, other: Result) -> list[str]:
    theirs = {each.metric for each in other.measurements}
    return [each.metric for each in one.measurements if each.metric in theirs - {LENGTH}]


def _is_paired(one: Result, other: Result, metric: str) -> bool:
    """Whether some item has this score in both."""
    return bool(_scores(one, metric).keys() & _scores(other, metric).keys())


def _scores(result: Result, metric: str) -> dict[str, float]:
    return {item.id: item.scores[metric] for item in result.items if metric in item.scores}


def _paired(one: Result, other: Result, metric: str, seed: int) -> Difference:
    groups = {item.id: item.group for item in one.items}
    return paired_difference(_scores(one, metric), _scores(other, metric), groups=groups, seed=seed)


def _compared(
    one: Result, other: Result, metric: str, difference: Difference, notes: tuple[str, ...]
) -> Compared:
    first, second = one.measurement(metric), other.measurement(metric)
    unpaired = max(first.n, second.n) - difference.n
    if unpaired:
        notes += (
            f"{one.benchmark}.{metric}: {difference.n} items are compared; {first.student} has "
            f"{first.n} and {second.student} {second.n}.",
        )
    return Compared(
        benchmark=one.benchmark,
        metric=metric,
        first=first,
        second=second,
        difference=difference,
        adjusted=1.0,
        chars=_mean_chars(one) - _mean_chars(other),
        verdict="",
        notes=notes,
    )


def _mean_chars(result: Result) -> float:
    return sum(item.chars for item in result.items) / max(1, len(result.items))


def _judged(compared: Compared, adjusted: float) -> Compared:
    sentence = verdict(
        compared.difference,
        first=compared.first.student,
        second=compared.second.student,
        adjusted=adjusted,
    )
    return replace(compared, adjusted=adjusted, verdict=sentence)


def _differences(one: Result, other: Result, *, anyway: bool) -> tuple[str, ...]:
    """What the two were not measured alike by.

    Raises:
        ConfigError: it decides what the scores mean, and the user has not said `anyway`.
    """
    first, second = one.measurements[0], other.measurements[0]
    names = sorted({*first.settings, *second.settings})
    differing = {
        name: (first.settings.get(name), second.settings.get(name))
        for name in names
        if first.settings.get(name) != second.settings.get(name)
    }
    if first.judge != second.judge:
        differing["judge"] = (first.judge or "none", second.judge or "none")
    decisive = [name for name in differing if name in DECISIVE or name == "judge"]
    students = f"{first.student} and {second.student}"
    if decisive and not anyway:
        name = decisive[0]
        raise ConfigError(
            f"{one.benchmark}: {students} were judged differently: {name} is "
            f"{_short(differing[name][0])} and {_short(differing[name][1])}",
            hint="Scores of different judges or references do not compare. Measure both alike, or "
            "add --anyway.",
        )
    notes = [
        f"WARNING: {one.benchmark}: {students} differ in {name}: {_short(a)} and {_short(b)}."
        for name, (a, b) in differing.items()
    ]
    if first.tool != second.tool:
        notes.append(f"{one.benchmark}: measured by {first.tool} and by {second.tool}.")
    return tuple(notes)


def _short(value: JSON) -> str:
    text = "not set" if value is None else str(value)
    return text if len(text) <= 60 else text[:57] + "…"
