"""What the students of an ablation are asked, and the batches that their data was composed in."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from seedbed.config_ablate import AblateTable
from seedbed.errors import ConfigError, DatasetError
from seedbed.evaluate.answers import Question, Student
from seedbed.evaluate.means import Means, result_of
from seedbed.evaluate.measurement import Result
from seedbed.evaluate.practice import (
    PracticeItem,
    PracticeSettings,
    held_out,
    score,
    skills_in,
)
from seedbed.models.local import LocalModel
from seedbed.records import Example, Sampling, digest
from seedbed.training import TrainSettings

LOSS = "loss"
"""Mean loss of a true response to an item, in nats a token: finer than marks, and no judge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """What every student is asked."""

    items: tuple[PracticeItem, ...]
    questions: tuple[Question, ...]

    @property
    def name(self) -> str:
        return digest([item.id for item in self.items], str(self.questions[:1]), LOSS)[:16]

    def made(self, result: Result) -> bool:
        """Whether a result is of these items."""
        return result.measurements[0].settings.get("items") == self.name

    async def of(
        self, checkpoint: Path, trained: Sequence[str], *, settings: TrainSettings
    ) -> Result:
        """A student's marks, and its loss on the true responses.

        Args:
            trained: the instructions that it was tuned on.
            settings: how it was tuned.
        """
        async with LocalModel(checkpoint) as model:
            student = Student(model)
            answers = [answer async for (answer,) in student.answer_all(self.questions)]
        marks = score(
            self.items,
            [None if answer is None else answer.text for answer in answers],
            student=model.name,
            trained=trained,
            settings={"items": self.name},
            truncated=student.truncated,
        )
        return with_losses(marks, await asyncio.to_thread(self.losses, checkpoint, settings))

    def losses(self, checkpoint: Path, settings: TrainSettings) -> dict[str, float]:
        """The loss of a student on the true response of each item that it can read, by item."""
        from seedbed.training.encode import Encoded, Encoder
        from seedbed.training.loop import losses_of
        from seedbed.training.opening import open_student

        student = open_student(checkpoint, settings=settings)
        encoder = Encoder(student.tokenizer, settings.max_length)
        read = {item.id: encoder(item.example) for item in self.items}
        kept = {name: one for name, one in read.items() if isinstance(one, Encoded)}
        return dict(zip(kept, losses_of(student, [*kept.values()]), strict=True))


def with_losses(marks: Result, losses: Mapping[str, float]) -> Result:
    """The marks with the loss of each item beside them, and its mean."""
    items = [
        replace(item, scores={**item.scores, LOSS: losses[item.id]}) if item.id in losses else item
        for item in marks.items
    ]
    first = marks.measurements[0]
    means = Means(benchmark=first.benchmark, student=first.student, settings=first.settings)
    return result_of([*marks.measurements, means(items, LOSS)], items)


def test_of(table: AblateTable, trained: Sequence[Example]) -> Test:
    """The items that all students of an ablation are asked: of the skills that the table names, or
    else of those that occur in its data, worded as its query types are where examples say of which
    they are, and no task that any arm trains on.

    Raises:
        ConfigError: nothing of the data is of the practice world.
    """
    known = [example.instruction.text for example in trained]
    occurring = {name for skills in skills_in(known) for name in skills}
    names = sorted(table.skills or occurring)
    if not occurring:
        raise ConfigError(
            "the arms' instructions are not of the practice world, so nothing marks the students",
            hint='With another teacher than "practice" tune and measure each arm by itself: '
            "`seedbed train`, `seedbed eval`, `seedbed compare`.",
        )
    settings = PracticeSettings(skills=tuple(names), counts=dict.fromkeys(table.k, table.items))
    if worded := {one.instruction.origin.query_type for one in trained} & {*settings.query_types}:
        settings = replace(settings, query_types=tuple(sorted(worded)))
    items = held_out(settings, trained=known)
    sampling = Sampling(temperature=0.0, max_tokens=table.max_tokens)
    return Test(
        items=items,
        questions=tuple(
            Question(id=item.id, turns=(item.instruction,), sampling=sampling) for item in items
        ),
    )


def composed_batches(path: Path, examples: Sequence[Example]) -> list[list[str]]:
    """The batches that a run composed, of these examples; none where it composed none.

    Raises:
        DatasetError: the file is damaged.
    """
    if not path.exists():
        return []
    known, batches = {example.id for example in examples}, []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            batches.append([one for one in json.loads(line)["examples"] if one in known])
        except (ValueError, KeyError, TypeError) as error:
            raise DatasetError(f"{path}: line {number}: not a batch: {error!r}") from None
    return [batch for batch in batches if batch]
