"""The seed tasks that ship: complete, well formed, ours, and acceptable to the papers' filters."""

from __future__ import annotations

import json
import re
from collections import Counter
from importlib.resources import files
from itertools import combinations, product
from pathlib import Path
from typing import Any, TypedDict

import pytest

from seedbed.curate.filters import alpaca, first_objection, self_instruct, sound
from seedbed.curate.rouge import rouge_l, unicode_words
from seedbed.records import Example, Instruction

DATA = Path(__file__).parents[2] / "../shared/data"


class SeedTask(TypedDict):
    id: str
    name: str
    instruction: str
    input: str
    response: str
    is_classification: bool


def tasks() -> list[SeedTask]:
    text = (files("seedbed") / "recipes/self_instruct/seed_tasks.jsonl").read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()]


TASKS = tasks()


def most_alike(first: list[str], second: list[str]) -> tuple[float, str, str]:
    left = [(unicode_words(text), text) for text in first]
    right = [(unicode_words(text), text) for text in second]
    return max((rouge_l(a, b), one, other) for (a, one), (b, other) in product(left, right))


def lines(path: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DATA / path).read_text("utf-8").splitlines()]


def test_there_are_175_of_which_25_are_classification() -> None:
    assert len(TASKS) == 175
    assert sum(task["is_classification"] for task in TASKS) == 25
    assert 0.5 <= sum(bool(task["input"]) for task in TASKS) / 175 <= 0.7


def test_every_task_has_exactly_the_documented_fields() -> None:
    assert all(set(task) == set(SeedTask.__annotations__) for task in TASKS)
    assert [task["id"] for task in TASKS] == [f"seed_{n:03d}" for n in range(1, 176)]
    assert len({task["name"] for task in TASKS}) == 175
    assert all(re.fullmatch(r"[a-z0-9_]+", task["name"]) for task in TASKS)
    for task in TASKS:
        assert task["instruction"]
        assert task["response"]
        assert all(
            task[key] == task[key].strip() for key in ("instruction", "input", "response")
        ), task["id"]


def test_no_two_instructions_are_alike() -> None:
    pairs = combinations([unicode_words(task["instruction"]) for task in TASKS], 2)
    assert max(rouge_l(first, second) for first, second in pairs) <= 0.6


def test_no_opening_word_dominates() -> None:
    firsts = Counter(task["instruction"].split()[0].lower() for task in TASKS)
    assert firsts.most_common(1)[0][1] <= 8
    assert len(firsts) >= 100


def test_lengths_vary_from_short_to_long() -> None:
    words = sorted(len(task["instruction"].split()) for task in TASKS)
    assert 5 <= words[0] <= 10
    assert 60 <= words[-1] <= 80


def test_every_classification_task_answers_with_one_of_its_labels() -> None:
    for task in TASKS:
        if task["is_classification"]:
            asked = task["instruction"].lower()
            assert task["response"].lower() in asked, task["id"]


def test_the_filters_of_both_papers_accept_every_instruction() -> None:
    checks = (*self_instruct(), *alpaca())
    assert not [task["id"] for task in TASKS if first_objection(task["instruction"], checks)]


def test_no_general_filter_objects_to_a_finished_seed_task() -> None:
    found = {}
    for task in TASKS:
        example = Example(
            instruction=Instruction(text=task["instruction"]),
            input=task["input"],
            response=task["response"],
        )
        if drop := first_objection(example, sound()):
            found[task["id"]] = drop
    assert found == {}


def test_none_is_taken_from_the_public_seeds_or_from_a_benchmark() -> None:
    if not DATA.exists():
        pytest.skip(f"{DATA} is absent: no public tasks to compare with")
    ours = [task["instruction"] for task in TASKS]
    seeds = [row["instruction"] for row in lines("self_instruct/seed_tasks.jsonl")]
    similarity, *pair = most_alike(ours, seeds)
    assert similarity < 0.5, pair

    alpaca_eval = (DATA / "alpaca_eval/alpaca_eval_gpt4_baseline.json").read_text("utf-8")
    others = [
        *(row["instruction"] for row in lines("self_instruct/user_oriented_instructions.jsonl")),
        *(turn for row in lines("mt_bench/question.jsonl") for turn in row["turns"]),
        *(row["instruction"] for row in json.loads(alpaca_eval)),
    ]
    assert len(others) == 252 + 2 * 80 + 805
    similarity, *pair = most_alike(ours, others)
    assert similarity <= 0.6, pair
