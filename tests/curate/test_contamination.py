"""Benchmarks' prompts in training data: word for word, nearly, and not at all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from seedbed.curate.contamination import (
    LOADERS,
    BenchmarkPrompt,
    contaminated,
    load_alpaca_eval,
    load_ifeval,
    load_mt_bench,
)
from seedbed.curate.rouge import rouge_l, unicode_words
from seedbed.errors import ConfigError, DatasetError
from seedbed.records import Drop, Example, Instruction

DATA = Path(__file__).parents[2] / "../shared/data"

LONG = (
    "Describe how the old harbour master keeps his logbook during a storm and which three "
    "entries he would never leave out."
)
PROMPTS = (
    BenchmarkPrompt(benchmark="bench", id="7", text=LONG),
    BenchmarkPrompt(benchmark="bench", id="8", text="Why does bread rise in a warm oven?"),
    BenchmarkPrompt(benchmark="bench", id="9", text="What is glue?"),
    BenchmarkPrompt(benchmark="bench", id="10", text="为什么面包在烤箱里会变大"),
)


def example(instruction: str, given: str = "", response: str = "r") -> Example:
    return Example(instruction=Instruction(text=instruction), input=given, response=response)


def shared_data() -> Path:
    if not DATA.exists():
        pytest.skip(f"{DATA} is absent: real data is not part of the repository")
    return DATA


def test_thirteen_words_of_a_prompt_in_any_field_are_contamination() -> None:
    check = contaminated(PROMPTS)
    thirteen = "HOW the old harbour-master keeps his logbook, during a storm, and which"
    assert len(unicode_words(thirteen)) == 13
    for item in (
        example(f"Tell me {thirteen} entries matter"),
        example("Improve the wording of this text", thirteen),
        example("Name a good question", response=f"Here is one: {thirteen} ..."),
    ):
        drop = check(item)
        assert drop is not None
        assert (drop.reason, drop.evidence["item"], drop.evidence["test"]) == (
            "contaminated",
            "7",
            "run",
        )


def test_twelve_words_of_a_prompt_are_not() -> None:
    twelve = "how the old harbour master keeps his logbook during a storm and"
    assert contaminated(PROMPTS)(example("Improve it", f"{twelve} what he eats")) is None


def test_a_light_rewording_is_near() -> None:
    assert contaminated(PROMPTS)(example("Why does bread rise inside a warm oven?")) == Drop(
        reason="contaminated",
        evidence={
            "benchmark": "bench",
            "item": "8",
            "test": "near",
            "rouge_l": 0.875,
            "threshold": 0.8,
            "prompt": "Why does bread rise in a warm oven?",
        },
    )


def test_a_short_prompt_must_be_equal() -> None:
    check = contaminated(PROMPTS, near=0.6)
    assert check(example("what is glue")) is not None
    assert check(example("What is blue?")) is None


def test_an_instruction_is_also_compared_with_its_input() -> None:
    assert contaminated(PROMPTS)(example("Why does bread rise", "in a warm oven?")) is not None


def test_scripts_without_spaces_are_compared_too() -> None:
    check = contaminated(PROMPTS)
    assert check(example("为什么面包在烤箱里会变大？")) is not None
    assert check(example("请把这句话翻译成英文")) is None


def test_nothing_contaminates_without_benchmarks() -> None:
    assert contaminated([])(example("Why does bread rise in a warm oven?")) is None
    assert contaminated(PROMPTS)(example("", "", "")) is None


@pytest.mark.parametrize(("run", "near"), [(0, 0.8), (13, 0.0), (13, 1.2)])
def test_senseless_bounds_are_refused(run: int, near: float) -> None:
    with pytest.raises(ConfigError, match="contamination"):
        contaminated(PROMPTS, run=run, near=near)


def test_the_index_finds_what_comparing_with_every_prompt_finds() -> None:
    data = shared_data()
    prompts = load_alpaca_eval(data / "alpaca_eval/alpaca_eval_gpt4_baseline.json")
    words_of = [unicode_words(prompt.text) for prompt in prompts]
    rows = json.loads((data / "alpaca/dolly_3k.json").read_text("utf-8"))[:400]
    near = 0.6
    check = contaminated(prompts, run=10**6, near=near, shortest=0)
    found = 0
    for row in rows:
        words = unicode_words(row["instruction"])
        best = max(rouge_l(words, other) for other in words_of)
        drop = check(example(row["instruction"]))
        assert (drop is not None) == (best >= near), row["instruction"]
        if drop is not None:
            found += 1
            assert drop.evidence["rouge_l"] == best
    assert found > 10


def test_alpaca_eval_contains_all_252_user_oriented_tasks() -> None:
    data = shared_data()
    check = contaminated(load_alpaca_eval(data / "alpaca_eval/alpaca_eval_gpt4_baseline.json"))
    tasks = (data / "self_instruct/user_oriented_instructions.jsonl").read_text("utf-8")
    drops = [
        check(example(task["instruction"], task["instances"][0]["input"]))
        for task in map(json.loads, tasks.splitlines())
    ]
    assert len(drops) == 252
    assert all(drops)


def test_every_benchmark_of_the_papers_loads() -> None:
    data = shared_data()
    assert len(load_alpaca_eval(data / "alpaca_eval/alpaca_eval_gpt4_baseline.json")) == 805
    turns = load_mt_bench(data / "mt_bench/question.jsonl")
    assert (len(turns), turns[0].id, turns[1].id) == (160, "81.1", "81.2")
    prompts = load_ifeval(data / "ifeval/input_data.jsonl")
    assert (len(prompts), prompts[0].id) == (541, "1000")
    assert sorted(LOADERS) == ["alpaca_eval", "ifeval", "mt_bench"]


def test_a_broken_file_is_named_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "questions.jsonl"
    file.write_text('{"question_id": 1, "turns": ["Hi"]}\n{"question_id": 2}\n', "utf-8")
    with pytest.raises(DatasetError, match=r"questions\.jsonl:2: .*question_id and turns"):
        load_mt_bench(file)
    file.write_text('{"question_id": 1, "turns": "Hi"}\n', "utf-8")
    with pytest.raises(DatasetError, match="not a list of texts"):
        load_mt_bench(file)
    file.write_text("{broken", "utf-8")
    with pytest.raises(DatasetError, match="not JSON"):
        load_ifeval(file)
    with pytest.raises(DatasetError, match="not JSON"):
        load_alpaca_eval(file)
    file.write_text('[{"output": "x"}]', "utf-8")
    with pytest.raises(DatasetError, match=r"item 0: .*'instruction'"):
        load_alpaca_eval(file)
    file.write_text('{"a": 1}', "utf-8")
    with pytest.raises(DatasetError, match="expected a list"):
        load_alpaca_eval(file)
    with pytest.raises(DatasetError, match="cannot be read"):
        load_ifeval(tmp_path / "absent.jsonl")
