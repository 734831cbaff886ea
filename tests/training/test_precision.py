"""fp32 in two halves is fp32, and bf16 alone is not."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tests.training.students import encoded, make_examples, make_student
from torch.nn import Parameter

from seedbed.training.loop import train_step
from seedbed.training.precision import SplitAdamW, chosen, halves, split, whole


def test_two_halves_are_the_number() -> None:
    numbers = torch.randn(10_000) * torch.logspace(-30, 30, 10_000)
    numbers[:4] = torch.tensor([0.0, -0.0, 1.0, -1.0])
    high, low = halves(numbers)
    assert torch.equal(whole(high, low), numbers)
    assert (
        torch.equal(high, numbers.to(torch.bfloat16))
        or (
            (high.float() - numbers).abs() <= (numbers.to(torch.bfloat16).float() - numbers).abs()
        ).all()
    )


def test_adamw_in_halves_is_adamw_in_fp32() -> None:
    """The gradients are bf16 for both, since that is all that the halves are given."""
    torch.manual_seed(0)
    start = torch.randn(64, 33) * 0.02
    plain, halved = Parameter(start.clone()), Parameter(start.clone())
    lows = split([halved])
    reference = torch.optim.AdamW([plain], lr=2e-5, weight_decay=0.01)
    ours = SplitAdamW(
        [{"params": [halved], "weight_decay": 0.01}],
        lows=lows,
        lr=2e-5,
        betas=(0.9, 0.999),
        eps=1e-8,
    )
    for _ in range(300):
        gradient = (torch.randn_like(start) + 0.3).to(torch.bfloat16)
        plain.grad, halved.grad = gradient.float(), gradient
        reference.step()
        ours.step()
    moved = (plain - start).abs().max()
    full = whole(halved.data, ours.state[halved]["low"])
    assert moved > 2e-3
    assert (full - plain).abs().max() < 1e-6


def test_bf16_alone_leaves_most_weights_where_they_are() -> None:
    """Why it is never chosen for a user: the measurement behind the warning."""
    torch.manual_seed(0)
    start = (torch.randn(200, 100) * 0.02).to(torch.bfloat16)
    alone = Parameter(start.clone())
    optimizer = torch.optim.AdamW([alone], lr=2e-5, weight_decay=0.0)
    for _ in range(100):
        alone.grad = (torch.randn_like(start) + 0.3).to(torch.bfloat16)
        optimizer.step()
    assert (alone == start).float().mean() > 0.5


def test_a_student_in_halves_learns_like_one_in_fp32(base: Path) -> None:
    plain = make_student(base, learning_rate=1e-3)
    halved = make_student(base, learning_rate=1e-3, precision="bf16_split")
    examples = encoded(plain, make_examples(8))
    assert all(p.dtype == torch.bfloat16 for p in halved.model.parameters())
    first = [train_step(plain, examples).loss for _ in range(10)]
    second = [train_step(halved, examples).loss for _ in range(10)]
    assert second == pytest.approx(first, abs=0.03)
    assert first[-1] < first[0] - 0.1


def test_a_cpu_computes_in_fp32_unless_told_otherwise(base: Path) -> None:
    assert chosen("auto", torch.device("cpu")) == "fp32"
    student = make_student(base)
    assert all(p.dtype == torch.float32 for p in student.model.parameters())
    mixed = make_student(base, precision="bf16")
    assert all(p.dtype == torch.float32 for p in mixed.model.parameters())
    examples = encoded(student, make_examples(4))
    assert train_step(mixed, examples).loss == pytest.approx(
        train_step(student, examples).loss, abs=0.05
    )
