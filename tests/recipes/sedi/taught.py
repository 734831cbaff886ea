"""Running SeDi-Instruct in a test, with students that say what a test wants them to."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from seedbed.curate.diversity import Composition
from seedbed.models.model import Model
from seedbed.models.practice import PracticeTeacher, Trouble
from seedbed.prompts import load_prompts
from seedbed.recipes.sedi import Moved, Params, Trained, sedi
from seedbed.recipes.sedi.params import Steering, relaxed
from seedbed.recipes.self_instruct import PRESETS, Preset, Seed, shipped_seeds
from seedbed.recipes.self_instruct.params import PACKAGE
from seedbed.records import BatchSignals, Drop, Dropped, Example, Feedback, Review, digest

PROMPTS = load_prompts(PACKAGE)

TROUBLE = Trouble(duplicate=0.3, truncated=0.05, malformed=0.05, refused=0.02)


def settings(
    *,
    count: int = 150,
    size: int = 8,
    preset: Preset = "alpaca",
    asks_ahead: int = 3,
    composition: Mapping[str, Any] | None = None,
    **steering: Any,
) -> Params:
    """A small run: batches of 8, windows of 3 of them."""
    small = {"every": 3, "attractive_batches": 1, "instructions_per_batch": 3, "retire": 3}
    return Params(
        count=count,
        asking=relaxed(PRESETS[preset], asks_ahead=asks_ahead),
        composition=Composition(size=size, lookahead=2, **(composition or {})),
        steering=Steering(**(small | {"least_offspring": 2, "least_seeds": 10} | steering)),
    )


@dataclass
class Made:
    """All that a run made, in order."""

    examples: list[Example] = field(default_factory=list)
    trained: list[Trained] = field(default_factory=list)
    moved: list[Moved] = field(default_factory=list)
    drops: list[tuple[Dropped, Drop]] = field(default_factory=list)
    accepted: list[str] = field(default_factory=list)

    @property
    def reasons(self) -> list[str]:
        return [drop.reason for _, drop in self.drops]

    @property
    def seeds_added(self) -> list[str]:
        return [moved.seed.instruction.text for moved in self.moved if moved.move == "added"]


def by_length(example: Example) -> float:
    return float(len(example.instruction.text))


@dataclass
class Student:
    """Says the mean of a property of its batch as gradient norm; steps take random times."""

    says: Callable[[Example], float] = by_length
    jitter: random.Random | None = None
    seen: list[Sequence[Example]] = field(default_factory=list)
    under_way: int = 0

    async def __call__(self, batch: Sequence[Example]) -> BatchSignals:
        assert not self.under_way, "two steps at once"
        self.under_way += 1
        for _ in range(self.jitter.randrange(200) if self.jitter else 0):
            await asyncio.sleep(0)
        self.under_way -= 1
        self.seen.append(batch)
        values = [self.says(example) for example in batch]
        return BatchSignals(
            step=len(self.seen),
            batch={"grad_norm": sum(values) / len(values), "loss": 1.0},
            examples=tuple({"head_grad_norm": value} for value in values),
        )


def hashed(example: Example) -> float:
    """A property that nothing else depends on."""
    return int(digest(example.id)[:8], 16) / 16**8


async def content(example: Example) -> Example | Drop:
    return example


def grown(
    params: Params,
    *,
    model: Model | None = None,
    student: Feedback | None = None,
    seeds: Sequence[Seed] | None = None,
    review: Review = content,
) -> Made:
    made = Made()

    def note(entry: Trained | Moved) -> None:
        made.trained.append(entry) if isinstance(entry, Trained) else made.moved.append(entry)

    async def run() -> None:
        async for example in sedi(
            shipped_seeds() if seeds is None else seeds,
            model=model or PracticeTeacher(TROUBLE),
            prompts=PROMPTS,
            feedback=student or Student(),
            review=review,
            drop=lambda item, drop: made.drops.append((item, drop)),
            accept=lambda found: made.accepted.append(found.instruction.id),
            note=note,
            params=params,
        ):
            made.examples.append(example)

    asyncio.run(run())
    return made


def with_seed(params: Params, seed: int) -> Params:
    return replace(
        params,
        asking=replace(params.asking, seed=seed),
        composition=replace(params.composition, seed=seed),
        steering=replace(params.steering, seed=seed),
    )
