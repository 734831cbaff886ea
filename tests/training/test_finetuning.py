"""A whole training: its folder, its best epoch, its checkpoints, and going on after a stop."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.runs import lines
from tests.training.students import encoded, make_examples, make_student
from transformers import AutoModelForCausalLM, AutoTokenizer

from seedbed.errors import ConfigError, TrainingError
from seedbed.training import TrainProgress, TrainSettings, finetune
from seedbed.training.encode import Encoded
from seedbed.training.loop import Step, losses_of, train_step
from seedbed.training.outcome import lowest_loss
from seedbed.training.student import Student
from seedbed.training.templates import template_digest

SETTINGS = TrainSettings(
    learning_rate=3e-3,
    epochs=3,
    batch_examples=8,
    max_length=128,
    held_out=6,
    device="cpu",
    template="chatml",
    seed=3,
)
EXAMPLES = make_examples(40)


def test_a_training_leaves_what_it_says(base: Path, tmp_path: Path) -> None:
    seen: list[TrainProgress] = []
    done = finetune(EXAMPLES, base=base, folder=tmp_path, settings=SETTINGS, watch=seen.append)
    manifest = json.loads((tmp_path / "training.json").read_text())
    log, epochs = lines(tmp_path / "log.jsonl"), lines(tmp_path / "epochs.jsonl")
    assert done.manifest == manifest
    assert (done.status, manifest["status"]) == ("done", "done")
    assert manifest["data"]["train"]["examples"] == 34
    assert manifest["data"]["held_out"]["examples"] == 6
    assert [line["examples"] for line in log] == [8, 8, 8, 8, 2] * 3
    assert [line["step"] for line in log] == list(range(1, 16))
    assert [line["epoch"] for line in log] == [1] * 5 + [2] * 5 + [3] * 5
    assert sum(line["tokens"] for line in log) == manifest["tokens"]
    assert manifest["tokens"] == 3 * manifest["data"]["train"]["tokens"]
    assert log[-1]["loss"] < log[0]["loss"] - 0.3
    assert [progress.step for progress in seen] == list(range(1, 16))
    assert seen[-1].seconds_left == 0
    assert [row["checkpoint"] for row in epochs] == ["epoch-01", "epoch-02", "epoch-03"]
    assert manifest["best"] == lowest_loss(epochs)["checkpoint"]
    assert done.best == tmp_path / "checkpoints" / manifest["best"]
    assert not (tmp_path / "state").exists()
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == [
        "epoch-01", "epoch-02", "epoch-03",
    ]  # fmt: skip


def test_a_checkpoint_is_a_plain_folder_with_the_students_weights_and_template(
    base: Path, tmp_path: Path
) -> None:
    done = finetune(EXAMPLES, base=base, folder=tmp_path, settings=SETTINGS)
    for row in lines(tmp_path / "epochs.jsonl"):
        folder = tmp_path / "checkpoints" / row["checkpoint"]
        student = make_student(folder, max_length=128)
        note = json.loads((folder / "seedbed_checkpoint.json").read_text())
        assert note["template"]["name"] == "chatml"
        assert note["template"]["digest"] == student.template.digest
        assert (note["epoch"], note["step"]) == (row["epoch"], row["step"])
        assert note["held_out_loss"] == row["held_out_loss"]
        chosen = {example.id for example in EXAMPLES} - trained_on(tmp_path)
        held = [example for example in EXAMPLES if example.id in chosen]
        found = encoded(student, held)
        losses = losses_of(student, found)
        total = sum(loss * one.trained for loss, one in zip(losses, found, strict=True))
        mean = total / sum(one.trained for one in found)
        assert mean == pytest.approx(row["held_out_loss"], abs=1e-6)
    assert done.best is not None
    tokenizer: Any = AutoTokenizer.from_pretrained(done.best)
    assert template_digest(tokenizer.chat_template) == note["template"]["digest"]
    config = json.loads((done.best / "generation_config.json").read_text())
    ends = {tokenizer.convert_tokens_to_ids("<|im_end|>"), tokenizer.eos_token_id}
    assert set(config["eos_token_id"]) == ends
    model: Any = AutoModelForCausalLM.from_pretrained(done.best)
    assert model.dtype == torch.float32
    assert model.config._attn_implementation == "sdpa"


def trained_on(folder: Path) -> set[str]:
    """The ids of all but the held-out examples, from how they are chosen."""
    from seedbed.training.held_out import set_aside

    kept, aside = set_aside(EXAMPLES, settings=SETTINGS)
    assert len(aside) == json.loads((folder / "training.json").read_text())["settings"]["held_out"]
    return {example.id for example in kept}


def test_a_finished_training_is_not_made_again(base: Path, tmp_path: Path) -> None:
    first = finetune(EXAMPLES, base=base, folder=tmp_path, settings=SETTINGS)
    steps: list[int] = []
    again = finetune(
        EXAMPLES,
        base=base,
        folder=tmp_path,
        settings=SETTINGS,
        watch=lambda progress: steps.append(progress.step),
    )
    assert (steps, again) == ([], first)


def test_another_training_does_not_go_on_in_the_same_folder(base: Path, tmp_path: Path) -> None:
    finetune(EXAMPLES, base=base, folder=tmp_path, settings=replace(SETTINGS, epochs=1))
    for examples, settings in (
        (EXAMPLES, replace(SETTINGS, epochs=2)),
        (EXAMPLES[1:], replace(SETTINGS, epochs=1)),
    ):
        with pytest.raises(ConfigError, match="another training") as error:
            finetune(examples, base=base, folder=tmp_path, settings=settings)
        assert "--out" in error.value.hint
    cheaper = replace(SETTINGS, epochs=1, micro_tokens=64, checkpointing=True)
    assert finetune(EXAMPLES, base=base, folder=tmp_path, settings=cheaper).status == "done"


@pytest.mark.parametrize("lora_dropout", [0.0, 0.2])
def test_what_was_stopped_goes_on_as_if_it_never_had(
    base: Path, tmp_path: Path, lora_dropout: float
) -> None:
    """At any step, also with dropout: the same log, the same weights."""
    settings = SETTINGS
    if lora_dropout:
        settings = replace(SETTINGS, lora_rank=4, lora_dropout=lora_dropout)
    whole = finetune(EXAMPLES, base=base, folder=tmp_path / "whole", settings=settings)
    for stop_at in (3, 5, 11):
        taken: list[int] = []
        stopped = finetune(
            EXAMPLES,
            base=base,
            folder=tmp_path / "parts",
            settings=settings,
            watch=lambda progress: taken.append(progress.step),  # noqa: B023
            stop=lambda: taken[-1] == stop_at,  # noqa: B023
        )
        assert stopped.status == stopped.manifest["status"] == "interrupted"
        assert taken[-1] == stop_at
    parts = finetune(EXAMPLES, base=base, folder=tmp_path / "parts", settings=settings)
    assert without_time(tmp_path / "parts") == without_time(tmp_path / "whole")
    assert lines(tmp_path / "parts" / "epochs.jsonl") == lines(tmp_path / "whole" / "epochs.jsonl")
    assert parts.manifest["tokens"] == whole.manifest["tokens"]
    for name in ("epoch-01", "epoch-03"):
        first, second = (
            (tmp_path / run / "checkpoints" / name / "model.safetensors").read_bytes()
            for run in ("whole", "parts")
        )
        assert first == second


def without_time(folder: Path) -> list[dict[str, Any]]:
    return [{**line, "seconds": 0} for line in lines(folder / "log.jsonl")]


def test_the_best_only_is_kept_where_asked(base: Path, tmp_path: Path) -> None:
    def middle(epochs: Any) -> dict[str, Any]:
        return dict(epochs[min(1, len(epochs) - 1)])

    settings = replace(SETTINGS, keep="best")
    done = finetune(EXAMPLES, base=base, folder=tmp_path, settings=settings, choose=middle)
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["epoch-02"]
    assert done.best == tmp_path / "checkpoints" / "epoch-02"


def test_a_step_of_ones_own_takes_the_place_of_ours(base: Path, tmp_path: Path) -> None:
    ids: list[str] = []

    def step(student: Student, batch: Any) -> Step:
        ids.extend(example.id for example in batch)
        assert all(isinstance(example, Encoded) for example in batch)
        return train_step(student, batch)

    settings = replace(SETTINGS, epochs=1, held_out=0.0)
    finetune(EXAMPLES, base=base, folder=tmp_path, settings=settings, step=step)
    assert sorted(ids) == sorted(example.id for example in EXAMPLES)


def test_without_held_out_examples_the_last_epoch_is_the_best(base: Path, tmp_path: Path) -> None:
    settings = replace(SETTINGS, epochs=2, held_out=0.0)
    done = finetune(EXAMPLES, base=base, folder=tmp_path, settings=settings)
    assert done.manifest["best"] == "epoch-02"
    assert [row["held_out_loss"] for row in done.manifest["epochs"]] == [None, None]


def test_nothing_to_train_on_is_an_error(base: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no example can be trained on"):
        finetune([], base=base, folder=tmp_path, settings=SETTINGS)
    with pytest.raises(ConfigError, match="prompt_fills_max_length"):
        finetune(EXAMPLES, base=base, folder=tmp_path, settings=replace(SETTINGS, max_length=9))


def test_a_loss_that_is_no_number_stops_with_advice(base: Path, tmp_path: Path) -> None:
    settings = replace(SETTINGS, learning_rate=1e30, warmup=0.0)
    with pytest.raises(TrainingError, match="step 2") as error:
        finetune(EXAMPLES, base=base, folder=tmp_path, settings=settings)
    assert "learning_rate" in error.value.hint


def test_a_base_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere") as error:
        finetune(EXAMPLES, base=tmp_path / "nowhere", folder=tmp_path, settings=SETTINGS)
    assert "hub id" in error.value.hint
