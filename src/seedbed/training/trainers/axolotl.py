"""For Axolotl: messages and a YAML file."""

from __future__ import annotations

from seedbed.export.shapes import asked
from seedbed.records import JSON, Example
from seedbed.training.settings import TrainSettings
from seedbed.training.templates import NAMED
from seedbed.training.trainers.form import Files, at_once, to_yaml

README = """\
# Tune with Axolotl

    pip install axolotl==0.19.0
    axolotl train train.yaml                   # in this folder

`train.jsonl` holds messages; loss is on the assistant's only, with its end token. The user's
message holds `instruction` and `input` beside `content` for templates that keep them apart.

What Axolotl does otherwise than `seedbed train`: it drops or cuts what is longer than
`sequence_len`, shuffles in another order, and lets norms and biases go without weight decay.
`sample_packing: true` is faster and changes what a batch is, so it is off. A named template begins
with the tokenizer's beginning-of-text token wherever it has one. Where the base's own template ends
a turn with another token than the tokenizer's end-of-text token, name it in `eot_tokens`, or it is
not trained.
"""

_ENDS = {"chatml": "<|im_end|>", "llama3": "<|eot_id|>"}
"""What ends a turn where that is not the tokenizer's end-of-text token."""

_BEGIN = "{{- bos_token if bos_token is defined and bos_token else '' -}}\n"


def axolotl_row(example: Example) -> dict[str, JSON]:
    user = {"instruction": example.instruction.text, "input": example.input}
    none = {"instruction": "", "input": ""}
    return {
        "messages": [
            {"role": "user", "content": asked(example), **user},
            {"role": "assistant", "content": example.response, **none},
        ]
    }


def axolotl_files(settings: TrainSettings, base: str) -> Files:
    return {"README.md": README, "train.yaml": to_yaml(_config(settings, base))}


def _config(settings: TrainSettings, base: str) -> dict[str, JSON]:
    size, passes = at_once(settings)
    warmup = "warmup_ratio" if settings.warmup < 1 else "warmup_steps"
    named = settings.template in NAMED
    content: dict[str, JSON] = {
        "base_model": base,
        "datasets": [
            {
                "path": "train.jsonl",
                "ds_type": "json",
                "type": "chat_template",
                "field_messages": "messages",
                "message_property_mappings": {
                    name: name for name in ("role", "content", "instruction", "input")
                },
                "roles_to_train": ["assistant"],
                "train_on_eos": "turn",
            }
        ],
        "chat_template": "jinja" if named else "tokenizer_default",
        "sequence_len": settings.max_length,
        "sample_packing": False,
        "train_on_inputs": False,
        "val_set_size": 0.0,
        "micro_batch_size": size,
        "gradient_accumulation_steps": passes,
        "num_epochs": settings.epochs,
        "optimizer": "adamw_torch_fused",
        "adam_beta1": settings.betas[0],
        "adam_beta2": settings.betas[1],
        "adam_epsilon": settings.epsilon,
        "weight_decay": settings.weight_decay,
        "learning_rate": settings.learning_rate,
        "lr_scheduler": _schedule(settings),
        warmup: settings.warmup if settings.warmup < 1 else int(settings.warmup),
        "seed": settings.seed,
        "bf16": "auto",
        "gradient_checkpointing": settings.checkpointing,
        "logging_steps": 1,
        "saves_per_epoch": 1,
        "dataset_prepared_path": "prepared",
        "output_dir": "checkpoints",
    }
    if settings.template in _ENDS:
        content["eot_tokens"] = [_ENDS[settings.template]]
    if named:
        content["chat_template_jinja"] = _BEGIN + NAMED[settings.template].text
    if settings.clip:
        content["max_grad_norm"] = settings.clip
    if settings.lora_rank:
        content |= _lora(settings)
    return content


def _schedule(settings: TrainSettings) -> str:
    return "constant_with_warmup" if settings.schedule == "constant" else settings.schedule


def _lora(settings: TrainSettings) -> dict[str, JSON]:
    targets: dict[str, JSON] = (
        {"lora_target_modules": list(settings.lora_targets)}
        if settings.lora_targets
        else {"lora_target_linear": True}
    )
    return {
        "adapter": "lora",
        "lora_r": settings.lora_rank,
        "lora_alpha": int(settings.lora_alpha),
        "lora_dropout": settings.lora_dropout,
        **targets,
    }
