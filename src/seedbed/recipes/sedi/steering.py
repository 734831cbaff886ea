"""Training beside the asking: batches go in, and after every window other seeds come out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from seedbed.curate.diversity import Batch
from seedbed.recipes.sedi.choosing import Credit, Lesson, attractive, instructions
from seedbed.recipes.sedi.params import Steering as How
from seedbed.recipes.self_instruct.seeds import Seed
from seedbed.records import BatchSignals, Example, Feedback
from seedbed.streams import Background, rng


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """A batch after its training step. `attractive` is None where its window was not completed."""

    batch: Batch[Example]
    signals: BatchSignals
    window: int
    attractive: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A seed that was added or retired after a window, and why."""

    window: int
    move: Literal["added", "retired"]
    seed: Seed
    evidence: Mapping[str, float | str] = field(default_factory=dict)


Note = Callable[[Trained | Moved], None]
"""Is told what happened, in an order that does not depend on timing."""


class Steering:
    """The student's lessons in the background, and the seeds as these leave them.

    The seeds before any feedback are version 0; the n-th window makes version n.
    """

    def __init__(self, seeds: Sequence[Seed], *, feedback: Feedback, note: Note, how: How) -> None:
        self._feedback = feedback
        self._note = note
        self._how = how
        self._versions: list[tuple[Seed, ...]] = [tuple(seeds)]
        self._window: list[tuple[Batch[Example], BatchSignals]] = []
        self._credit = Credit()
        self._training: Background[None] = Background()

    @property
    def size(self) -> int:
        """Batches that were handed in, trained or not."""
        return len(self._training)

    def train(self, batch: Batch[Example]) -> None:
        """Train on a batch as soon as those before it are through."""
        self._training.add(lambda: self._lesson(batch))

    async def seeds_after(self, batches: int) -> tuple[Seed, ...]:
        """The seeds as the feedback of the first so many batches leaves them; waits for it."""
        windows = max(0, batches) // self._how.every if self._how.prefer != "none" else 0
        if windows:
            await self._training.result(windows * self._how.every - 1)
        return self._versions[windows]

    async def finish(self) -> None:
        """Wait for all lessons, and tell of those of the last, incomplete window."""
        await self._training.results()
        self._tell(None)

    async def aclose(self) -> None:
        await self._training.aclose()

    async def _lesson(self, batch: Batch[Example]) -> None:
        self._window.append((batch, await self._feedback(batch.items)))
        if len(self._window) < self._how.every:
            return
        if self._how.prefer == "none":
            self._tell(None)
        else:
            self._move()

    def _move(self) -> None:
        """Let the window that is complete move the seeds."""
        how, number = self._how, len(self._versions)
        random = rng("sedi window", how.seed, number)
        window = [Lesson(examples=batch.items, signals=said) for batch, said in self._window]
        chosen = attractive(window, how, random)
        self._tell(chosen)
        self._credit.add(window, how, random)
        known = {seed.instruction.id for version in self._versions for seed in version}
        added = []
        for place in chosen:
            for example in instructions(window[place], how, random):
                if example.instruction.id not in known:
                    known.add(example.instruction.id)
                    added.append((example, self._batch_number(number, place)))
        self._versions.append(self._moved(number, added))

    def _batch_number(self, window: int, place: int) -> int:
        return (window - 1) * self._how.every + place + 1

    def _moved(self, number: int, added: Sequence[tuple[Example, int]]) -> tuple[Seed, ...]:
        """The next version of the seeds: those that stay in their order, then the new ones."""
        new = []
        for example, batch in added:
            new.append(Seed(instruction=example.instruction, examples=(example,)))
            self._note(Moved(window=number, move="added", seed=new[-1], evidence={"batch": batch}))
        seeds = [*self._versions[-1], *new]
        gone = self._credit.worst(seeds, self._how, come=len(new))
        for seed in gone:
            evidence = {
                "taught": round(self._credit.mean(seed), 6),
                "offspring": self._credit.offspring[seed.instruction.id],
            }
            self._note(Moved(window=number, move="retired", seed=seed, evidence=evidence))
        retired = {seed.instruction.id for seed in gone}
        return tuple(seed for seed in seeds if seed.instruction.id not in retired)

    def _tell(self, chosen: Sequence[int] | None) -> None:
        """Tell of the window's batches, and begin the next window."""
        for place, (batch, said) in enumerate(self._window):
            self._note(
                Trained(
                    batch=batch,
                    signals=said,
                    window=(batch.number - 1) // self._how.every + 1,
                    attractive=None if chosen is None else place in chosen,
                )
            )
        self._window = []
