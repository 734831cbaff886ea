from __future__ import annotations

import importlib.util
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.runs import config
from tests.training.students import make_examples, make_student

from seedbed import cli
from seedbed.errors import ConfigError
from seedbed.records import Example
from seedbed.training.loop import losses_of
from seedbed.training.settings import PRESETS, SKILLMIX, TrainSettings
from seedbed.training.templates import NAMED
from seedbed.training.trainers import TRAINERS, write_trainer
from seedbed.training.trainers.form import to_yaml


def some() -> list[Example]:
    examples = make_examples(12)
    examples[3] = replace(examples[3], input="red\n\n  blue")
    examples[4] = replace(examples[4], response='Two lines,\nand "3 €": {{ x }}')
    return examples


def parsed(path: Path) -> Any:
    yaml: Any = importlib.import_module("yaml")
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def script_of(folder: Path) -> Any:
    spec = importlib.util.spec_from_file_location("train_trl_under_test", folder / "train_trl.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("template", ["alpaca", "", "llama3"])
def test_trl_trains_on_our_tokens_with_our_mask_and_takes_a_step(
    base: Path, tmp_path: Path, template: str
) -> None:
    examples = some()
    settings = replace(SKILLMIX, template=template, batch_examples=4, epochs=1)
    folder = tmp_path / "trl"
    count = write_trainer(examples, folder, trainer="trl", settings=settings, base=str(base))
    assert count == len(examples)
    trainer = script_of(folder).trainer(
        use_cpu=True, disable_tqdm=True, save_strategy="no", output_dir=str(tmp_path), max_steps=1
    )
    student = make_student(base, template=template, max_length=1024)
    ours = student.encode(examples).kept
    assert len(trainer.train_dataset) == len(ours)
    for row, encoded in zip(trainer.train_dataset, ours, strict=True):
        assert list(row["input_ids"]) == list(encoded.ids)
        (start, end), *_ = encoded.spans
        expected = [-100] * start + list(encoded.ids[start:end])
        assert list(row["labels"]) == expected
    trainer.train()
    (line,) = [line for line in trainer.state.log_history if "loss" in line]
    losses = losses_of(student, ours)
    assert min(losses) < line["loss"] < max(losses)
    assert trainer.args.train_batch_size * trainer.args.gradient_accumulation_steps == 4
    assert trainer.args.weight_decay == settings.weight_decay
    assert trainer.args.max_grad_norm == 0.0


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("trainer", TRAINERS)
def test_every_trainer_gets_the_presets_values(tmp_path: Path, trainer: str, name: str) -> None:
    settings = PRESETS[name]
    if trainer == "llama_factory" and settings.template == "wizardlm":
        with pytest.raises(ConfigError, match="has none like it"):
            write_trainer(some(), tmp_path, trainer=trainer, settings=settings, base="org/base")
        return
    write_trainer(some(), tmp_path, trainer=trainer, settings=settings, base="org/base")
    if trainer == "trl":
        content = json.loads((tmp_path / "settings.json").read_text())
        found = content["sft"]
        size, passes, length = "per_device_train_batch_size", "gradient_accumulation_steps", "max"
        assert found["max_length"] == settings.max_length
    else:
        found = parsed(tmp_path / "train.yaml")
        size = "micro_batch_size" if trainer == "axolotl" else "per_device_train_batch_size"
        passes, length = "gradient_accumulation_steps", "sequence_len"
        length = "sequence_len" if trainer == "axolotl" else "cutoff_len"
        assert found[length] == settings.max_length
    assert found[size] * found[passes] == settings.batch_examples
    assert found["learning_rate"] == settings.learning_rate
    assert found["weight_decay"] == settings.weight_decay
    assert found["seed"] == settings.seed
    epochs = "num_epochs" if trainer == "axolotl" else "num_train_epochs"
    assert found[epochs] == settings.epochs
    warmup = found["warmup_ratio"] if "warmup_ratio" in found else found["warmup_steps"]
    assert warmup == settings.warmup


@pytest.mark.parametrize("trainer", TRAINERS)
def test_a_line_of_data_is_an_example(tmp_path: Path, trainer: str) -> None:
    examples = some()
    write_trainer(examples, tmp_path, trainer=trainer, settings=SKILLMIX, base="org/base")
    lines = (tmp_path / "train.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == len(examples)
    for line, example in zip(map(json.loads, lines), examples, strict=True):
        turns = line["messages"] if "messages" in line else line["prompt"] + line["completion"]
        assert [turn["role"] for turn in turns] == ["user", "assistant"]
        assert turns[1]["content"] == example.response
        assert example.instruction.text in turns[0]["content"]
        assert example.input in turns[0]["content"]


def test_an_adapter_is_asked_for_in_each_trainers_words(tmp_path: Path) -> None:
    settings = TrainSettings(lora_rank=8, lora_alpha=32, template="alpaca")
    for trainer in TRAINERS:
        write_trainer(some(), tmp_path / trainer, trainer=trainer, settings=settings, base="b")
    lora = json.loads((tmp_path / "trl" / "settings.json").read_text())["lora"]
    assert (lora["r"], lora["lora_alpha"], lora["target_modules"]) == (8, 32, "all-linear")
    factory = parsed(tmp_path / "llama_factory" / "train.yaml")
    assert (factory["finetuning_type"], factory["lora_rank"]) == ("lora", 8)
    axolotl = parsed(tmp_path / "axolotl" / "train.yaml")
    assert (axolotl["adapter"], axolotl["lora_r"]) == ("lora", 8)
    assert axolotl["lora_target_linear"] is True


def test_a_template_travels_whole(tmp_path: Path) -> None:
    write_trainer(some(), tmp_path, trainer="axolotl", settings=SKILLMIX, base="b")
    found = parsed(tmp_path / "train.yaml")
    assert found["chat_template"] == "jinja"
    assert found["chat_template_jinja"].endswith(NAMED["alpaca"].text)
    (dataset,) = found["datasets"]
    assert dataset["roles_to_train"] == ["assistant"]
    write_trainer(some(), tmp_path, trainer="axolotl", settings=TrainSettings(), base="b")
    assert parsed(tmp_path / "train.yaml")["chat_template"] == "tokenizer_default"


def test_yaml_is_read_as_it_was_meant(tmp_path: Path) -> None:
    content = {
        "text": 'a "quoted": # line\n{{ x }}',
        "number": 2e-5,
        "small": 1e-08,
        "whole": 3,
        "truth": False,
        "nothing": None,
        "names": ["a", "no"],
        "none": [],
        "nested": {"inner": {"deep": 1.5}, "empty": {}},
        "maps": [{"a": 1, "b": {"c": [1, 2]}}, {"a": 2, "b": {"c": []}}],
    }
    path = tmp_path / "x.yaml"
    path.write_text(to_yaml(content), encoding="utf-8")
    assert parsed(path) == content


def test_an_unknown_trainer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected one of: trl, llama_factory, axolotl"):
        write_trainer([], tmp_path, trainer="torchtune", settings=SKILLMIX, base="b")


def test_the_command_writes_a_trainers_folder_with_the_runs_student(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert set(TRAINERS) == set(cli.TRAINERS)
    path = config(tmp_path)
    text = path.read_text()
    path.write_text(f'{text}\n[student]\nlearning_rate = 3e-4\ntemplate = "chatml"\n')
    assert cli.main(["run", str(path), "--json"]) == 0
    run = str(tmp_path / "run")
    assert cli.main(["export", run, "--format", "axolotl"]) == 2
    assert "--base MODEL" in capsys.readouterr().err
    assert cli.main(["export", run, "--format", "axolotl", "--base", "org/base"]) == 0
    assert f"20 examples in {tmp_path / 'run' / 'axolotl'}" in capsys.readouterr().out
    found = parsed(tmp_path / "run" / "axolotl" / "train.yaml")
    assert found["learning_rate"] == 3e-4
    assert (found["num_epochs"], found["micro_batch_size"]) == (15, 8)  # else skillmix's
    out = str(tmp_path / "there")
    options = ["--base", "org/base", "--preset", "wizardlm", "--out", out, "--json"]
    assert cli.main(["export", run, "--format", "trl", *options]) == 0
    assert json.loads(capsys.readouterr().out)["path"] == out
    settings = json.loads((tmp_path / "there" / "settings.json").read_text())
    assert settings["sft"]["max_length"] == PRESETS["wizardlm"].max_length
