"""What is attractive, and which seeds taught least: decisions over one window of training steps.

Pure functions of what training said. The papers name the ideas (the batches with the highest
gradient norm, instructions chosen from them, poor seeds removed); the arithmetic is ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf, log
from random import Random

from seedbed.errors import ConfigError
from seedbed.recipes.sedi.params import Detrend, Steering
from seedbed.recipes.self_instruct.seeds import Seed
from seedbed.records import BatchSignals, Example


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """A batch that the student was trained on, and what that showed."""

    examples: tuple[Example, ...]
    signals: BatchSignals


def read(rows: Sequence[Mapping[str, float]], name: str, *, setting: str) -> list[float | None]:
    """A signal of each batch or example; None where training said nothing of it.

    Raises:
        ConfigError: training never gives it.
    """
    values = [row.get(name) for row in rows]
    if not any(value is not None for value in values):
        given = sorted({key for row in rows for key in row})
        raise ConfigError(
            f'{setting} = "{name}": no training step of a whole window gave this signal',
            hint=f"They gave: {', '.join(given) or 'none'}.",
        )
    return values


def attractive(window: Sequence[Lesson], how: Steering, random: Random) -> list[int]:
    """The places of the window's attractive batches, the most attractive first."""
    if how.prefer == "random":
        return random.sample(range(len(window)), how.attractive_batches)
    return ranked(batch_values(window, how), how)[: how.attractive_batches]


def batch_values(window: Sequence[Lesson], how: Steering) -> list[float]:
    """The signal of each batch, freed of trends; a batch without one is the least attractive."""
    values = read([lesson.signals.batch for lesson in window], how.signal, setting="signal")
    known = [lesson for lesson, value in zip(window, values, strict=True) if value is not None]
    steps = [float(lesson.signals.step) for lesson in known]
    covariates: Mapping[Detrend, list[list[float]]] = {
        "off": [],
        "step": [steps],
        "step_and_length": [steps, [log_length(lesson.examples) for lesson in known]],
    }
    found = [value for value in values if value is not None]
    left = iter(detrended(found, covariates[how.detrend]))
    return [_worst(how) if value is None else next(left) for value in values]


def _worst(how: Steering) -> float:
    return inf if how.prefer == "lowest" else -inf


def log_length(examples: Sequence[Example]) -> float:
    """Log of the characters of a response, on average."""
    return log(max(1.0, sum(len(example.response) for example in examples) / len(examples)))


def detrended(values: Sequence[float], covariates: Sequence[Sequence[float]]) -> list[float]:
    """What a least-squares fit on the covariates (and a constant) leaves of the values."""
    if not covariates:
        return list(values)
    import numpy as np

    columns = np.column_stack([np.ones(len(values)), *covariates])
    fitted = columns @ np.linalg.lstsq(columns, np.array(values), rcond=None)[0]
    return [round(float(left), 12) for left in np.array(values) - fitted]


def ranked(values: Sequence[float], how: Steering) -> list[int]:
    """Places from the most to the least attractive; of equals the earlier first."""
    sign = 1 if how.prefer == "lowest" else -1
    return sorted(range(len(values)), key=lambda place: (sign * values[place], place))


def instructions(lesson: Lesson, how: Steering, random: Random) -> list[Example]:
    """The attractive instructions of an attractive batch, each with one example."""
    order = random.sample(range(len(lesson.examples)), len(lesson.examples))
    if how.example_signal and how.listens:
        order = ranked(example_values([lesson], how), how)
    first: dict[str, Example] = {}
    for place in order:
        first.setdefault(lesson.examples[place].instruction.id, lesson.examples[place])
    return list(first.values())[: how.instructions_per_batch]


def example_values(lessons: Sequence[Lesson], how: Steering) -> list[float]:
    """The signal of each example of some batches; one without it is the least attractive."""
    rows = [row for lesson in lessons for row in lesson.signals.examples]
    values = read(rows, how.example_signal, setting="example_signal")
    return [_worst(how) if value is None else value for value in values]


@dataclass(slots=True)
class Credit:
    """What the offspring of each seed taught, over all windows so far.

    An example counts with its place among all of its window, 0 for the least attractive to 1 for
    the most, so that windows of different loss and learning rate can be added up.
    """

    total: dict[str, float] = field(default_factory=dict)
    offspring: dict[str, int] = field(default_factory=dict)

    def add(self, window: Sequence[Lesson], how: Steering, random: Random) -> None:
        for lesson, shares in zip(window, taught(window, how, random), strict=True):
            for example, share in zip(lesson.examples, shares, strict=True):
                for parent in example.instruction.origin.parents:
                    self.total[parent] = self.total.get(parent, 0.0) + share
                    self.offspring[parent] = self.offspring.get(parent, 0) + 1

    def mean(self, seed: Seed) -> float:
        return self.total[seed.instruction.id] / self.offspring[seed.instruction.id]

    def worst(self, seeds: Sequence[Seed], how: Steering, *, come: int = 0) -> list[Seed]:
        """The seeds to retire, the worst first: judged ones only, and enough always stay.

        `come`: how many were added, which is how many go unless the settings say otherwise.
        """
        judged = [
            seed
            for seed in seeds
            if self.offspring.get(seed.instruction.id, 0) >= how.least_offspring
        ]
        spare = max(0, len(seeds) - how.least_seeds)
        judged.sort(key=lambda seed: (round(self.mean(seed), 9), seed.instruction.id))
        return judged[: min(come if how.retire is None else how.retire, spare)]


def taught(window: Sequence[Lesson], how: Steering, random: Random) -> list[list[float]]:
    """For each batch what each of its examples taught: 0 the least of the window to 1 the most."""
    if how.prefer == "random":
        return [[random.random() for _ in lesson.examples] for lesson in window]
    if not how.example_signal:
        of_batch = places(ranked(batch_values(window, how), how))
        return [
            [share] * len(lesson.examples) for lesson, share in zip(window, of_batch, strict=True)
        ]
    shares = iter(places(ranked(example_values(window, how), how)))
    return [[next(shares) for _ in lesson.examples] for lesson in window]


def places(order: Sequence[int]) -> list[float]:
    """For each item of an order from best to worst its place: 1 for the best, 0 for the worst."""
    found = [1.0] * len(order)
    for place, item in enumerate(order):
        found[item] = 1 - place / max(1, len(order) - 1)
    return found
