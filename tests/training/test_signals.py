from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.training.students import encoded, make_examples, make_student
from torch.nn.functional import cross_entropy

from seedbed.errors import ConfigError
from seedbed.records import BatchSignals, Example, Instruction
from seedbed.training.encode import Encoded, Encoder
from seedbed.training.feedback import NAMES, known_signals
from seedbed.training.feedback.reader import Memory, train_and_read, without_instruction
from seedbed.training.feedback.signals import HEAD_SIGNALS, STEP_SIGNALS, last_attention
from seedbed.training.feedback.spectrum import effective_rank
from seedbed.training.loop import losses_of, train_step
from seedbed.training.student import Student

CLIP = 0.5


def start(base: Path) -> Student:
    return make_student(
        base, learning_rate=3e-3, schedule="constant", clip=CLIP, max_length=128, micro_tokens=200
    )


def alone(student: Student, example: Encoded) -> dict[str, torch.Tensor]:
    """The gradient of one example's mean response loss, by autograd and plain attention."""
    model = deepcopy(student.model)
    model.set_attn_implementation("eager")
    ids = torch.tensor([list(example.ids)])
    logits = model(input_ids=ids, use_cache=False).logits[0]
    (start, end), *_ = example.spans
    loss = cross_entropy(logits[start - 1 : end - 1], ids[0, start:end])
    names, parameters = zip(*model.named_parameters(), strict=True)
    return dict(zip(names, torch.autograd.grad(loss, parameters), strict=True))


def whole_gradient(student: Student, batch: Sequence[Encoded]) -> dict[str, torch.Tensor]:
    """The gradient of the batch's token-mean loss, put together from its examples alone."""
    total = sum(example.trained for example in batch)
    summed: dict[str, torch.Tensor] = {}
    for example in batch:
        for name, gradient in alone(student, example).items():
            summed[name] = summed.get(name, torch.zeros(())) + gradient * example.trained / total
    return summed


def norm(gradient: Mapping[str, torch.Tensor]) -> float:
    return float(sum(float(part.square().sum()) for part in gradient.values()) ** 0.5)


def read(student: Student, batch: Sequence[Encoded], *names: str) -> BatchSignals:
    return train_and_read(student, batch, names=names, memory=Memory())[1]


def test_the_step_is_the_same_with_all_signals_as_with_none(base: Path) -> None:
    plain, watched = start(base), start(base)
    memory = Memory()
    for number in range(3):
        batch = encoded(plain, make_examples(6, seed=number))
        step = train_step(plain, batch)
        found, signals = train_and_read(
            watched,
            batch,
            names=NAMES,
            memory=memory,
            bare=lambda example: example,
            reference=batch[:2],
        )
        assert found == step
        assert set(signals.batch) >= set(NAMES) - {"progress", "momentum_cosine"}
    for left, right in zip(plain.model.parameters(), watched.model.parameters(), strict=True):
        assert torch.equal(left, right)


def test_losses_and_the_norm_are_those_of_the_step(base: Path) -> None:
    student = start(base)
    batch = encoded(student, make_examples(6))
    before = losses_of(student, batch)
    signals = read(student, batch, "loss", "grad_norm")
    assert [row["loss"] for row in signals.examples] == pytest.approx(before, rel=1e-5)
    tokens = [example.trained for example in batch]
    mean = sum(n * loss for n, loss in zip(tokens, before, strict=True)) / sum(tokens)
    assert signals.batch["loss"] == pytest.approx(mean, rel=1e-5)
    assert signals.step == 1


def test_the_batch_norm_is_that_of_the_summed_gradient(base: Path) -> None:
    student = start(base)
    batch = encoded(student, make_examples(6))
    expected = norm(whole_gradient(student, batch))
    assert expected > CLIP  # so it is told apart from the norm after clipping
    assert read(student, batch, "grad_norm").batch["grad_norm"] == pytest.approx(expected, rel=1e-4)


