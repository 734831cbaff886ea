"""A student that is tuned while its data is still being written, and never asked twice.

A step's signals cost training, so they are effects like a model call: `Journal.once` keeps them,
under a question that names the base, the settings, the signals, and by a chain of digests every
batch so far. A run that goes on, or is replayed, gets the same answers without training. Only when
a step comes that was never settled the student itself is needed: it is brought there from its
newest checkpoint of the same history, and the batches since are trained again, silently.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from seedbed.errors import ConfigError
from seedbed.export.shapes import asked
from seedbed.journal import Journal
from seedbed.records import JSON, BatchSignals, Example, digest
from seedbed.training.feedback import FREE, known_signals
from seedbed.training.feedback.lines import signals_from_json, signals_to_json
from seedbed.training.identity import base_identity
from seedbed.training.schedule import learning_rate
from seedbed.training.settings import TrainSettings
from seedbed.training.templates import NAMED

if TYPE_CHECKING:
    from seedbed.training.trainee import Trainee

_COST_ONLY = (
    "state_steps", "state_seconds", "keep", "saved_dtype", "held_out", "held_out_file", "parallel",
    "epochs", "batch_examples", "drop_last",
)  # fmt: skip
"""Settings that cannot change what a step of this student does."""


class OnlineStudent:
    """The student of a run whose recipe asks what training says; use it as a context manager.

    Its `feedback` and `probe` are what `records.Feedback` and `records.Probe` describe. They may be
    called while earlier calls are under way: a call sees the batches of all calls before it and of
    none after. Training happens in one thread beside the event loop.

    Args:
        base: a folder in Hugging Face's layout, or a hub id.
        settings: how it is tuned. How many steps there will be is not known unless `total` says
            so; then the schedule has to be "constant", and the warm-up a number of steps.
        journal: of the run.
        folder: for checkpoints; nothing else is kept there, and all of it may be removed.
        signals: which `feedback.NAMES` are read at each step.
        reference: the examples of `reference_loss` and `reference_drop`.
        total: how many batches there will be, if somebody knows.
        checkpoint_every: batches between two checkpoints: what a killed run trains again at most.
            0 keeps none.
        keep: how many checkpoints stay.

    Raises:
        ConfigError: there is no such base or signal, a signal needs a reference set and there is
            none, or the schedule needs to know an end.
    """

    def __init__(
        self,
        base: str | Path,
        *,
        settings: TrainSettings,
        journal: Journal,
        folder: Path,
        signals: Sequence[str] = FREE,
        reference: Sequence[Example] = (),
        total: int | None = None,
        checkpoint_every: int = 20,
        keep: int = 2,
    ) -> None:
        self._signals = known_signals(signals)
        if not reference and {"reference_loss", "reference_drop"} & {*self._signals}:
            raise ConfigError(
                "the signals reference_loss and reference_drop need a reference set",
                hint="Give `reference` some examples of what the student is to be good at.",
            )
        learning_rate(settings, 0, total=total)  # says so now if it needs to know an end
        self._base, self._settings, self._total = base, settings, total
        self._reference, self._journal = tuple(reference), journal
        self._every, self._keep = checkpoint_every, keep
        self._root = digest("online student", self._identity())
        self._folder = folder / self._root[:16]
        self._batches: list[tuple[Example, ...]] = []
        self._chains = [self._root]
        self._trainee: Trainee | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="student")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Waits for the step under way; what has not begun does not begin."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    @property
    def steps_trained(self) -> int:
        """Steps that this process trained: 0 where the journal knew all answers."""
        return 0 if self._trainee is None else self._trainee.steps_trained

    async def feedback(self, batch: Sequence[Example]) -> BatchSignals:
        """Train one step on a batch and say what it showed; each example is one row of signals.

        An example that the student's tokenizer or length does not take has an empty row, and a
        batch of none but such is no step.

        Raises:
            TrainingError: the loss or the gradient is no number any more.
            ConfigError: the base cannot be loaded, or the settings do not fit it.
            JournalError: the answer cannot be looked up or kept.
        """
        number = len(self._batches)
        self._batches.append(tuple(batch))
        self._chains.append(digest(self._chains[-1], [_content(example) for example in batch]))
        question = self._question(number + 1)
        answer = await self._journal.once(
            "feedback", question, lambda: self._beside(lambda: self._step(number))
        )
        return signals_from_json(answer)

    async def probe(self, examples: Sequence[Example]) -> list[float]:
        """The mean response loss of each example under the student as it is now.

        NaN where an example is not one that the student can read.

        Raises:
            ConfigError: the base cannot be loaded, or the settings do not fit it.
            JournalError: the answer cannot be looked up or kept.
        """
        number = len(self._batches)
        asked_of = tuple(examples)
        question = self._question(number) | {"examples": digest(*map(_content, asked_of))}
        answer = await self._journal.once(
            "probe", question, lambda: self._beside(lambda: self._losses(number, asked_of))
        )
        return [float("nan") if value is None else value for value in answer]

    def _identity(self) -> JSON:
        settings = self._settings.to_json()
        named = NAMED.get(self._settings.template)
        return {
            "base": base_identity(self._base),
            "settings": {key: settings[key] for key in settings if key not in _COST_ONLY},
            "template": None if named is None else digest(named.text),
            "total": self._total,
            "signals": list(self._signals),
            "reference": [_content(example) for example in self._reference],
        }

    def _question(self, number: int) -> dict[str, JSON]:
        """What names an answer: the student, and the `number` batches it has seen."""
        return {"student": self._root, "batches": number, "chain": self._chains[number]}

    async def _beside(self, work: Callable[[], JSON]) -> JSON:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _step(self, number: int) -> JSON:
        """The signals of batch `number`, counted from 0; runs in the student's thread."""
        trainee, chain = self._opened(), self._chains[number + 1]
        if chain not in trainee.said:
            self._reach(number + 1)
        return signals_to_json(trainee.said[chain])

    def _losses(self, number: int, examples: Sequence[Example]) -> JSON:
        self._reach(number)
        return self._opened().losses(examples)

    def _reach(self, number: int) -> None:
        self._opened().reach(self._batches[:number], chains=self._chains[: number + 1])

    def _opened(self) -> Trainee:
        from seedbed.training.trainee import Trainee

        if self._trainee is None:
            self._trainee = Trainee(
                self._base,
                settings=self._settings,
                total=self._total,
                signals=self._signals,
                reference=self._reference,
                folder=self._folder,
                every=self._every,
                keep=self._keep,
            )
        return self._trainee


def _content(example: Example) -> str:
    """What training sees of an example: the two texts, not where they come from."""
    return digest(asked(example), example.instruction.text, example.response)
