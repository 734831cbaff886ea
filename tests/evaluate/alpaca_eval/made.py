"""A small benchmark in the form of AlpacaEval's files, made up: no published text, no number."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np

from seedbed.evaluate.alpaca_eval.data import AlpacaEvalData, load_data

COUNT = 40

TEMPLATE = """<|im_start|>system
You judge.
<|im_end|>
<|im_start|>user
Task: {instruction}

m: {output_1}

M: {output_2}

m or M?
<|im_end|>
"""


def instruction(place: int) -> str:
    return f"Explain thing number {place}."


def write_data(folder: Path, *, count: int = COUNT) -> Path:
    """Reference, difficulties and gamed rows."""
    rng = np.random.default_rng(7)
    folder.mkdir(parents=True, exist_ok=True)
    reference = [
        {
            "dataset": "made_up",
            "instruction": instruction(place),
            "output": f"Thing {place} is " + "well known. " * int(rng.integers(3, 30)),
            "generator": "baseline-1",
        }
        for place in range(count)
    ]
    (folder / "alpaca_eval_gpt4_baseline.json").write_text(json.dumps(reference))
    with (folder / "instruction_difficulty.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["index", "instruction_difficulty"])
        writer.writerows([place, round(float(rng.normal()), 6)] for place in range(count))
    with (folder / "df_gamed.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["preference", "index", "std_delta_len", "instruction_difficulty"])
        for place in range(2 * count):
            delta, difficulty = rng.normal(size=2)
            chance = 1 / (1 + np.exp(np.tanh(delta) - 0.5 * difficulty))
            writer.writerow([chance, place % count, delta, difficulty])
    return folder


def data(folder: Path, *, count: int = COUNT) -> AlpacaEvalData:
    return load_data(write_data(folder, count=count))


def annotation_rows(benchmark: AlpacaEvalData, *, student: str = "tiny") -> list[dict[str, Any]]:
    """Annotations in the official form, with preferences of all kinds."""
    rng = np.random.default_rng(11)
    return [
        {
            "instruction": text,
            "output_1": output,
            "generator_1": benchmark.baseline,
            "dataset": "made_up",
            "output_2": f"About {place}: " + "words " * int(rng.integers(1, 40)),
            "generator_2": student,
            "annotator": "judge-1",
            "preference": float(1 + rng.random()),
        }
        for place, (text, output) in enumerate(
            zip(benchmark.instructions, benchmark.outputs, strict=True)
        )
    ]
