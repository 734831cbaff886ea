"""What one example asks of the head (the output layer): exact, and without a backward pass.

The loss of an example is the mean of its response tokens' losses, so its gradient by the head's
weight is G = EᵀH / n, with H [n, d] the hidden states that enter the head and E [n, V] the loss's
gradient by the logits (softmax minus one-hot). Its norm follows from two n × n products ("ghost
norm": Goodfellow 2015, arXiv 1510.01799; Li et al. 2021, arXiv 2110.05679), its spectrum from one
product more. So an example costs 2·V·n·min(n, d) multiply-adds, against 6·N·tokens of the step.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from seedbed.training.feedback.spectrum import effective_rank


@dataclass(frozen=True, eq=False)
class HeadView:
    """One example as the head saw it: `hidden` [n, d] and `error` [n, V] at its response tokens.

    n is the number of response tokens, d the hidden size, V the size of the vocabulary. Both are
    float32 and carry no graph.
    """

    hidden: Tensor
    error: Tensor

    @property
    def tokens(self) -> int:
        return self.hidden.shape[0]

    @property
    def is_long(self) -> bool:
        """Whether the gradient itself is the smaller thing to build."""
        return self.hidden.shape[0] >= self.hidden.shape[1]

    @cached_property
    def gradient(self) -> Tensor:
        """G·n [V, d]; only built for long examples."""
        return self.error.T @ self.hidden

    @cached_property
    def error_products(self) -> Tensor:
        """E Eᵀ [n, n]; only built for short examples."""
        return self.error @ self.error.T


def head_grad_norm(view: HeadView) -> float:
    """Norm of the gradient of this example's mean response loss by the head's weight alone.

    Exact, and the last layer's only: where head and input embedding share one weight, the part that
    comes through the embedding is not in it. Unit: loss per unit of weight. Falls with the length
    of the response, since a mean over many tokens cancels: see `detrended`. Source: the gradient
    norm of SeDi-Instruct (arXiv 2502.04774) per example, as in GraNd (arXiv 2107.07075).
    """
    if view.is_long:
        square = view.gradient.square().sum()
    else:
        square = (view.error_products * (view.hidden @ view.hidden.T)).sum()
    return float(square.clamp(min=0).sqrt()) / max(view.tokens, 1)


def head_effective_rank(view: HeadView) -> float:
    """In how many directions this example pulls the head: effective rank of its head gradient.

    From 1 to min(n, d); grows with the number of response tokens n, so compare it detrended.
    Source: arXiv 2504.10766 (better data has higher effective ranks), there for attention layers.
    """
    if view.tokens == 0:
        return 0.0
    if view.is_long:
        square = view.gradient.T @ view.gradient
    else:
        factor = torch.linalg.qr(view.hidden.T, mode="r").R
        square = factor @ view.error_products @ factor.T
    eigenvalues = torch.linalg.eigvalsh(square.double())
    return effective_rank(eigenvalues.clamp(min=0).sqrt())
