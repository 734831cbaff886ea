"""Section 5 of our notes on the method: numbers on the released data."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.recipes.self_instruct.made import grown

from seedbed.curate.filters import first_objection
from seedbed.datasets.seed_tasks import read_seed_tasks
from seedbed.models.model import FakeModel
from seedbed.recipes.self_instruct import PRESETS, Seed
from seedbed.recipes.self_instruct.bootstrap import instruction_rules
from seedbed.recipes.self_instruct.proposals import read_tasks
from seedbed.recipes.self_instruct.reading import read_input_first, read_output_first
from seedbed.recipes.self_instruct.seeds import seeds_of
from seedbed.records import Attempt, Completion, Request

DATA = Path(__file__).parents[3] / "../shared/data"

pytestmark = pytest.mark.skipif(not DATA.exists(), reason=f"{DATA} is absent: no released data")


def rows(name: str) -> list[dict[str, Any]]:
    text = (DATA / name).read_text("utf-8")
    if name.endswith(".json"):
        found: list[dict[str, Any]] = json.loads(text)
        return found
    return [json.loads(line) for line in text.splitlines()]


def seeds() -> tuple[Seed, ...]:
    found = read_seed_tasks(DATA / "self_instruct/seed_tasks.jsonl")
    return seeds_of(found.tasks, classification=found.classification)


@pytest.mark.parametrize(
    ("name", "rules", "reasons"),
    [
        ("alpaca/alpaca_random_9k.json", "alpaca", {}),
        (
            "self_instruct/user_oriented_instructions.jsonl",
            "self_instruct",
            {"keyword": 4, "too_short": 1},
        ),
        ("self_instruct/seed_tasks.jsonl", "self_instruct", {"too_short": 2, "banned_start": 1}),
    ],
)
def test_the_rules_reject_as_many_as_the_originals(
    name: str, rules: Any, reasons: dict[str, int]
) -> None:
    checks = instruction_rules(rules, asked_with="")
    texts = [" ".join(row["instruction"].split()) for row in rows(name)]
    found = Counter(drop.reason for text in texts if (drop := first_objection(text, checks)))
    assert found == reasons


def block(number: int, row: dict[str, Any]) -> str:
    return (
        f"{number}. Instruction: {row['instruction']}\n"
        f"{number}. Input:\n{row['input'] or '<noinput>'}\n{number}. Output:\n{row['output']}\n"
    )


def test_alpacas_rows_in_alpacas_form_are_accepted_again() -> None:
    """Through the whole recipe, 16 a time: nothing is too similar, and what is lost is known."""
    released = rows("alpaca/alpaca_random_9k.json")
    batches = [released[start : start + 16] for start in range(0, len(released), 16)]
    asked = iter(batches)

    async def answer(request: Request) -> Completion:
        blocks = [block(number, row) for number, row in enumerate(next(asked, []), 4)]
        return Completion(text="###\n".join(blocks).removeprefix("4. Instruction:"))

    params = replace(PRESETS["alpaca"], count=len(released), rounds=1, lag=1)
    made = grown(FakeModel(answer), params, seeds=seeds())
    assert Counter(made.reasons) == {"empty": 4, "unparsed": 1}
    assert (len(made.accepted), len(made.examples)) == (9228, 9224)
    (unparsed,) = (item for item, drop in made.drops if drop.reason == "unparsed")
    assert isinstance(unparsed, Attempt)
    assert "###" not in unparsed.text


def test_instances_of_the_public_seeds_are_read_back() -> None:
    """As the templates of step 3 show them: "Example 1", the input, "Output:"."""
    wrong = []
    for row in rows("self_instruct/seed_tasks.jsonl"):
        (one,) = row["instances"]
        given, output = one["input"].strip(), one["output"].strip()
        if row["is_classification"]:
            text, read = f"Class label: {output}\n{given}", read_output_first
        else:
            text, read = f"Example 1\n{given}\nOutput: {output}", read_input_first
        found = read(text)
        if not isinstance(found, list) or [(i.input, i.response) for i in found] != [
            (given, output)
        ]:
            wrong.append(row["id"])
    assert wrong == ["seed_task_7"]


def test_reading_alpacas_form_never_mixes_tasks() -> None:
    released = rows("alpaca/alpaca_random_9k.json")[:2000]
    for row in released:
        found = read_tasks(block(4, row) + "###\n" + block(5, released[0]), 3)
        tasks = [entry for entry in found if not isinstance(entry, tuple)]
        assert all(
            task.instruction in (row["instruction"].strip(), released[0]["instruction"].strip())
            for task in tasks
        )
