"""A look, before the first step, whether a packed row is right for the architecture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch

from seedbed.errors import ConfigError
from seedbed.training.attention import NAME
from seedbed.training.encode import Encoded
from seedbed.training.loop import logits_of
from seedbed.training.rows import lay_out
from seedbed.training.student import Student

LOOKED_AT = 48
"""Tokens of each of the two examples that are compared."""

EXACT, HALF = 1e-4, 0.1
"""The largest differences of logits, as shares of the largest, that rounding explains: measured
over 16 architectures in fp32 they were below 1e-5."""

HINT = "Only decoders whose layers look back by attention alone can be tuned here."


def check_isolation(student: Student, examples: Sequence[Encoded]) -> None:
    """Compare what the architecture's own attention makes of an example, with ours of a packed row.

    State-space layers and convolutions over time carry something over the border; some
    architectures have an attention of their own kind. All processes have to call this.

    Raises:
        ConfigError: what an example gets is not what it would get alone.
    """
    pair = _start(examples[0]), _start(examples[-1])
    _compare(replace(student, precision="fp32"), *pair)
    if student.precision == "bf16":  # another kernel may do the work then
        _compare(student, *pair)


def _compare(student: Student, first: Encoded, second: Encoded) -> None:
    try:
        behind = _logits(student, [first, second], attention=NAME)[-len(second) + 1 :]
        alone = _logits(student, [second], attention="eager")
    except (AttributeError, KeyError, NotImplementedError, TypeError) as error:
        raise ConfigError(
            f"{student.model_class.__name__} does not take packed rows: "
            f"{type(error).__name__}: {error}",
            hint=HINT,
        ) from error
    apart = float((alone - behind).abs().max() / alone.abs().max())
    exact = student.precision == "fp32" and student.model.dtype == torch.float32
    if not apart <= (EXACT if exact else HALF):
        raise ConfigError(
            f"{student.model_class.__name__} lets an example see its neighbour in a packed row, or "
            f"has an attention of its own kind (logits differ by {apart:.1%})",
            hint=HINT,
        )


def _start(example: Encoded) -> Encoded:
    ids = list(example.ids[:LOOKED_AT])
    return Encoded(id=example.id, ids=ids, spans=((1, len(ids)),))


def _logits(student: Student, examples: Sequence[Encoded], *, attention: str) -> torch.Tensor:
    training = student.model.training
    student.model.train(False)
    student.model.set_attn_implementation(attention)
    try:
        with torch.no_grad():
            return logits_of(student, lay_out(examples, device=student.device)).float()
    finally:
        student.model.set_attn_implementation(NAME)
        student.model.train(training)
