"""LoRA: little is tuned, and the checkpoint loads like any other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.training.students import encoded, make_examples, make_student
from transformers import AutoModelForCausalLM

from seedbed.errors import ConfigError
from seedbed.training import TrainSettings, finetune
from seedbed.training.loop import losses_of, train_step

SETTINGS = TrainSettings(
    learning_rate=1e-2, epochs=4, batch_examples=8, max_length=128, device="cpu", lora_rank=4
)


# peft 0.21 asks transformers by a name that 5.24 calls old.
@pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")
def test_the_merged_checkpoint_is_the_student_and_so_is_the_adapter(
    base: Path, tmp_path: Path
) -> None:
    from peft import PeftModel

    examples = make_examples(24)
    done = finetune(examples, base=base, folder=tmp_path, settings=SETTINGS)
    assert done.best is not None
    merged = make_student(done.best)
    found = encoded(merged, examples)
    after = losses_of(merged, found)
    assert sum(after) < sum(losses_of(make_student(base), found)) - 2

    load: Any = AutoModelForCausalLM.from_pretrained
    beside = PeftModel.from_pretrained(load(base), str(done.best / "adapter")).train(False)
    ids = torch.tensor([found[0].ids])
    plain = load(done.best)
    with torch.no_grad():
        assert torch.allclose(beside(ids).logits, plain(ids).logits, atol=1e-5)
        assert not torch.allclose(beside(ids).logits, load(base)(ids).logits, atol=1e-2)


def test_only_the_adapter_moves(base: Path) -> None:
    student = make_student(base, lora_rank=4, learning_rate=1e-2)
    before = {name: p.detach().clone() for name, p in student.model.named_parameters()}
    for _ in range(2):
        train_step(student, encoded(student, make_examples(8)))
    moved = {
        name for name, p in student.model.named_parameters() if not torch.equal(p, before[name])
    }
    assert moved
    assert all(".lora_" in name for name in moved)


def test_the_base_is_halved_and_the_adapter_is_not(base: Path) -> None:
    student = make_student(base, lora_rank=4, precision="bf16", learning_rate=1e-2)
    kinds = {(".lora_" in name, p.dtype) for name, p in student.model.named_parameters()}
    assert kinds == {(True, torch.float32), (False, torch.bfloat16)}
    examples = encoded(student, make_examples(8))
    losses = [train_step(student, examples).loss for _ in range(10)]
    assert losses[-1] < losses[0] - 0.05


def test_layers_that_are_not_there_are_named(base: Path) -> None:
    settings = replace(SETTINGS, lora_targets=("no_such_layer",))
    with pytest.raises(ConfigError, match="no_such_layer"):
        make_student(base, lora_rank=4, lora_targets=settings.lora_targets)
