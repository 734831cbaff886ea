"""For LLaMA-Factory: OpenAI's messages, `dataset_info.json` and a YAML file."""

from __future__ import annotations

import json

from seedbed.errors import ConfigError
from seedbed.export.shapes import messages
from seedbed.records import JSON, Example
from seedbed.training.settings import TrainSettings
from seedbed.training.trainers.form import Files, at_once, schedule_name, to_yaml

README = """\
# Tune with LLaMA-Factory

    pip install llamafactory==0.9.5
    llamafactory-cli train train.yaml          # in this folder

`dataset_info.json` registers `train.jsonl` (OpenAI's messages). Loss is on the response only.

What LLaMA-Factory does otherwise than `seedbed train`: its templates are its own. `chatml` and
`llama3` differ from ours by what follows the end token; its `alpaca` writes a line break after
"### Response:" and two line breaks after the end token, and knows no separate input. Without
`template` it takes apart the tokenizer's own. It shuffles in another order, and lets norms and
biases go without weight decay.
"""

_TEMPLATES = {"": None, "own": None, "alpaca": "alpaca", "chatml": "chatml", "llama3": "llama3"}


def llama_factory_row(example: Example) -> dict[str, JSON]:
    return messages(example)


def llama_factory_files(settings: TrainSettings, base: str) -> Files:
    """The config.

    Raises:
        ConfigError: LLaMA-Factory has no template like the settings' one.
    """
    if settings.template not in _TEMPLATES:
        raise ConfigError(
            f"template {settings.template!r}: LLaMA-Factory has none like it",
            hint="Export to trl or axolotl, or choose a preset with another template.",
        )
    columns = {"messages": "messages"}
    tags = {
        "role_tag": "role",
        "content_tag": "content",
        "user_tag": "user",
        "assistant_tag": "assistant",
        "system_tag": "system",
    }
    info = {
        "seedbed": {
            "file_name": "train.jsonl",
            "formatting": "sharegpt",
            "columns": columns,
            "tags": tags,
        }
    }
    return {
        "README.md": README,
        "dataset_info.json": json.dumps(info, indent=1) + "\n",
        "train.yaml": to_yaml(_config(settings, base)),
    }


def _config(settings: TrainSettings, base: str) -> dict[str, JSON]:
    size, passes = at_once(settings)
    template = _TEMPLATES[settings.template]
    content: dict[str, JSON] = {
        "model_name_or_path": base,
        "stage": "sft",
        "do_train": True,
        "finetuning_type": "lora" if settings.lora_rank else "full",
        "dataset_dir": ".",
        "dataset": "seedbed",
        **({"template": template} if template else {}),
        "cutoff_len": settings.max_length,
        "train_on_prompt": False,
        "packing": False,
        "per_device_train_batch_size": size,
        "gradient_accumulation_steps": passes,
        "dataloader_drop_last": settings.drop_last,
        "learning_rate": settings.learning_rate,
        "num_train_epochs": float(settings.epochs),
        "lr_scheduler_type": schedule_name(settings),
        "warmup_steps": settings.warmup,
        "weight_decay": settings.weight_decay,
        "adam_beta1": settings.betas[0],
        "adam_beta2": settings.betas[1],
        "adam_epsilon": settings.epsilon,
        "max_grad_norm": settings.clip,
        "seed": settings.seed,
        "bf16": settings.device != "cpu" and settings.precision != "fp32",
        "logging_steps": 1,
        "save_strategy": "epoch",
        "output_dir": "checkpoints",
        "report_to": "none",
    }
    if settings.lora_rank:
        content |= {
            "lora_rank": settings.lora_rank,
            "lora_alpha": int(settings.lora_alpha),
            "lora_dropout": settings.lora_dropout,
            "lora_target": ",".join(settings.lora_targets) or "all",
        }
    return content
