"""Examples that are set aside, to choose the best epoch on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from seedbed.datasets import read_dataset
from seedbed.records import Example
from seedbed.streams import rng
from seedbed.training.settings import TrainSettings

MOST = 0.2
"""The largest share of the examples that is set aside, whatever number was asked for."""


def set_aside(
    examples: Sequence[Example],
    *,
    settings: TrainSettings,
    given: Iterable[Example] | None = None,
) -> tuple[list[Example], list[Example]]:
    """The examples to train on, and those to choose the best epoch on.

    The latter are `given`, or the settings' file, or drawn from the examples.

    Raises:
        DatasetError: the settings' file is not a dataset.
    """
    if given is not None:
        return list(examples), list(given)
    if settings.held_out_file:
        return list(examples), list(read_dataset(settings.held_out_file))
    wanted = settings.held_out if settings.held_out >= 1 else settings.held_out * len(examples)
    count = min(round(wanted), int(len(examples) * MOST))
    drawn = set(rng("held out", settings.seed).sample(range(len(examples)), count))
    kept = [example for place, example in enumerate(examples) if place not in drawn]
    return kept, [example for place, example in enumerate(examples) if place in drawn]
