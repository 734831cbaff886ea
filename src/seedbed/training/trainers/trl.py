"""For TRL's SFTTrainer: prompt and completion as messages, and a script of a page."""

from __future__ import annotations

import json
from importlib.resources import files

from seedbed.records import JSON, Example
from seedbed.training.settings import TrainSettings
from seedbed.training.templates import NAMED, prompt_messages
from seedbed.training.trainers.form import Files, at_once, schedule_name

README = """\
# Tune with TRL

    pip install "trl>=1.9,<2" "transformers>=5.10,<6"
    python train_trl.py

`settings.json` holds the base model and what `SFTConfig` is given; `train.jsonl` is TRL's
conversational prompt-completion form, so the loss is on the completion only. The user's message
holds `instruction` and `input` beside `content` for templates that keep them apart.

What TRL does otherwise than `seedbed train`: it pads (or with `packing` changes what a batch is),
shuffles in another order, cuts what is longer than `max_length` without an end token, trains
what a template writes behind the end token (ChatML's newline), and lets norms and biases go without
weight decay.
"""


def trl_row(example: Example) -> dict[str, JSON]:
    """Conversational prompt-completion."""
    return {
        "prompt": prompt_messages(example),
        "completion": [{"role": "assistant", "content": example.response}],
    }


def trl_files(settings: TrainSettings, base: str) -> Files:
    script = files("seedbed.training.trainers") / "train_trl.py"
    content = {
        "base": base,
        "checkpointing": settings.checkpointing,
        "sft": _sft(settings),
        "lora": _lora(settings),
    }
    found = {
        "README.md": README,
        "settings.json": json.dumps(content, indent=1, ensure_ascii=False) + "\n",
        "train_trl.py": script.read_text(encoding="utf-8"),
    }
    if settings.template in NAMED:
        found["chat_template.jinja"] = NAMED[settings.template].text
    return found


def _sft(settings: TrainSettings) -> dict[str, JSON]:
    """What `SFTConfig` is given."""
    size, passes = at_once(settings)
    return {
        "output_dir": "checkpoints",
        "learning_rate": settings.learning_rate,
        "num_train_epochs": settings.epochs,
        "per_device_train_batch_size": size,
        "gradient_accumulation_steps": passes,
        "dataloader_drop_last": settings.drop_last,
        "max_length": settings.max_length,
        "lr_scheduler_type": schedule_name(settings),
        "warmup_steps": settings.warmup,
        "weight_decay": settings.weight_decay,
        "adam_beta1": settings.betas[0],
        "adam_beta2": settings.betas[1],
        "adam_epsilon": settings.epsilon,
        "max_grad_norm": settings.clip,
        "seed": settings.seed,
        "completion_only_loss": True,
        "packing": False,
        "logging_steps": 1,
        "save_strategy": "epoch",
        "report_to": "none",
    }


def _lora(settings: TrainSettings) -> dict[str, JSON] | None:
    """What peft's `LoraConfig` is given, if an adapter is tuned."""
    if not settings.lora_rank:
        return None
    return {
        "r": settings.lora_rank,
        "lora_alpha": settings.lora_alpha,
        "lora_dropout": settings.lora_dropout,
        "target_modules": list(settings.lora_targets) or "all-linear",
        "task_type": "CAUSAL_LM",
    }
