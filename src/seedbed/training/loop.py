"""One optimizer step on one batch: all of the training loop that has to be right.

The loss of a batch is the sum of the negative log-likelihoods over the tokens that are trained on,
divided by their number in the whole batch. So neither the packing, nor how many passes it takes,
nor on how many devices they run, changes what a step does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import isfinite

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.nn.utils import clip_grad_norm_, get_total_norm

from seedbed.errors import TrainingError
from seedbed.training.encode import Encoded
from seedbed.training.rows import Row, lay_out
from seedbed.training.schedule import learning_rate
from seedbed.training.student import Student


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """What one forward pass of a step showed, before it goes back; all tensors are detached.

    examples: indices of the pass's examples in the batch.
    owners: [trained], to which of `examples` (by place) each trained token belongs.
    hidden: [trained, hidden], what the head made the logits from.
    logits: [trained, vocabulary].
    targets: [trained].
    losses: [trained], negative log-likelihoods in nats, in fp32.
    head: [vocabulary, hidden], the head's weight.
    trained: trained tokens of the whole batch, by which the loss is divided.
    """

    examples: Sequence[int]
    owners: Tensor
    hidden: Tensor
    logits: Tensor
    targets: Tensor
    losses: Tensor
    head: Tensor
    trained: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Where signals look into a step.

    `forward` sees every pass of this process, and `gradients` the student whose parameters hold
    the whole batch's gradient, before clipping and before the step. Both may be slow, and must
    change nothing.
    """

    forward: Callable[[Pass], None] | None = None
    gradients: Callable[[Student], None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one step did.

    step: counted from 1.
    loss: mean over the batch's trained tokens, in nats, before the step.
    grad_norm: of the batch's gradient, before clipping.
    losses: mean loss per trained token of each example, in the batch's order.
    """

    step: int
    learning_rate: float
    loss: float
    grad_norm: float
    tokens: int
    trained_tokens: int
    losses: tuple[float, ...]


def train_step(student: Student, batch: Sequence[Encoded], *, watch: Watch | None = None) -> Step:
    """Tune the student on one batch, which is all of one optimizer step.

    Raises:
        TrainingError: the loss or the gradient is no number any more.
        ConfigError: the schedule needs to know how many steps there are.
    """
    watch = watch or Watch()
    rate = learning_rate(student.settings, student.steps, total=student.total)
    sums = _backward(student, batch, watch)
    trained = sum(example.trained for example in batch)
    loss = float(sums.sum()) / trained
    norm = _gradient(student, watch, loss=loss)
    for group in student.optimizer.param_groups:
        group["lr"] = rate
    student.optimizer.step()
    student.optimizer.zero_grad(set_to_none=True)
    student.steps += 1
    return Step(
        step=student.steps,
        learning_rate=rate,
        loss=loss,
        grad_norm=norm,
        tokens=sum(map(len, batch)),
        trained_tokens=trained,
        losses=_means(sums, batch),
    )


def losses_of(student: Student, examples: Sequence[Encoded]) -> tuple[float, ...]:
    """Mean loss per trained token of each example under the student as it is. Trains nothing."""
    sums = torch.zeros(len(examples), dtype=torch.float64, device=student.device)
    training = student.model.training
    student.model.train(False)
    with torch.inference_mode(not student.world.sharded), torch.no_grad():
        for group in student.groups([len(example) for example in examples]):
            row = lay_out([examples[index] for index in group or (0,)], device=student.device)
            _collect(sums, group, row, _losses(student, row)[0])
    student.model.train(training)
    return _means(student.world.add(sums), examples)


def _backward(student: Student, batch: Sequence[Encoded], watch: Watch) -> Tensor:
    """Put the batch's gradient in place; returned is the summed loss of each example."""
    trained = sum(example.trained for example in batch)
    sums = torch.zeros(len(batch), dtype=torch.float64, device=student.device)
    # FSDP takes the mean over processes where a batch's gradient is the sum.
    scale = (student.world.size if student.world.sharded else 1) / trained
    student.model.train()
    for group in student.groups([len(example) for example in batch]):
        row = lay_out([batch[index] for index in group or (0,)], device=student.device)
        with _seen_by_head(student, wanted=watch.forward is not None) as seen:
            losses, logits = _losses(student, row)
        if watch.forward is not None and group:
            watch.forward(
                Pass(
                    examples=group,
                    owners=row.owners,
                    hidden=seen[0],
                    logits=logits.detach(),
                    targets=row.targets,
                    losses=losses.detach(),
                    head=student.head_weight.detach(),
                    trained=trained,
                )
            )
        torch.autograd.backward(losses.sum() * (scale if group else 0.0))
        _collect(sums, group, row, losses.detach())
    return student.world.add(sums)


def logits_of(student: Student, row: Row) -> Tensor:
    """[trained, vocabulary]: the logits of a row where the next token is trained on.

    The head computes no others; with instruction data that is most of what it would do.
    """
    with student.autocast():
        found = student.model(
            input_ids=row.ids,
            position_ids=row.places,
            segments=row.segments,
            use_cache=False,
            logits_to_keep=row.kept,
        )
    return torch.as_tensor(found.logits[0])


def _losses(student: Student, row: Row) -> tuple[Tensor, Tensor]:
    """[trained] losses in fp32 and [trained, vocabulary] logits of a row."""
    logits = logits_of(student, row)
    return cross_entropy(logits.float(), row.targets, reduction="none"), logits


@contextmanager
def _seen_by_head(student: Student, *, wanted: bool) -> Iterator[list[Tensor]]:
    """The input of the head, [trained, hidden], while the block runs."""
    seen: list[Tensor] = []

    def look(module: torch.nn.Module, inputs: tuple[Tensor, ...]) -> None:
        seen.append(inputs[0].detach()[0])

    handle = student.head.register_forward_pre_hook(look) if wanted else None
    try:
        yield seen
    finally:
        if handle is not None:
            handle.remove()


def _collect(sums: Tensor, group: Sequence[int], row: Row, losses: Tensor) -> None:
    """Add the losses of a row to the sums of its examples."""
    if group:
        places = torch.tensor(group, device=sums.device)
        sums.index_add_(0, places[row.owners], losses.to(sums.dtype))


def _means(sums: Tensor, examples: Sequence[Encoded]) -> tuple[float, ...]:
    return tuple(
        total / example.trained for total, example in zip(sums.tolist(), examples, strict=True)
    )


def _gradient(student: Student, watch: Watch, *, loss: float) -> float:
    """Sum the gradient over processes, let signals look, clip it; its norm before clipping."""
    from torch.distributed.tensor import DTensor

    parameters = [p for p in student.model.parameters() if p.requires_grad]
    student.world.add_gradients(parameters)
    if watch.gradients is not None:
        watch.gradients(student)
    if student.settings.clip:
        norm = clip_grad_norm_(parameters, student.settings.clip)
    else:
        norm = get_total_norm([p.grad for p in parameters if p.grad is not None])
    found = float(norm.full_tensor() if isinstance(norm, DTensor) else norm)
    if not (isfinite(loss) and isfinite(found)):
        raise TrainingError(
            f"step {student.steps + 1}: the loss is {loss} and its gradient's norm {found}",
            hint="Choose a lower learning_rate, a longer warmup, or clip = 1.0.",
        )
    return found
