"""What shapes a run of SeDi-Instruct. Nearly all of it is ours: the README has the table."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from seedbed.curate.diversity import Composition
from seedbed.errors import ConfigError
from seedbed.recipes.self_instruct.params import Params as Asking
from seedbed.recipes.self_instruct.presets import PRESETS

UNBOUNDED = 10**12
"""Instructions that the pool may take: SeDi-Instruct counts examples."""

Prefer = Literal["highest", "lowest", "random", "none"]
"""Which batches of a window are attractive: those with the highest or the lowest signal, or any.

`random` moves as many seeds as the others and asks nobody which: what a signal has to beat. With
`none` the seeds stay what they are.
"""

Detrend = Literal["off", "step", "step_and_length"]
"""What is taken out of a signal before batches of a window are compared.

`step`: what a straight line over the steps explains, since the learning rate and the loss move
while the window lasts. `step_and_length`: that, and a line over the log of the responses' mean
length, since the gradient of a mean over few tokens is larger.
"""

LEAST_FOR_TRENDS = 6
"""Batches of a window from which a trend can be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Steering:
    """How training moves the seeds.

    Args:
        signal: of a batch, by its name in `BatchSignals.batch`.
        prefer, detrend: see their types.
        every: batches (training steps) between two moves of the seeds; that is a window.
        attractive_batches: so many of a window's.
        instructions_per_batch: attractive instructions of each; they become seeds.
        example_signal: what decides between the instructions of a batch, and what a seed's
            offspring is judged by, by its name in `BatchSignals.examples`. Empty: any
            instructions of an attractive batch, and offspring counts as its whole batch does.
        retire: seeds that go after a window, those whose offspring taught least; as many as have
            come, unless given.
        least_offspring: a seed with fewer trained offspring is not judged yet.
        least_seeds: never fewer than these.
        lag: batches; see `sedi`.
        seed: of the random choices.
    """

    signal: str = "grad_norm"
    prefer: Prefer = "highest"
    detrend: Detrend = "off"
    every: int = 10
    attractive_batches: int = 3
    instructions_per_batch: int = 4
    example_signal: str = ""
    retire: int | None = None
    least_offspring: int = 4
    least_seeds: int = 20
    lag: int = 2
    seed: int = 0

    def __post_init__(self) -> None:
        if self.attractive_batches > self.every:
            raise ConfigError(
                f"attractive_batches = {self.attractive_batches}: "
                f"there are only {self.every} in a window",
                hint="Lower it, or raise `every`.",
            )
        if self.detrend != "off" and self.every < LEAST_FOR_TRENDS:
            raise ConfigError(
                f'detrend = "{self.detrend}": a trend cannot be told from {self.every} batches',
                hint=f"Set `every` to {LEAST_FOR_TRENDS} or more.",
            )

    @property
    def listens(self) -> bool:
        """Whether anything that the student says is used."""
        return self.prefer in ("highest", "lowest")


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`count` is of examples kept.

    `asking` is Self-Instruct's: its preset, and the relaxed threshold. Its `lag`, the asks under
    way at once, also bounds the groups of instances under way.
    """

    count: int = 1000
    asking: Asking = field(default_factory=lambda: relaxed(PRESETS["alpaca"]))
    composition: Composition = field(default_factory=Composition)
    steering: Steering = field(default_factory=Steering)


def relaxed(
    asking: Asking, *, threshold: float = 0.85, machine: int = 0, asks_ahead: int = 8
) -> Asking:
    """A preset of Self-Instruct as SeDi-Instruct asks.

    Args:
        threshold: the largest ROUGE-L F1 with the pool that is still novel.
        machine: demonstrations that may be machine-written without having become seeds.
        asks_ahead: asks under way at once.
    """
    step = replace(asking.bootstrap, threshold=threshold, from_machine=machine)
    return replace(asking, bootstrap=step, lag=asks_ahead, count=UNBOUNDED)
