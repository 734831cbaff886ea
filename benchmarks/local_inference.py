"""Answers per second of a model in process, beside transformers' own `generate`, one thread.

    python -m benchmarks.local_inference [--prompts 500] [--new 60] [--rows 64]

A random Llama of 7 million parameters (as in the training benchmark) with a tokenizer trained on
the spot; prompts of 20 to 120 words, answers that all run to their limit.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import torch
from tests.training.students import WORDS, make_base
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

from seedbed.models.local import LocalModel, LocalSettings
from seedbed.records import Message, Request, Sampling

SIZES: dict[str, Any] = {
    "hidden_size": 256,
    "intermediate_size": 768,
    "num_hidden_layers": 4,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "max_position_embeddings": 2048,
    "vocab_size": 8192,
}


def prompts(count: int) -> list[str]:
    rng = Random(0)
    return [" ".join(rng.choice(WORDS) for _ in range(rng.randint(20, 120))) for _ in range(count)]


async def ours(base: Path, texts: list[str], new: int, rows: int) -> tuple[int, float, float]:
    """Tokens written, and the seconds and CPU seconds that they took."""
    settings = LocalSettings(device="cpu", dtype="float32", rows=rows)
    sampling = Sampling(temperature=1.0, max_tokens=new)
    async with LocalModel(base, settings=settings) as model:
        began, cpu = time.perf_counter(), time.process_time()
        requests = [Request(messages=(Message("user", text),), sampling=sampling) for text in texts]
        answers = await asyncio.gather(*(model.complete(request) for request in requests))
        written = sum(answer.usage.completion_tokens for answer in answers)
        return written, time.perf_counter() - began, time.process_time() - cpu


def theirs(base: Path, texts: list[str], new: int, rows: int) -> tuple[int, float, float]:
    """The same with `generate`: left-padded batches of prompts sorted by length."""
    load: Any = AutoModelForCausalLM.from_pretrained
    model = load(base, dtype=torch.float32)
    tokenizer: Any = AutoTokenizer.from_pretrained(base, padding_side="left")
    config = GenerationConfig(
        do_sample=True, temperature=1.0, top_k=0, max_new_tokens=new,
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.eos_token_id,
    )  # fmt: skip
    began, cpu, written = time.perf_counter(), time.process_time(), 0
    chats = [[{"role": "user", "content": text}] for text in sorted(texts, key=len)]
    for start in range(0, len(chats), rows):
        batch = tokenizer.apply_chat_template(
            chats[start : start + rows],
            add_generation_prompt=True,
            padding=True,
            return_tensors="pt",
            return_dict=True,
        )
        whole = model.generate(**batch, generation_config=config)
        new_ids = whole[:, batch["input_ids"].shape[1] :]
        for row in new_ids.tolist():
            end = tokenizer.eos_token_id
            written += row.index(end) + 1 if end in row else len(row)
            tokenizer.decode(row, skip_special_tokens=True)
    return written, time.perf_counter() - began, time.process_time() - cpu


def main() -> None:
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--prompts", type=int, default=500)
    reader.add_argument("--new", type=int, default=60)
    reader.add_argument("--rows", type=int, default=64)
    options = reader.parse_args()
    torch.set_num_threads(1)
    with TemporaryDirectory() as folder:
        base = make_base(Path(folder) / "base", initializer_range=0.1, **SIZES)
        texts = prompts(options.prompts)
        print("engine          tokens  seconds  CPU-s  tokens/CPU-s")
        for name, made in (
            ("seedbed hf/", asyncio.run(ours(base, texts, options.new, options.rows))),
            ("generate", theirs(base, texts, options.new, options.rows)),
        ):
            tokens, seconds, cpu = made
            print(f"{name:14} {tokens:7}  {seconds:7.1f}  {cpu:5.1f}  {tokens / cpu:12.0f}")


if __name__ == "__main__":
    main()
