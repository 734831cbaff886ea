"""The student's lessons in the background, and what the mixes of a round may know of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from seedbed.recipes.directed.needs import Measured, losses_of, scale_of, shares
from seedbed.recipes.directed.params import Params
from seedbed.records import BatchSignals, Example, Feedback, Probe
from seedbed.streams import Background


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """A round and what was measured after it; round 0 is the student before any lesson.

    `shares` are those that the round's mixes were drawn by, `drawn` how many of its examples need
    a skill of each arm, `losses` the held-out loss of each arm afterwards.
    """

    number: int
    examples: int
    shares: Mapping[str, float]
    drawn: Mapping[str, int]
    losses: Mapping[str, float]
    signals: tuple[BatchSignals, ...]


Note = Callable[[Round], None]
"""Is told of each round, in order."""


class Lessons:
    """Trains on the batches of each round and then measures the held-out loss of each arm.

    Args:
        arms: of each skill.
        held_out: examples of the run's own kind that nothing is trained on.
    """

    def __init__(
        self,
        arms: Mapping[str, str],
        held_out: Sequence[Example],
        *,
        feedback: Feedback,
        probe: Probe,
        note: Note,
        params: Params,
    ) -> None:
        self._arms = arms
        self._held_out = held_out
        self._feedback = feedback
        self._probe = probe
        self._note = note
        self._params = params
        self._names = tuple(dict.fromkeys(arms.values()))
        self._scale = scale_of(held_out, arms)
        self._waiting: list[Example] = []
        self._rounds: Background[Measured] = Background()
        if params.directing.need != "none":
            self._rounds.add(lambda: self._measured(0, {}, [], ()))

    async def shares(self, number: int) -> dict[str, float]:
        """What the mixes of round `number`, counted from 1, are drawn by; waits for what it takes.

        They know the measurements after the rounds up to `number` - `lag`.
        """
        history: list[Measured] = []
        if self._params.directing.need != "none":
            known = range(number - self._params.lag + 1)
            history = [await self._rounds.result(earlier) for earlier in known]
        return shares(history, self._scale, self._params.directing)

    def learn(self, number: int, examples: Sequence[Example], by: Mapping[str, float]) -> None:
        """Train on a round's examples, in batches; what fills none waits for the next round."""
        if self._params.directing.need == "none":
            self._note(self._round(number, by, examples, {}, ()))
            return
        self._waiting += examples
        size = self._params.batch
        full = len(self._waiting) - len(self._waiting) % size
        batches = [self._waiting[start : start + size] for start in range(0, full, size)]
        self._waiting = self._waiting[full:]
        self._rounds.add(lambda: self._measured(number, by, examples, batches))

    async def finish(self) -> None:
        await self._rounds.results()

    async def aclose(self) -> None:
        await self._rounds.aclose()

    async def _measured(
        self,
        number: int,
        by: Mapping[str, float],
        examples: Sequence[Example],
        batches: Sequence[Sequence[Example]],
    ) -> Measured:
        said = [await self._feedback(batch) for batch in batches]
        losses = tuple(await self._probe(self._held_out))
        of_arms = losses_of(self._held_out, losses, self._arms)
        entry = self._round(number, by, examples, of_arms, tuple(said))
        self._note(entry)
        return Measured(losses=losses, drawn=entry.drawn)

    def _round(
        self,
        number: int,
        by: Mapping[str, float],
        examples: Sequence[Example],
        losses: Mapping[str, float],
        said: tuple[BatchSignals, ...],
    ) -> Round:
        drawn = dict.fromkeys(self._names, 0)
        for example in examples:
            for arm in {self._arms[skill] for skill in example.instruction.origin.skills}:
                drawn[arm] += 1
        return Round(
            number=number,
            examples=len(examples),
            shares=by,
            drawn=drawn,
            losses=losses,
            signals=said,
        )
