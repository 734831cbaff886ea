"""What the filters say about real data: python benchmarks/filters.py DATA_FOLDER

The folder holds `alpaca/`, `alpaca_libre/`, `self_instruct/`, `alpaca_eval/`, … as described in its
own README; the data is not part of this repository. Prints three tables: the papers' rules on
released instructions, the defect detectors against tagged rows, and duplicates and contamination.

The tags were made by rules too, so recall against them says that two rules agree; what is flagged
without a tag among the 9,229 says more. The notes tell what reading those showed.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from seedbed.curate.contamination import LOADERS, contaminated
from seedbed.curate.duplicates import near_duplicates
from seedbed.curate.filters import (
    ALPACA_TERMS,
    Check,
    alpaca,
    empty,
    ends_with_colon,
    first_objection,
    input_equals_response,
    keyword,
    merged_tasks,
    on_input,
    on_response,
    placeholder_input,
    placeholder_response,
    refusal,
    repetition,
    self_instruct,
    sound,
    truncated,
    url_only_input,
)
from seedbed.records import JSON, Example, Filter, Instruction

DETECTORS: Mapping[str, tuple[Filter, str]] = {
    "noinput_variant": (
        on_input(placeholder_input()),
        'the 16 say "No input required." and the like: right',
    ),
    "url_input": (url_only_input(), "missed: 3 with more words around the address"),
    "merged_tasks": (merged_tasks(), ""),
    "input_equals_output": (
        input_equals_response(),
        "missed: two N/A = N/A, found below; the 2 differ in spaces: right",
    ),
    "nooutput": (
        on_response(placeholder_response()),
        'the 2 with other tags say "No Output", "<noinput>": right',
    ),
    "empty_output": (on_response(empty()), ""),
    "output_ends_colon": (on_response(ends_with_colon()), "code and forms end so rightly"),
    "maybe_stop20_truncation": (
        on_response(truncated()),
        'missed: 4 whole ones (a sum, …) and "as of April 20"',
    ),
}
UNTAGGED: Mapping[str, Filter] = {
    "refusal": on_response(refusal()),
    "repetition": on_response(repetition()),
}
BENCHMARKS = {
    "alpaca_eval": "alpaca_eval/alpaca_eval_gpt4_baseline.json",
    "mt_bench": "mt_bench/question.jsonl",
    "ifeval": "ifeval/input_data.jsonl",
}


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else "")
    parser.add_argument("data", type=Path, help="the folder with the real data")
    data: Path = parser.parse_args(arguments).data
    console = Console(width=120)
    for table in (papers_rules(data), detectors(data), whole_preset(data), whole_sets(data)):
        console.print(table)


def papers_rules(data: Path) -> Table:
    table = Table(
        "instructions", "rules", "n", "first objection", "each rule alone", title="Papers"
    )
    user_tasks = "self_instruct/user_oriented_instructions.jsonl"
    for name, path, rules, checks in (
        ("Alpaca, random", "alpaca/alpaca_random_9k.json", "Alpaca", alpaca()),
        ("Dolly", "alpaca/dolly_3k.json", "Alpaca", alpaca()),
        ("user-oriented", user_tasks, "Self-Instruct", self_instruct()),
        ("public seeds", "self_instruct/seed_tasks.jsonl", "Self-Instruct", self_instruct()),
    ):
        texts = [row["instruction"] for row in rows(data / path)]
        table.add_row(name, rules, str(len(texts)), *objections(texts, checks))
    recorded = rows(data / "alpaca_libre/alpaca_libre_tasks_v1.jsonl")
    check = keyword(ALPACA_TERMS)
    agree = sum(bool(check(r["instruction"])) == (r["status"] == "blacklist") for r in recorded)
    table.add_row("Alpaca Libre v1", "keyword", str(len(recorded)), f"{agree} agree", "")
    return table


def objections(texts: Sequence[str], checks: Sequence[Check]) -> tuple[str, str]:
    first = Counter(found.reason for text in texts if (found := first_objection(text, checks)))
    alone = Counter(found.reason for text in texts for check in checks if (found := check(text)))
    return counts(first), counts(alone)


def detectors(data: Path) -> Table:
    columns = ("tag", "tagged", "recall", "precision", "on 9,229", "untagged there", "note")
    table = Table(*columns, title="Defect detectors against alpaca_defects_tagged.json")
    tagged = [
        (example(row), set(row["tags"])) for row in rows(data / "alpaca/alpaca_defects_tagged.json")
    ]
    random = [example(row) for row in rows(data / "alpaca/alpaca_random_9k.json")]
    tags_of = {item.id: tags for item, tags in tagged}
    for tag, (check, note) in DETECTORS.items():
        flagged = [tags for item, tags in tagged if check(item)]
        right, having = sum(tag in tags for tags in flagged), sum(tag in t for _, t in tagged)
        alarms = [item for item in random if check(item)]
        untagged = sum(tag not in tags_of.get(item.id, ()) for item in alarms)
        recall, precision = f"{right}/{having}", f"{right}/{len(flagged)}"
        table.add_row(tag, str(having), recall, precision, str(len(alarms)), str(untagged), note)
    for name, check in UNTAGGED.items():
        alarms = [item for item in random if check(item)]
        table.add_row(f"({name})", "no tag", "", "", str(len(alarms)), str(len(alarms)), "")
    return table


def whole_preset(data: Path) -> Table:
    table = Table("examples", "n", "objections of sound()", "µs each", title="Finished examples")
    for name, examples in finished(data):
        began = time.process_time()
        found = Counter(
            drop.reason for item in examples if (drop := first_objection(item, sound()))
        )
        cost = (time.process_time() - began) / len(examples) * 1e6
        table.add_row(name, str(len(examples)), counts(found), f"{cost:.0f}")
    return table


def finished(data: Path) -> Iterator[tuple[str, list[Example]]]:
    for name, path in (
        ("Alpaca, random", "alpaca/alpaca_random_9k.json"),
        ("Dolly", "alpaca/dolly_3k.json"),
        ("GPT-4 on AlpacaEval", "alpaca_eval/alpaca_eval_gpt4_baseline.json"),
        ("Instruct-SkillMix", "skillmix/ism_sda_k2_1000.json"),
        ("public seeds", "self_instruct/seed_tasks.jsonl"),
    ):
        yield name, [example(row) for row in rows(data / path)]


def whole_sets(data: Path) -> Table:
    table = Table("set", "n", "near-duplicates 0.8", "0.5", "contaminated", "s", title="Whole sets")
    prompts = [prompt for name, path in BENCHMARKS.items() for prompt in LOADERS[name](data / path)]
    check = contaminated(prompts)
    for name, path in (
        ("Alpaca", "alpaca/alpaca_data.json"),
        ("Dolly", "alpaca/dolly_3k.json"),
        ("Instruct-SkillMix", "skillmix/ism_sda_k2_1000.json"),
        ("user-oriented", "self_instruct/user_oriented_instructions.jsonl"),
    ):
        began = time.process_time()
        examples = [example(row) for row in rows(data / path)]
        texts = [f"{item.instruction.text}\n{item.input}" for item in examples]
        near = [len(near_duplicates(texts, threshold=threshold)) for threshold in (0.8, 0.5)]
        tests = Counter(
            f"{drop.evidence['benchmark']} {drop.evidence['test']}"
            for item in examples
            if (drop := check(item))
        )
        spent = time.process_time() - began
        table.add_row(
            name, str(len(examples)), str(near[0]), str(near[1]), counts(tests), f"{spent:.1f}"
        )
    return table


def counts(found: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in found.most_common()) or "none"


def example(row: dict[str, JSON]) -> Example:
    """From Alpaca's fields, or Self-Instruct's with their one instance."""
    instance = row["instances"][0] if "instances" in row else row
    return Example(
        instruction=Instruction(text=row["instruction"]),
        input=instance.get("input", ""),
        response=instance["output"],
    )


def rows(path: Path) -> list[dict[str, JSON]]:
    text = path.read_text("utf-8")
    parse: Callable[[str], list[dict[str, JSON]]] = (
        json.loads if path.suffix == ".json" else lambda t: list(map(json.loads, t.splitlines()))
    )
    return parse(text)


if __name__ == "__main__":
    main(sys.argv[1:])
