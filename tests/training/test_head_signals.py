from __future__ import annotations

import pytest
import torch
from torch import Tensor

from seedbed.training.feedback.head import HeadView, head_effective_rank, head_grad_norm
from seedbed.training.feedback.spectrum import effective_rank, gradient_effective_rank

HIDDEN, VOCABULARY = 24, 50


def seen(tokens: int, *, seed: int) -> tuple[HeadView, Tensor]:
    """A view, and the head's gradient of the mean loss as autograd gives it."""
    generator = torch.Generator().manual_seed(seed)
    hidden = torch.randn(tokens, HIDDEN, generator=generator)
    weight = torch.randn(VOCABULARY, HIDDEN, generator=generator).requires_grad_()
    targets = torch.randint(0, VOCABULARY, (tokens,), generator=generator)
    logits = hidden @ weight.T
    loss = torch.nn.functional.cross_entropy(logits, targets)
    (gradient,) = torch.autograd.grad(loss, weight)
    error = torch.softmax(logits.detach(), -1)
    error[torch.arange(tokens), targets] -= 1
    return HeadView(hidden, error), gradient


@pytest.mark.parametrize("tokens", [1, 2, 7, 23, 24, 25, 200])
def test_the_norm_is_that_of_the_gradient_itself(tokens: int) -> None:
    view, gradient = seen(tokens, seed=tokens)
    assert head_grad_norm(view) == pytest.approx(float(gradient.norm()), rel=1e-5)


@pytest.mark.parametrize("tokens", [1, 2, 7, 23, 24, 25, 200])
def test_the_rank_is_that_of_the_gradient_itself(tokens: int) -> None:
    view, gradient = seen(tokens, seed=tokens)
    expected = effective_rank(torch.linalg.svdvals(gradient.double()))
    assert head_effective_rank(view) == pytest.approx(expected, rel=0.01)
    assert head_effective_rank(view) <= min(tokens, HIDDEN) + 1e-6


def test_nothing_seen_is_nothing_pulled() -> None:
    view = HeadView(torch.zeros(0, HIDDEN), torch.zeros(0, VOCABULARY))
    assert head_grad_norm(view) == 0.0
    assert head_effective_rank(view) == 0.0


def test_effective_rank_counts_directions() -> None:
    assert effective_rank(torch.tensor([3.0, 0.0, 0.0])) == pytest.approx(1.0)
    assert effective_rank(torch.tensor([2.0, 2.0, 2.0, 2.0])) == pytest.approx(4.0)
    assert 1.0 < effective_rank(torch.tensor([4.0, 1.0])) < 2.0
    assert effective_rank(torch.zeros(3)) == 0.0
    assert effective_rank(torch.zeros(0)) == 0.0


@pytest.mark.parametrize("shape", [(8, 30), (30, 8), (12, 12)])
def test_a_matrix_has_the_rank_of_its_singular_values(shape: tuple[int, int]) -> None:
    matrix = torch.randn(*shape, generator=torch.Generator().manual_seed(3))
    expected = effective_rank(torch.linalg.svdvals(matrix.double()))
    assert gradient_effective_rank(matrix) == pytest.approx(expected, rel=0.01)
