"""Effective rank: how many directions a matrix really uses."""

from __future__ import annotations

import torch
from torch import Tensor

_NOISE = 1e-3
"""Singular values below this share of the largest are rounding of float32 products (√1e-6)."""


def effective_rank(singular: Tensor) -> float:
    """exp of the entropy of the singular values as shares of their sum; 0 for a zero matrix.

    1 where one direction holds everything, n where n directions hold the same. Source: Roy and
    Vetterli, "The effective rank" (EUSIPCO 2007), eq. 3.
    """
    singular = singular.double()
    singular = singular[singular > _NOISE * singular.max()] if singular.numel() else singular
    if not singular.numel() or not bool(singular.max() > 0):
        return 0.0
    shares = singular / singular.sum()
    return float(torch.exp(-(shares * shares.log()).sum()))


def gradient_effective_rank(gradient: Tensor) -> float:
    """The effective rank of a gradient matrix [a, b], by its smaller Gram matrix.

    Costs 2·a·b·min(a, b) multiply-adds and an eigendecomposition of min(a, b)³.
    """
    matrix = gradient.detach().float()
    wide = matrix.shape[0] <= matrix.shape[1]
    square = matrix @ matrix.T if wide else matrix.T @ matrix
    return effective_rank(torch.linalg.eigvalsh(square.double()).clamp(min=0).sqrt())
