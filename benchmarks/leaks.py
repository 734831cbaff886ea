"""What the leak guard does to real data, and how fast: one table.

Run from the repository root: `python benchmarks/leaks.py [DATA]`, where DATA is the folder with the
public data sets (default `../shared/data`). Sets that are not there are left out. Recall and
precision are over the rows labelled by hand in `tests/curate/leak_labels.json`, where
"flagged" means that any leak but a stray marker was found in the response.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seedbed.curate.leaks import find_leaks, guard
from seedbed.records import Drop, Example, Instruction

LABELS = Path(__file__).parents[1] / "tests/curate/leak_labels.json"
MARKERS = {"stray_bold", "stray_tag", "leading_label", "trailing_hashes"}
RELEASED = "skillmix/ism_sda_k2_1000.json"
OUTPUTS = "alpaca_eval/outputs_Llama-3-8B-Instruct-SkillMix.json"
SETS = (
    RELEASED,
    OUTPUTS,
    "alpaca/alpaca_random_9k.json",
    "alpaca/alpaca_data.json",
    "alpaca/dolly_3k.json",
    "alpaca_eval/outputs_alpaca-7b.json",
    "alpaca_eval/alpaca_eval_gpt4_baseline.json",
    "ifeval/input_response_data_gpt4_20231107_145030.jsonl",
)
HEADER = (
    f"{'data set':<34}{'rows':>7}{'flagged':>9}{'flagged':>9}{'re-':>9}{'dropped':>9}"
    f"{'recall':>12}{'precision':>12}{'rows/s':>9}\n"
    f"{'':<34}{'':>7}{'response':>9}{'instr.':>9}{'paired':>9}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    responses: set[int]
    commentary: set[int]
    instructions: set[int]
    repaired: int
    dropped: int
    seconds: float


def read(path: Path) -> list[Example]:
    text = path.read_text(encoding="utf-8")
    rows = json.loads(text) if path.suffix == ".json" else map(json.loads, text.splitlines())
    return [
        Example(
            instruction=Instruction(text=row.get("instruction", row.get("prompt"))),
            input=row.get("input") or "",
            response=row.get("output", row.get("response")),
        )
        for row in rows
    ]


def measure(examples: list[Example]) -> Counts:
    started = time.perf_counter()
    verdicts = [guard(example) for example in examples]
    seconds = time.perf_counter() - started
    responses, commentary, instructions = set(), set(), set()
    for number, example in enumerate(examples):
        asked = f"{example.instruction.text}\n{example.input}"
        kinds = {leak.kind for leak in find_leaks(example.response, field="response", asked=asked)}
        if kinds:
            responses.add(number)
        if kinds - MARKERS:
            commentary.add(number)
        if find_leaks(example.instruction.text, field="instruction"):
            instructions.add(number)
    dropped = sum(isinstance(verdict, Drop) for verdict in verdicts)
    changed = sum(new is not old for new, old in zip(verdicts, examples, strict=True))
    return Counts(
        responses=responses,
        commentary=commentary,
        instructions=instructions,
        repaired=changed - dropped,
        dropped=dropped,
        seconds=seconds,
    )


def scores(name: str, flagged: set[int]) -> tuple[str, str]:
    labels: dict[str, Any] = json.loads(LABELS.read_text(encoding="utf-8"))
    rows: set[int] = set()
    leaks: set[int] = set()
    if name == RELEASED:
        first, second = labels["skillmix"], labels["second"]
        rows = {*first["rows"], *second["rows"]}
        leaks = {*first["leaks_explicit"], *first["leaks_claim"], *second["leaks"]}
    elif name == OUTPUTS:
        rows, leaks = set(labels["outputs"]["rows"]), set(labels["outputs"]["leaks"])
    if not rows:
        return "", ""
    found = flagged & rows
    return f"{len(found & leaks)}/{len(leaks)}", f"{len(found & leaks)}/{len(found)}"


def main() -> None:
    data = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("../shared/data")
    print(HEADER)
    for name in SETS:
        if not (data / name).exists():
            continue
        examples = read(data / name)
        counts = measure(examples)
        recall, precision = scores(name, counts.commentary)
        print(
            f"{Path(name).stem[:33]:<34}{len(examples):>7}{len(counts.responses):>9}"
            f"{len(counts.instructions):>9}{counts.repaired:>9}{counts.dropped:>9}"
            f"{recall:>12}{precision:>12}{len(examples) / counts.seconds:>9.0f}"
        )


if __name__ == "__main__":
    main()
