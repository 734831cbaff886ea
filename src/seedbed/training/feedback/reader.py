"""One training step, and what the wanted signals say of it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isfinite
from random import Random

import torch

from seedbed.errors import ConfigError
from seedbed.records import JSON, BatchSignals, Drop, Example, Instruction
from seedbed.training.encode import Encoded, Encoder
from seedbed.training.feedback import known_signals
from seedbed.training.feedback.head import HeadView
from seedbed.training.feedback.signals import (
    HEAD_SIGNALS,
    STEP_SIGNALS,
    Reading,
    StepView,
    token_mean,
)
from seedbed.training.loop import Pass, Step, Watch, losses_of, train_step
from seedbed.training.student import Student

Bare = Callable[[Encoded], Encoded | None]


@dataclass(slots=True)
class Memory:
    """What signals remember from step to step; a checkpoint keeps it.

    losses: of each example when it was trained on last, by id.
    reference: the reference loss after the last step, None before the first.
    """

    losses: dict[str, float] = field(default_factory=dict)
    reference: float | None = None

    def to_json(self) -> dict[str, JSON]:
        return {"losses": dict(self.losses), "reference": self.reference}

    @classmethod
    def from_json(cls, content: Mapping[str, JSON]) -> Memory:
        return cls(losses=dict(content["losses"]), reference=content["reference"])


def without_instruction(encoder: Encoder, example: Example, encoded: Encoded) -> Encoded | None:
    """The same response tokens in the same chat, with an empty user turn.

    None where the template renders the response in other tokens then.
    """
    empty = replace(example, instruction=Instruction(text=""), input="")
    bare = encoder(empty)
    if isinstance(bare, Drop):
        return None
    (start, end), (bare_start, _) = encoded.spans[-1], bare.spans[-1]
    size = end - start - encoded.cut  # a cut response ends with a token from elsewhere
    ids = bare.ids[: bare_start + size]
    if list(ids[bare_start:]) != list(encoded.ids[start : start + size]):
        return None
    ending = encoded.ids[end - 1 : end] if encoded.cut else encoded.ids[:0]
    ids = [*ids, *ending]
    return Encoded(id=encoded.id, ids=ids, spans=((bare_start, len(ids)),), cut=encoded.cut)


def train_and_read(
    student: Student,
    batch: Sequence[Encoded],
    *,
    names: Sequence[str],
    memory: Memory,
    bare: Bare = lambda encoded: None,
    reference: Sequence[Encoded] = (),
    share: float = 1.0,
) -> tuple[Step, BatchSignals]:
    """Tune the student one step on `batch` and read the signals `names` of it.

    The step is the one that `train_step` makes without signals: they only look. Where one says
    nothing of an example (a ratio by zero, progress on new examples), its name is left out there.
    A head signal's value of the batch is the mean over its examples.

    Args:
        memory: what earlier steps left; updated.
        bare: see `without_instruction`; needed by `ifd`.
        reference: the set that `reference_loss` and `reference_drop` are of.
        share: of the batch, that `ifd` and `loss_drop` are read on, since they cost a forward pass;
            drawn afresh at each step, from its number. At least one example.

    Raises:
        ConfigError: a signal that does not exist, or several processes train this student.
        TrainingError: the loss or the gradient is no number any more.
    """
    names = known_signals(names)
    if student.world.size > 1:
        raise ConfigError(
            "signals are read in one process, and several train this student",
            hint="Train on one device where signals are wanted.",
        )
    view = StepView(
        student=student,
        examples=batch,
        probed=_drawn(len(batch), share, step=student.steps),
        losses_of=_remembering(student),
        bare=bare,
        reference=reference,
        earlier=memory.losses,
        reference_before=memory.reference,
    )
    heads: dict[str, dict[int, float]] = {name: {} for name in names if name in HEAD_SIGNALS}
    running = {name: STEP_SIGNALS[name](view) for name in names if name in STEP_SIGNALS}

    def begin(_: Student) -> None:
        for signal in running.values():
            next(signal)
        view.losses_of = _remembering(student)  # the weights move now

    watch = Watch(forward=_head_reader(heads) if heads else None, gradients=begin)
    view.done = train_step(student, batch, watch=watch)
    readings = {name: _end(signal) for name, signal in running.items()}
    readings |= {name: _of_head(found, len(batch)) for name, found in heads.items()}
    _remember(memory, view, readings)
    return view.done, _signals(view.done, {name: readings[name] for name in names}, len(batch))


def _drawn(count: int, share: float, *, step: int) -> Sequence[int]:
    """Places in a batch of which so large a share is drawn, in order."""
    size = min(count, max(1, round(share * count)))
    return range(count) if size == count else sorted(Random(step).sample(range(count), size))


def _remembering(student: Student) -> Callable[[Sequence[Encoded]], Sequence[float]]:
    """`losses_of` that passes over the same examples once, as long as the weights stay."""
    known: dict[tuple[int, ...], Sequence[float]] = {}

    def look_up(examples: Sequence[Encoded]) -> Sequence[float]:
        key = tuple(id(example) for example in examples)
        if key not in known:
            known[key] = losses_of(student, examples)
        return known[key]

    return look_up


def _head_reader(heads: Mapping[str, dict[int, float]]) -> Callable[[Pass], None]:
    """Reads each example of a pass as the head saw it."""

    def look(seen: Pass) -> None:
        with torch.no_grad():
            error = torch.softmax(seen.logits.float(), -1)
            error[torch.arange(len(error), device=error.device), seen.targets] -= 1
            hidden = seen.hidden.float()
            sizes = torch.bincount(seen.owners, minlength=len(seen.examples)).tolist()
            parts = zip(torch.split(hidden, sizes), torch.split(error, sizes), strict=True)
            for index, (states, errors) in zip(seen.examples, parts, strict=True):
                example = HeadView(states, errors)
                for name, found in heads.items():
                    found[index] = HEAD_SIGNALS[name](example)

    return look


def _end(signal: Generator[None, None, Reading]) -> Reading:
    """What a signal returns once the weights have moved."""
    found: list[Reading] = []

    def rest() -> Generator[None, None, None]:
        found.append((yield from signal))

    for _ in rest():
        raise RuntimeError("a signal yields once")
    return found[0]


def _of_head(found: Mapping[int, float], count: int) -> Reading:
    values = [found[index] for index in range(count)]
    return Reading(batch=sum(values) / max(count, 1), examples=values)


def _remember(memory: Memory, view: StepView, readings: Mapping[str, Reading]) -> None:
    for example, loss in zip(view.examples, view.step.losses, strict=True):
        memory.losses[example.id] = loss
    if view.reference and {"reference_loss", "reference_drop"} & readings.keys():
        memory.reference = token_mean(view.reference, view.losses_of(view.reference))


def _signals(step: Step, readings: Mapping[str, Reading], count: int) -> BatchSignals:
    batch = {name: reading.batch for name, reading in readings.items()}
    examples: list[dict[str, float]] = [{} for _ in range(count)]
    for name, reading in readings.items():
        for place, value in enumerate(reading.examples):
            if value is not None and isfinite(value):
                examples[place][name] = value
    known = {name: value for name, value in batch.items() if value is not None and isfinite(value)}
    return BatchSignals(step=step.step, batch=known, examples=tuple(examples))
