"""Four rounds over the 175 seed tasks, offline: what is kept is true, and trouble is caught."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tests.recipes.evol_instruct.teachers import Grown, grown

from seedbed.datasets import read_dataset
from seedbed.export.lines import example_from_json, example_to_json
from seedbed.models.practice import PracticeTeacher, Trouble, verify
from seedbed.models.practice.compose import every_step_matters
from seedbed.models.practice.data_formats import plain
from seedbed.models.practice.wording import read_instruction
from seedbed.recipes.evol_instruct.params import OPERATIONS, Params
from seedbed.recipes.evol_instruct.presets import PRESETS
from seedbed.recipes.evol_instruct.rates import Rates
from seedbed.records import Drop, Dropped, Example

SEEDS = list(
    read_dataset(Path(__file__).parents[3] / "src/seedbed/recipes/self_instruct/seed_tasks.jsonl")
)


def rates_of(made: Grown) -> Rates:
    rates = Rates()
    for example in made[0]:
        rates.keep(example)
    for item, objection in made[1]:
        rates.drop(item, objection)
    return rates


def falsehoods(examples: Sequence[Example]) -> list[str]:
    return [
        example.instruction.text
        for example in examples
        if verify(plain(example.instruction.text), example.response) is not True
    ]


def test_four_rounds_over_175_seeds_keep_most_and_only_what_is_true() -> None:
    examples, drops = made = grown(PracticeTeacher(), Params(), given=SEEDS)
    assert len(examples) + len(drops) == 700
    assert len(examples) > 650
    assert falsehoods(examples) == []
    parts = [
        part
        for example in examples
        for part in read_instruction(plain(example.instruction.text)) or ()
    ]
    assert len(parts) > 900
    assert all(map(every_step_matters, parts))
    rows = rates_of(made).to_json()["operations"]
    assert set(rows) == set(OPERATIONS)
    assert all(row["tried"] > 80 and row["share"] > 0.9 for row in rows.values())


def test_the_teachers_trouble_is_caught_and_named() -> None:
    trouble = Trouble(duplicate=0.1, wrong=0.1, refused=0.05, truncated=0.05)
    examples, drops = grown(PracticeTeacher(trouble), Params(), given=SEEDS)
    reasons = {drop.reason for _, drop in drops}
    assert reasons >= {"unchanged", "answered", "leaked_prompt", "refused", "truncated"}
    assert not any("Prompt#" in example.instruction.text for example in examples)
    assert not any("Answer:" in example.instruction.text for example in examples)
    assert 400 < len(examples) < 600


def test_the_released_code_lets_pass_what_the_elimination_catches() -> None:
    trouble = PracticeTeacher(Trouble(wrong=0.3))
    code, _ = grown(trouble, PRESETS["wizardlm"], given=SEEDS)
    strict = replace(PRESETS["wizardlm"], elimination=Params().elimination)
    ours, drops = grown(trouble, strict, given=SEEDS)
    assert sum("Prompt#" in example.instruction.text for example in code) > 10
    assert sum("Prompt#" in example.instruction.text for example in ours) == 0
    assert len(ours) < len(code) == 175
    assert drops


def test_a_run_goes_on_from_another_runs_examples() -> None:
    first, _ = grown(PracticeTeacher(), replace(Params(), rounds=1), given=SEEDS[:20])
    read = [example_from_json(example_to_json(example)) for example in first]
    assert read == first
    second, drops = grown(PracticeTeacher(), replace(Params(), rounds=1, seed=1), given=read)
    assert len(second) + len(drops) == len(first)
    ids = {example.instruction.id for example in first}
    assert all(example.instruction.origin.parents[-1] in ids for example in second)
    assert falsehoods(second) == []


def test_what_is_dropped_says_where_it_would_have_come_from() -> None:
    trouble = PracticeTeacher(Trouble(wrong=0.5))
    _, drops = grown(trouble, Params(), given=SEEDS[:20])

    def origin_known(item: Dropped, drop: Drop) -> bool:
        origin = item.instruction.origin if isinstance(item, Example) else item.origin
        return bool(origin.step and origin.parents and origin.round) and bool(drop.evidence)

    assert drops
    assert all(origin_known(item, drop) for item, drop in drops)
