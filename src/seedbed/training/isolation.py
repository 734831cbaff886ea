"""A look, before the first step, whether the architecture keeps packed examples apart."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from seedbed.errors import ConfigError
from seedbed.training.encode import Encoded
from seedbed.training.loop import logits_of
from seedbed.training.rows import lay_out
from seedbed.training.student import Student

LOOKED_AT = 48
"""Tokens of each of the two examples that are compared."""


def check_isolation(student: Student, examples: Sequence[Encoded]) -> None:
    """Compare what an example gets alone and behind another one.

    State-space layers, convolutions over time or a cache that was not thought of would carry
    something over the border. All processes have to call this.

    Raises:
        ConfigError: what an example gets depends on its neighbour.
    """
    if len(examples) < 2 or student.settings.micro_tokens == 1:
        return
    first, second = (_start(example) for example in (examples[0], examples[-1]))
    alone = _logits(student, [second])
    behind = _logits(student, [first, second])[-len(alone) :]
    apart = float((alone - behind).norm() / alone.norm())
    most = 1e-3 if student.precision == "fp32" else 0.1
    if not apart <= most:
        raise ConfigError(
            "this architecture lets an example see its neighbour in a packed row "
            f"(its logits differ by {apart:.1%})",
            hint="Set micro_tokens = 1: then every example has a pass of its own.",
        )


def _start(example: Encoded) -> Encoded:
    ids = list(example.ids[:LOOKED_AT])
    return Encoded(id=example.id, ids=ids, spans=((1, len(ids)),))


def _logits(student: Student, examples: Sequence[Encoded]) -> torch.Tensor:
    training = student.model.training
    student.model.train(False)
    with torch.no_grad():
        found = logits_of(student, lay_out(examples, device=student.device)).float()
    student.model.train(training)
    return found
