"""One step: what it says, and that packing changes nothing of what it does."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tests.training.students import encoded, make_examples, make_student

from seedbed.errors import ConfigError
from seedbed.training.loop import Pass, Watch, losses_of, train_step
from seedbed.training.student import Student


def weights(student: Student) -> torch.Tensor:
    return torch.cat([p.detach().flatten().clone() for p in student.model.parameters()])


def test_an_example_loses_the_same_alone_and_among_neighbours(base: Path) -> None:
    student = make_student(base)
    examples = encoded(student, make_examples(9))
    alone = [losses_of(student, [example])[0] for example in examples]
    assert losses_of(student, examples) == pytest.approx(alone, abs=1e-6)
    assert losses_of(student, examples[::-1]) == pytest.approx(alone[::-1], abs=1e-6)


def test_the_gradient_does_not_depend_on_who_is_packed_with_whom(base: Path) -> None:
    """One pass over all, one pass for each example: the same gradient and the same step."""
    together, apart = make_student(base), make_student(base, micro_tokens=1)
    examples = encoded(together, make_examples(9))
    first, second = train_step(together, examples), train_step(apart, examples)
    assert len(apart.groups([len(example) for example in examples])) == 9
    assert len(together.groups([len(example) for example in examples])) == 1
    assert first.loss == pytest.approx(second.loss, abs=1e-6)
    assert first.grad_norm == pytest.approx(second.grad_norm, rel=1e-5)
    assert first.losses == pytest.approx(second.losses, abs=1e-6)
    assert torch.allclose(weights(together), weights(apart), atol=1e-6)


def test_a_neighbour_would_show_if_attention_crossed_the_border(base: Path) -> None:
    """The test above can fail: without segments the second example sees the first."""
    student = make_student(base)
    examples = encoded(student, make_examples(2))
    ids = torch.tensor([[*examples[0].ids, *examples[1].ids]])
    places = torch.tensor([[*range(len(examples[0])), *range(len(examples[1]))]])
    with torch.no_grad():
        crossed = student.model(input_ids=ids, position_ids=places).logits[0, len(examples[0]) :]
        alone = student.model(input_ids=torch.tensor([examples[1].ids])).logits[0]
    assert (crossed - alone).abs().max() > 1e-3


def test_the_loss_is_the_mean_over_the_trained_tokens_of_the_whole_batch(base: Path) -> None:
    student = make_student(base, micro_tokens=64)
    examples = encoded(student, make_examples(8))
    expected = losses_of(student, examples)
    step = train_step(student, examples)
    trained = [example.trained for example in examples]
    assert step.losses == pytest.approx(expected, abs=1e-6)
    mean = sum(loss * count for loss, count in zip(expected, trained, strict=True)) / sum(trained)
    assert step.loss == pytest.approx(mean, abs=1e-6)
    assert step.trained_tokens == sum(trained)
    assert step.tokens == sum(map(len, examples))


def test_steps_on_one_batch_teach_it(base: Path) -> None:
    student = make_student(base, learning_rate=3e-3)
    examples = encoded(student, make_examples(8))
    losses = [train_step(student, examples).loss for _ in range(12)]
    assert losses[-1] < losses[0] - 0.5


def test_a_watch_sees_what_the_head_saw_and_the_gradient_before_the_step(base: Path) -> None:
    student = make_student(base, micro_tokens=100, clip=0.01)
    examples = encoded(student, make_examples(6))
    seen: list[Pass] = []
    norms: list[float] = []

    def gradients(looked_at: Student) -> None:
        found = [p.grad.norm() for p in looked_at.model.parameters() if p.grad is not None]
        norms.append(float(torch.stack(found).norm()))

    step = train_step(student, examples, watch=Watch(forward=seen.append, gradients=gradients))
    assert sorted(index for one in seen for index in one.examples) == list(range(6))
    for one in seen:
        assert torch.allclose(one.logits, one.hidden @ one.head.T, atol=1e-2)
        assert one.losses.shape == one.targets.shape == one.owners.shape
        for place, index in enumerate(one.examples):
            mean = float(one.losses[one.owners == place].mean())
            assert mean == pytest.approx(step.losses[index], abs=1e-6)
            targets = examples[index].ids[examples[index].spans[0][0] :]
            assert one.targets[one.owners == place].tolist() == list(targets)
    assert norms == pytest.approx([step.grad_norm], rel=1e-5)


def test_a_watch_changes_nothing(base: Path) -> None:
    watched, alone = make_student(base), make_student(base)
    examples = encoded(watched, make_examples(6))
    nothing = Watch(forward=lambda one: None, gradients=lambda student: None)
    assert train_step(watched, examples, watch=nothing) == train_step(alone, examples)
    assert torch.equal(weights(watched), weights(alone))


def test_without_a_known_end_the_rate_is_constant_after_its_warm_up(base: Path) -> None:
    student = make_student(base, total=None, schedule="constant", warmup=2, learning_rate=1e-3)
    examples = encoded(student, make_examples(4))
    rates = [train_step(student, examples).learning_rate for _ in range(4)]
    assert rates == [0.0, 5e-4, 1e-3, 1e-3]
    with pytest.raises(ConfigError, match="no"):
        train_step(make_student(base, total=None), examples)


def test_gradient_checkpointing_changes_nothing(base: Path) -> None:
    plain, saving = make_student(base), make_student(base, checkpointing=True)
    examples = encoded(plain, make_examples(6))
    first, second = train_step(plain, examples), train_step(saving, examples)
    assert first.loss == pytest.approx(second.loss, abs=1e-7)
    assert first.grad_norm == pytest.approx(second.grad_norm, rel=1e-6)