def test_head_signals_are_those_of_each_example_by_itself(base: Path) -> None:
    student = start(base)
    batch = encoded(
        student,
        [*make_examples(5), *make_examples(1, longest=3), *make_examples(1, seed=3, longest=60)],
    )
    assert len({example.trained for example in batch}) > 4
    gradients = [alone(student, example)["lm_head.weight"] for example in batch]
    signals = read(student, batch, "head_grad_norm", "head_effective_rank")
    for row, gradient in zip(signals.examples, gradients, strict=True):
        assert row["head_grad_norm"] == pytest.approx(float(gradient.norm()), rel=1e-4)
        rank = effective_rank(torch.linalg.svdvals(gradient.double()))
        assert row["head_effective_rank"] == pytest.approx(rank, rel=0.02)
    norms = [row["head_grad_norm"] for row in signals.examples]
    assert signals.batch["head_grad_norm"] == pytest.approx(sum(norms) / len(norms))


def test_the_drop_is_what_the_step_did(base: Path) -> None:
    student = start(base)
    batch = encoded(student, make_examples(6))
    before = losses_of(student, batch)
    signals = read(student, batch, "loss_drop")
    after = losses_of(student, batch)
    for row, old, new in zip(signals.examples, before, after, strict=True):
        assert row["loss_drop"] == pytest.approx(old - new, abs=1e-5)
    assert signals.batch["loss_drop"] > 0


def test_progress_is_known_from_the_second_epoch_on(base: Path) -> None:
    student = start(base)
    batch = encoded(student, make_examples(6))
    memory = Memory()
    first = train_and_read(student, batch, names=["loss", "progress"], memory=memory)[1]
    assert "progress" not in first.batch
    assert all("progress" not in row for row in first.examples)
    again = train_and_read(student, batch, names=["loss", "progress"], memory=memory)[1]
    for old, new in zip(first.examples, again.examples, strict=True):
        assert new["progress"] == old["loss"] - new["loss"]
    assert again.batch["progress"] > 0


def test_the_cosine_is_between_this_gradient_and_the_mean_of_those_before(base: Path) -> None:
    student = start(base)
    names = ["momentum_cosine"]
    one, two = encoded(student, make_examples(6)), encoded(student, make_examples(6, seed=1))
    old = whole_gradient(student, one)
    first = train_and_read(student, one, names=names, memory=Memory())[1]
    assert first.batch == {}
    new = whole_gradient(student, two)
    again = train_and_read(student, two, names=names, memory=Memory())[1]
    expected = sum(float((new[name] * old[name]).sum()) for name in new)
    expected /= norm(new) * norm(old)  # after one step the mean is that step's gradient, scaled
    assert again.batch["momentum_cosine"] == pytest.approx(expected, abs=1e-4)
    assert 0.05 < expected < 0.95


def test_the_rank_of_a_batch_is_that_of_its_last_attention_gradients(base: Path) -> None:
    student = start(base)
    batch = encoded(student, make_examples(6))
    summed = whole_gradient(student, batch)
    summed = {name: summed[name] for name in summed if "layers.1.self_attn" in name}
    assert len(summed) == 4
    ranks = [effective_rank(torch.linalg.svdvals(g.double())) for g in summed.values()]
    signals = read(student, batch, "effective_rank")
    assert signals.batch["effective_rank"] == pytest.approx(sum(ranks) / 4, rel=0.02)
    assert last_attention(student.model) == []  # the gradients are gone after the step


