"""A student that can stand after any batch of a history, from checkpoints or by training anew.

Nothing here is remembered for its worth: the journal keeps what was learned, the checkpoints only
save time. So a checkpoint that is missing, of another history, or damaged costs steps, and nothing
else. One thread at a time may use a trainee.
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path

import torch

from seedbed.errors import StorageError
from seedbed.files import replacing
from seedbed.records import BatchSignals, Drop, Example
from seedbed.training.encode import Encoded, Encoder
from seedbed.training.feedback.lines import signals_from_json, signals_to_json
from seedbed.training.feedback.reader import Memory, train_and_read, without_instruction
from seedbed.training.isolation import check_isolation
from seedbed.training.loop import losses_of
from seedbed.training.opening import open_student
from seedbed.training.settings import TrainSettings
from seedbed.training.student import Student


class Trainee:
    """The student behind `OnlineStudent`.

    Args:
        base, settings, total: as for `open_student`.
        signals, reference: as for `train_and_read`.
        folder: of the checkpoints, for this base, these settings and signals only.
        every: batches between two checkpoints; 0 makes none.
        keep: how many checkpoints stay.

    `place` is how many batches the student has seen; a batch without anything to train on counts.
    `said` holds the signals of every batch that was trained here, and of the one that the student
    stands after, by the digest of the history that ends with it.
    """

    def __init__(
        self,
        base: str | Path,
        *,
        settings: TrainSettings,
        total: int | None,
        signals: Sequence[str],
        reference: Sequence[Example],
        folder: Path,
        every: int,
        keep: int,
    ) -> None:
        self._base, self._settings, self._total = base, settings, total
        self._signals, self._reference = signals, reference
        self._folder, self._every, self._keep = folder, every, max(keep, 1)
        self._student: Student | None = None
        self._memory = Memory()
        self._chain = ""
        self.place = 0
        self.said: dict[str, BatchSignals] = {}
        self.steps_trained = 0

    def reach(self, batches: Sequence[Sequence[Example]], *, chains: Sequence[str]) -> None:
        """Stand after `batches`: go on from here, from a checkpoint, or from the base.

        Args:
            chains: the digest of each beginning of `batches`, from none to all of them.

        An example that cannot be trained on has no signals; a batch of none but such is no step.

        Raises:
            TrainingError: the loss or the gradient is no number any more.
            ConfigError: the base cannot be loaded, or the settings do not fit it.
            StorageError: a checkpoint cannot be written.
        """
        if self._student is None or self.place > len(batches) or self._chain != chains[self.place]:
            self._restore(chains)
        for number in range(self.place, len(batches)):
            self._train(batches[number], chain=chains[number + 1])

    def _train(self, batch: Sequence[Example], *, chain: str) -> None:
        """Train one step on a batch, after which the history is `chain`."""
        student = self._opened()
        found = self._encode(batch)
        kept = [encoded for encoded in found if encoded is not None]
        signals = BatchSignals(step=student.steps, batch={}, examples=({},) * len(batch))
        if kept:
            if self._settings.lora_dropout:
                torch.manual_seed(int(chain[:15], 16))
            signals = self._trained(student, kept, batch)
            rows = iter(signals.examples)
            rest = tuple({} if encoded is None else next(rows) for encoded in found)
            signals = BatchSignals(step=signals.step, batch=signals.batch, examples=rest)
            self.steps_trained += 1
        self.place, self._chain, self.said[chain] = self.place + 1, chain, signals
        if self._every and self.place % self._every == 0:
            self._save(student)

    def losses(self, examples: Sequence[Example]) -> list[float | None]:
        """Mean response loss of each example as the student is; None where it cannot be read."""
        found = self._encode(examples)
        kept = [encoded for encoded in found if encoded is not None]
        values = iter(losses_of(self._opened(), kept) if kept else ())
        return [None if encoded is None else next(values) for encoded in found]

    def _trained(
        self, student: Student, kept: Sequence[Encoded], batch: Sequence[Example]
    ) -> BatchSignals:
        if not self.steps_trained:
            check_isolation(student, kept)
        encoder = Encoder(student.tokenizer, self._settings.max_length)
        examples = {example.id: example for example in batch}
        _, signals = train_and_read(
            student,
            kept,
            names=self._signals,
            memory=self._memory,
            bare=lambda encoded: without_instruction(encoder, examples[encoded.id], encoded),
            reference=self._held,
        )
        return signals

    @cached_property
    def _held(self) -> list[Encoded]:
        """The reference set in tokens, without what cannot be read."""
        return [one for one in self._encode(self._reference) if one is not None]

    def _encode(self, examples: Sequence[Example]) -> list[Encoded | None]:
        student = self._opened()
        encoder = Encoder(student.tokenizer, self._settings.max_length)
        found = [encoder(example) for example in examples]
        return [None if isinstance(one, Drop) else one for one in found]

    def _opened(self) -> Student:
        if self._student is None:
            self._student = open_student(self._base, settings=self._settings, total=self._total)
        return self._student

    def _restore(self, chains: Sequence[str]) -> None:
        """Stand at the newest checkpoint of this history, or at the base."""
        for path in sorted(self._folder.glob("*.pt"), reverse=True):
            place, _, chain = path.stem.partition("-")
            number = int(place)
            if number < len(chains) and chains[number].startswith(chain) and self._load(path):
                self.place, self._chain = number, chains[number]
                return
        self._student, self._memory = None, Memory()
        self.place, self._chain = 0, chains[0]

    def _load(self, path: Path) -> bool:
        """Whether the checkpoint could be taken over; one that is damaged is passed by."""
        try:
            content = torch.load(path, weights_only=True)
        except (OSError, EOFError, RuntimeError, pickle.UnpicklingError):
            return False
        student = self._opened()
        student.model.load_state_dict(content["model"])
        for parameter, state in zip(_parameters(student), content["moments"], strict=True):
            student.optimizer.state[parameter] = state
        student.steps = content["steps"]
        self._memory = Memory.from_json(content["memory"])
        self.said[content["chain"]] = signals_from_json(content["said"])
        return True

    def _save(self, student: Student) -> None:
        content = {
            "model": student.model.state_dict(),
            "moments": [dict(student.optimizer.state[one]) for one in _parameters(student)],
            "steps": student.steps,
            "memory": self._memory.to_json(),
            "chain": self._chain,
            "said": signals_to_json(self.said[self._chain]),
        }
        _make(self._folder)
        with replacing(self._folder / f"{self.place:06d}-{self._chain[:16]}.pt") as file:
            torch.save(content, file)
        written = sorted(self._folder.glob("*.pt"), key=lambda path: path.stat().st_mtime_ns)
        for path in written[: -self._keep]:
            with suppress(OSError):  # it stays, and takes place
                path.unlink()


def _parameters(student: Student) -> list[torch.nn.Parameter]:
    return [one for group in student.optimizer.param_groups for one in group["params"]]


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"{folder}: the folder for checkpoints cannot be made: {error.strerror}",
            hint="Free its place, or allow writing there.",
        ) from error
