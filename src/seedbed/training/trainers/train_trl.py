"""Tune the base model of settings.json on train.jsonl with TRL. Made by `seedbed export`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from datasets import load_dataset
from peft import LoraConfig
from transformers import AutoTokenizer
from trl.trainer.sft_config import SFTConfig
from trl.trainer.sft_trainer import SFTTrainer

HERE = Path(__file__).parent


def tokenizer_of(base: str) -> Any:
    """The base model's tokenizer, with chat_template.jinja in the place of its own if there is one.

    Where the tokenizer begins every text with a token, the template does too.
    """
    tokenizer: Any = AutoTokenizer.from_pretrained(base)
    template = HERE / "chat_template.jinja"
    if template.exists():
        begins = tokenizer("a")["input_ids"][:1] == [tokenizer.bos_token_id]
        begin = "{{- bos_token -}}\n" if begins else ""
        tokenizer.chat_template = begin + template.read_text(encoding="utf-8")
    return tokenizer


def trainer(**changes: Any) -> SFTTrainer:
    """The trainer of settings.json; `changes` are of `SFTConfig`."""
    settings = json.loads((HERE / "settings.json").read_text(encoding="utf-8"))
    half = torch.cuda.is_available() and torch.cuda.is_bf16_supported()
    known = SFTConfig.__dataclass_fields__
    recompute = "activation_checkpointing"  # its name in transformers 5.2x
    if recompute not in known:
        recompute = "gradient_checkpointing"
    options = {"bf16": half, recompute: settings["checkpointing"], **settings["sft"], **changes}
    data = load_dataset("json", data_files=str(HERE / "train.jsonl"), split="train")
    return SFTTrainer(
        model=settings["base"],
        args=SFTConfig(**options),
        train_dataset=data,
        processing_class=tokenizer_of(settings["base"]),
        peft_config=LoraConfig(**settings["lora"]) if settings["lora"] else None,
    )


if __name__ == "__main__":
    trainer().train()