def test_ifd_compares_the_same_tokens_with_and_without_the_instruction(base: Path) -> None:
    student = start(base)
    encoder = Encoder(student.tokenizer, 128)
    long = Example(instruction=Instruction(text="Sort."), response="red blue green " * 60)
    found = [*make_examples(4), long]
    batch = encoded(student, found)
    assert [example.cut for example in batch] == [False] * 4 + [True]
    by_id = {example.id: example for example in found}

    def bare(example: Encoded) -> Encoded | None:
        return without_instruction(encoder, by_id[example.id], example)

    bares = [bare(example) for example in batch]
    for full, short in zip(batch, bares, strict=True):
        assert short is not None
        assert len(short) < len(full)
        (start_full, end_full), *_ = full.spans
        (start_short, end_short), *_ = short.spans
        assert list(short.ids[start_short:end_short]) == list(full.ids[start_full:end_full])
    known = [example for example in bares if example is not None]
    expected = [
        with_it / without
        for with_it, without in zip(
            losses_of(student, batch), losses_of(student, known), strict=True
        )
    ]
    memory = Memory()
    signals = train_and_read(student, batch, names=["ifd"], memory=memory, bare=bare)[1]
    assert [row["ifd"] for row in signals.examples] == pytest.approx(expected, rel=1e-5)
    again = train_and_read(student, batch, names=["ifd"], memory=memory, bare=bare)[1]
    assert again.batch == {}  # the response is not new any more


def test_on_a_share_of_the_batch_the_same_is_read_of_fewer(base: Path) -> None:
    examples = make_examples(8)
    texts = {example.id: example for example in examples}

    def read(share: float) -> list[BatchSignals]:
        student, memory = start(base), Memory()
        encoder = Encoder(student.tokenizer, 128)
        batch = encoded(student, examples)
        return [
            train_and_read(
                student,
                batch,
                names=["loss", "ifd", "loss_drop"],
                memory=memory,
                bare=lambda one: without_instruction(encoder, texts[one.id], one),
                share=share,
            )[1]
            for _ in range(2)
        ]

    whole, part = read(1.0), read(0.25)
    drawn = []
    for every, some in zip(whole, part, strict=True):
        assert [row["loss"] for row in some.examples] == [row["loss"] for row in every.examples]
        found = [place for place, row in enumerate(some.examples) if "loss_drop" in row]
        assert len(found) == 2
        for place in found:
            assert some.examples[place] == pytest.approx(every.examples[place], rel=1e-4, abs=1e-6)
        drawn.append(found)
    assert drawn[0] != drawn[1]
    assert sum("ifd" in row for row in part[0].examples) == 2
    assert all("ifd" not in row for row in part[1].examples)


def test_an_input_is_part_of_the_instruction(base: Path) -> None:
    student = start(base)
    encoder = Encoder(student.tokenizer, 128)
    plain = Example(instruction=Instruction(text="Count."), response="seven stone")
    given = replace(plain, input="river stone river")
    for example in (plain, given):
        full = encoder(example)
        assert isinstance(full, Encoded)
        bare = without_instruction(encoder, example, full)
        assert bare is not None
        text = student.tokenizer.decode(list(bare.ids))
        assert "Count." not in text
        assert "river" not in text


def test_the_reference_is_read_after_each_step(base: Path) -> None:
    student = start(base)
    batch = encoded(student, make_examples(6))
    reference = encoded(student, make_examples(3, seed=5))
    tokens = [example.trained for example in reference]

    def mean() -> float:
        losses = losses_of(student, reference)
        return sum(n * loss for n, loss in zip(tokens, losses, strict=True)) / sum(tokens)

    memory, seen = Memory(), [mean()]
    for _ in range(3):
        names = ["reference_loss", "reference_drop"]
        signals = train_and_read(student, batch, names=names, memory=memory, reference=reference)[1]
        seen.append(mean())
        assert signals.batch["reference_loss"] == pytest.approx(seen[-1], rel=1e-6)
        assert signals.batch["reference_drop"] == pytest.approx(seen[-2] - seen[-1], abs=1e-6)


def test_memory_survives_being_written_down() -> None:
    memory = Memory(losses={"a": 1.25, "b": 0.1}, reference=3.0)
    assert Memory.from_json(memory.to_json()) == memory


def test_signals_come_in_the_tables_order_and_unknown_ones_are_refused() -> None:
    assert known_signals(["ifd", "loss", "ifd"]) == ("loss", "ifd")
    with pytest.raises(ConfigError, match="'entropy'"):
        known_signals(["loss", "entropy"])


def test_every_name_has_its_function() -> None:
    assert set(NAMES) == {*STEP_SIGNALS, *HEAD_SIGNALS}
    assert len(NAMES) == len(set(NAMES))
