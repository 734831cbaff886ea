"""The signals of an ordinary training, a line for each example of each step."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seedbed.errors import ConfigError
from seedbed.files import write_jsonl
from seedbed.records import BatchSignals, Example
from seedbed.training.encode import Encoded, Encoder
from seedbed.training.feedback import known_signals
from seedbed.training.feedback.reader import Memory, train_and_read, without_instruction
from seedbed.training.loop import Step
from seedbed.training.student import Student
from seedbed.training.training_folder import append


class Recording:
    """A step for `finetune` that also reads signals and writes them to two files.

    `signals.jsonl` has a line for each example of each step: `step`, `id` and the signals;
    `batch_signals.jsonl` one for each step, of the batch as a whole. A training that goes on cuts
    both back to the step that it goes on from, and takes the losses of earlier epochs from there;
    so `loss` is always read.

    Args:
        folder: of the training.
        signals: which `feedback.NAMES`.
        examples: those that are trained on, for the signals that need their texts.
        reference: the set that `reference_loss` and `reference_drop` are of.
        share: of each batch, that the signals with a forward pass of their own are read on.

    Raises:
        ConfigError: there is no such signal, no reference set where one is needed, or no such
            share.
    """

    def __init__(
        self,
        folder: Path,
        *,
        signals: Sequence[str],
        examples: Sequence[Example],
        reference: Sequence[Example] = (),
        share: float = 1.0,
    ) -> None:
        self._names = known_signals(["loss", *signals])
        if not reference and {"reference_loss", "reference_drop"} & {*self._names}:
            raise ConfigError(
                "the signals reference_loss and reference_drop need a reference set",
                hint="Give `reference` some examples, or leave these two out.",
            )
        if not 0 < share <= 1:
            raise ConfigError(
                f"a share of {share:g} of each batch: expected more than 0 and at most 1"
            )
        self._share = share
        self._rows, self._batches = folder / "signals.jsonl", folder / "batch_signals.jsonl"
        self._reference = reference
        self._examples = {example.id: example for example in examples}
        self._memory: Memory | None = None
        self._held: Sequence[Encoded] = ()

    def __call__(self, student: Student, batch: Sequence[Encoded]) -> Step:
        if self._memory is None:
            self._memory = self._begun(student.steps)
            self._held = student.encode(self._reference).kept
        encoder = Encoder(student.tokenizer, student.settings.max_length)
        step, signals = train_and_read(
            student,
            batch,
            names=self._names,
            memory=self._memory,
            bare=lambda one: without_instruction(encoder, self._examples[one.id], one),
            reference=self._held,
            share=self._share,
        )
        self._write(signals, batch)
        return step

    def _begun(self, step: int) -> Memory:
        """Cut the files back to `step`; what they say of the steps before."""
        memory = Memory()
        for row in _cut_back(self._rows, step):
            memory.losses[row["id"]] = row["loss"]
        for row in _cut_back(self._batches, step):
            memory.reference = row.get("reference_loss")
        return memory

    def _write(self, signals: BatchSignals, batch: Sequence[Encoded]) -> None:
        for one, row in zip(batch, signals.examples, strict=True):
            append(self._rows, {"step": signals.step, "id": one.id, **row})
        append(self._batches, {"step": signals.step, **signals.batch})


def _cut_back(path: Path, step: int) -> list[dict[str, Any]]:
    """The lines up to `step`, which alone stay; what a kill left unfinished is none."""
    found = path.read_text(encoding="utf-8").split("\n")[:-1] if path.exists() else []
    rows = [json.loads(line) for line in found]
    kept = [row for row in rows if row["step"] <= step]
    write_jsonl(path, kept)
    return kept
