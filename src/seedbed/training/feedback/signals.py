"""The signals of a training step: one function each, and a row in the table at the end.

A step signal is a generator with one `yield`. What it does before sees the old weights with the
batch's gradients in them; the update happens at the `yield`; what it does after sees the new
weights. It returns a `Reading`. A head signal is a plain function of one example's `HeadView`.

Costs are shares of a plain step's CPU time, measured by `benchmarks/signals.py` with a Llama of 7
million parameters; a forward pass more costs the same share of a step at any size.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor
from torch.nn import Module

from seedbed.training.encode import Encoded
from seedbed.training.feedback.head import HeadView, head_effective_rank, head_grad_norm
from seedbed.training.feedback.spectrum import gradient_effective_rank
from seedbed.training.loop import Step
from seedbed.training.student import Student


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a signal says of the batch and of each example, None where it says nothing."""

    batch: float | None = None
    examples: Sequence[float | None] = ()


@dataclass(slots=True, kw_only=True)
class StepView:
    """One optimizer step as the signals see it.

    Args:
        student: before the update its parameters hold the batch's gradient, not yet clipped.
        examples: the batch.
        probed: places in it of the examples that signals with a forward pass of their own look at.
        losses_of: mean response losses under the weights of the moment; a forward pass.
        bare: the same response without its instruction, None where there is nothing to compare.
        reference: the fixed set that `reference_loss` is of.
        earlier: the loss of each example when it was trained on last, by id.
        reference_before: the reference loss after the step before this one, if known.
        done: what the step itself says; not there before the update.
    """

    student: Student
    examples: Sequence[Encoded]
    probed: Sequence[int]
    losses_of: Callable[[Sequence[Encoded]], Sequence[float]]
    bare: Callable[[Encoded], Encoded | None]
    reference: Sequence[Encoded]
    earlier: Mapping[str, float]
    reference_before: float | None = None
    done: Step | None = None

    @property
    def step(self) -> Step:
        if self.done is None:
            raise RuntimeError("a signal asks what the step says before its `yield`")
        return self.done


StepSignal = Callable[[StepView], Generator[None, None, Reading]]
HeadSignal = Callable[[HeadView], float]


def loss(view: StepView) -> Generator[None, None, Reading]:
    """Mean loss per response token before the update, in nats; of the batch the mean over tokens.

    Costs nothing: the step computes it. Long responses have lower means: later tokens are easier.
    """
    yield
    return Reading(batch=view.step.loss, examples=view.step.losses)


def progress(view: StepView) -> Generator[None, None, Reading]:
    """What was learned of each example since it was trained on last: that loss minus this one.

    Nats per response token, positive where it was learned and kept. Nothing for examples that are
    new, so nothing in a first epoch. Costs nothing. Source: learning progress (Oudeyer et al. 2007;
    Graves et al. 2017, arXiv 1704.03003), here over an epoch.
    """
    yield
    gains = [
        view.earlier[example.id] - now if example.id in view.earlier else None
        for example, now in zip(view.examples, view.step.losses, strict=True)
    ]
    return Reading(batch=_mean(gains), examples=gains)


def loss_drop(view: StepView) -> Generator[None, None, Reading]:
    """How much this very step lowered each example's loss: before minus after, in nats per token.

    Of the batch the mean over tokens. Follows the learning rate, and is larger for short responses.
    Costs a second forward pass over the probed examples. Source: prediction gain of Graves et al.
    2017 (arXiv 1704.03003), section 3.
    """
    yield
    probed = [view.examples[place] for place in view.probed]
    before = [view.step.losses[place] for place in view.probed]
    drops = [old - now for old, now in zip(before, view.losses_of(probed), strict=True)]
    return Reading(
        batch=token_mean(probed, drops),
        examples=_spread(dict(zip(view.probed, drops, strict=True)), view),
    )


def grad_norm(view: StepView) -> Generator[None, None, Reading]:
    """Norm of the whole gradient of the batch's token-mean loss, before clipping.

    SeDi-Instruct's signal (arXiv 2502.04774). Falls with the number of trained tokens, and where
    the examples of a batch pull in different directions. Costs nothing: the step computes it.
    """
    yield
    return Reading(batch=view.step.grad_norm)


def momentum_cosine(view: StepView) -> Generator[None, None, Reading]:
    """Cosine of the batch's gradient with Adam's running mean of the gradients before it.

    Near 1 where the batch says what the last ones said, near 0 where it is new, below 0 where it
    contradicts. Nothing at the first step. Costs one pass over the gradients and no copy of them.
    """
    dot = ours = theirs = 0.0
    states = view.student.optimizer.state
    for parameter in view.student.model.parameters():
        mean = states[parameter].get("exp_avg") if parameter in states else None
        if parameter.grad is not None and mean is not None:
            gradient, mean = parameter.grad.float(), mean.float()
            dot += float((gradient * mean).sum())
            ours += float(gradient.square().sum())
            theirs += float(mean.square().sum())
    yield
    scale = (ours * theirs) ** 0.5
    return Reading(batch=dot / scale if scale else None)


