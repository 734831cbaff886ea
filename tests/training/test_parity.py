"""The same recipe as TRL's SFTTrainer, in numbers: loss, gradient norm, parameters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from tests.training.students import encoded, make_examples, make_student

from seedbed.records import Example
from seedbed.training.loop import Step, train_step
from seedbed.training.student import Student

BATCH, EPOCHS, COUNT = 8, 2, 24
STEPS = EPOCHS * COUNT // BATCH


def trl_run(base: Path, examples: list[Example], out: Path) -> tuple[Any, list[dict[str, float]]]:
    """Padded, four examples at a time, two such passes for a step; TRL makes tokens and masks."""
    from datasets import Dataset
    from transformers import AutoModelForCausalLM
    from trl.trainer.sft_config import SFTConfig
    from trl.trainer.sft_trainer import SFTTrainer

    rows = [
        {
            "prompt": [{"role": "user", "content": example.instruction.text}],
            "completion": [{"role": "assistant", "content": example.response}],
        }
        for example in examples
    ]
    config = SFTConfig(
        output_dir=str(out),
        report_to="none",
        bf16=False,
        activation_checkpointing=False,
        use_cpu=True,
        disable_tqdm=True,
        save_strategy="no",
        max_length=256,
        per_device_train_batch_size=BATCH // 2,
        gradient_accumulation_steps=2,
        num_train_epochs=EPOCHS,
        lr_scheduler_type="cosine",
        warmup_steps=2,
        weight_decay=0.1,
        max_grad_norm=1.0,
        learning_rate=1e-3,
        train_sampling_strategy="sequential",
        logging_steps=1,
    )
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    trainer = SFTTrainer(model=model, args=config, train_dataset=Dataset.from_list(rows))
    trainer.train()
    return trainer, [line for line in trainer.state.log_history if "loss" in line]


def our_run(base: Path, examples: list[Example]) -> tuple[Student, list[Step]]:
    student = make_student(
        base,
        total=STEPS,
        learning_rate=1e-3,
        warmup=2,
        weight_decay=0.1,
        decayed="matrices",
        clip=1.0,
        micro_tokens=200,
    )
    found = encoded(student, examples)
    return student, [
        train_step(student, found[start : start + BATCH])
        for _ in range(EPOCHS)
        for start in range(0, COUNT, BATCH)
    ]


@pytest.mark.filterwarnings("default")
def test_the_loop_is_trls_in_every_number(base: Path, tmp_path: Path) -> None:
    examples = make_examples(COUNT)
    trainer, log = trl_run(base, examples, tmp_path)
    student, steps = our_run(base, examples)

    prepared = trainer.train_dataset
    for ours, row in zip(student.encode(examples).kept, prepared, strict=True):
        assert list(ours.ids) == row["input_ids"]
        ((start, end),) = ours.spans
        assert row["labels"] == [-100] * start + list(ours.ids[start:end])

    assert [step.loss for step in steps] == pytest.approx([line["loss"] for line in log], abs=2e-5)
    norms = [float(line["grad_norm"]) for line in log]
    assert [step.grad_norm for step in steps] == pytest.approx(norms, rel=2e-4)
    rates = [line["learning_rate"] for line in log]
    assert [step.learning_rate for step in steps] == pytest.approx(rates, abs=1e-9)
    assert steps[-1].loss < steps[0].loss - 0.05

    theirs = dict(trainer.model.named_parameters())
    apart = [(p - theirs[name]).abs().max() for name, p in student.model.named_parameters()]
    assert torch.stack(apart).max() < 1e-6