def effective_rank(view: StepView) -> Generator[None, None, Reading]:
    """In how many directions the batch pulls the last block's attention.

    The mean, over the projections of the last block's attention, of the effective rank of their
    gradients: 1 is one direction, at most the smaller side of the matrix. The whole last block
    where nothing in it is called attention. Costs a Gram matrix and its eigenvalues for each.
    Source: arXiv 2504.10766, which finds it higher for better data (there for every layer).
    """
    ranks = [gradient_effective_rank(gradient) for gradient in last_attention(view.student.model)]
    yield
    return Reading(batch=_mean(ranks))


def ifd(view: StepView) -> Generator[None, None, Reading]:
    """Instruction-following difficulty: loss of the response with its instruction over without.

    Below 1 the instruction helps to foresee the response; near 1 it says little about it; above 1
    it misleads. Read when an example is trained on for the first time and not again: once the
    response has been learned the ratio means something else. Costs a forward pass over the
    responses of those probed, so it is free from the second epoch on. Source: Cherry LLM (arXiv
    2308.12032), whose code puts the bare response first; here its place in the chat is kept, with
    an empty user turn, so that the same tokens are counted in both.
    """
    bare = {
        place: without
        for place in view.probed
        if view.examples[place].id not in view.earlier
        and (without := view.bare(view.examples[place])) is not None
    }
    losses = view.losses_of([*bare.values()]) if bare else ()
    yield
    ratios = {
        place: _ratio(view.step.losses[place], without)
        for place, without in zip(bare, losses, strict=True)
    }
    return Reading(batch=_mean([*ratios.values()]), examples=_spread(ratios, view))


def reference_loss(view: StepView) -> Generator[None, None, Reading]:
    """Mean response loss on a fixed reference set after this step, in nats per token.

    One step's worth for what the reference stands for is the difference of successive steps: see
    `reference_drop`. Costs a forward pass over the reference set at each step. Source:
    Montessori-Instruct (ICLR 2025), which restores the weights after each probe; reading successive
    steps needs no restoring, but mixes in what the momentum of earlier steps does.
    """
    yield
    return Reading(batch=_reference(view))


def reference_drop(view: StepView) -> Generator[None, None, Reading]:
    """How much this step lowered the loss on the reference set, in nats per token.

    Costs nothing beside `reference_loss` but for the first step, which reads the set twice.
    """
    before = view.reference_before
    if before is None:
        before = _reference(view)
    yield
    after = _reference(view)
    return Reading(batch=None if before is None or after is None else before - after)


def token_mean(examples: Sequence[Encoded], values: Sequence[float]) -> float:
    """The mean of per-example means, weighted by what each was the mean of."""
    tokens = sum(example.trained for example in examples)
    total = sum(example.trained * value for example, value in zip(examples, values, strict=True))
    return total / max(tokens, 1)


def last_attention(model: Module) -> list[Tensor]:
    """The gradients [a, b] of the attention in the last block that is being tuned."""
    blocks: dict[int, dict[str, Tensor]] = {}
    for name, parameter in model.named_parameters():
        place = re.search(r"\.(\d+)\.", name)
        if place and parameter.grad is not None and parameter.grad.ndim == 2:
            blocks.setdefault(int(place[1]), {})[name] = parameter.grad
    if not blocks:
        return []
    last = blocks[max(blocks)]
    return [gradient for name, gradient in last.items() if "attn" in name] or list(last.values())


def _reference(view: StepView) -> float | None:
    if not view.reference:
        return None
    return token_mean(view.reference, view.losses_of(view.reference))


def _spread(values: Mapping[int, float | None], view: StepView) -> list[float | None]:
    """Values by place, with None for all other examples of the batch."""
    return [values.get(place) for place in range(len(view.examples))]


def _ratio(loss: float, without: float) -> float | None:
    return loss / without if without > 0 else None


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


STEP_SIGNALS: Mapping[str, StepSignal] = {
    "loss": loss,
    "progress": progress,
    "loss_drop": loss_drop,
    "grad_norm": grad_norm,
    "momentum_cosine": momentum_cosine,
    "effective_rank": effective_rank,
    "ifd": ifd,
    "reference_loss": reference_loss,
    "reference_drop": reference_drop,
}
HEAD_SIGNALS: Mapping[str, HeadSignal] = {
    "head_grad_norm": head_grad_norm,
    "head_effective_rank": head_effective_rank,
}
