"""The forecast holds what a run really takes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.recipes.evol_instruct.teachers import PROMPTS, Teacher, grown, seeds

from seedbed.datasets import read_dataset
from seedbed.forecast import total
from seedbed.models.practice import PracticeTeacher
from seedbed.recipes.evol_instruct.forecast import (
    JUDGE,
    PRACTICE,
    TEACHER,
    SeedSizes,
    expected_examples,
    forecast_evolution,
    seed_sizes,
)
from seedbed.recipes.evol_instruct.params import Originals, Params
from seedbed.recipes.evol_instruct.presets import PRESETS, Preset
from seedbed.records import Completion, Request

SEEDS = Path(__file__).parents[3] / "src/seedbed/recipes/self_instruct/seed_tasks.jsonl"


class Counting:
    """The practice teacher, counting what it reads and writes."""

    def __init__(self) -> None:
        self._teacher = PracticeTeacher()
        self.name = self._teacher.name
        self.calls = self.read = self.written = 0

    async def complete(self, request: Request, /) -> Completion:
        completion = await self._teacher.complete(request)
        self.calls += 1
        self.read += completion.usage.prompt_tokens
        self.written += completion.usage.completion_tokens
        return completion


@pytest.mark.parametrize("preset", ["chat", "paper", "wizardlm"])
def test_a_practice_run_is_inside_its_forecast(preset: Preset) -> None:
    start, params = list(read_dataset(SEEDS)), PRESETS[preset]
    sizes = seed_sizes(start, params)
    assert (sizes.count, sizes.answered) == (175, 175)
    teacher, judge = Counting(), Counting()
    examples, _ = grown(teacher, params, given=start, judge=judge)
    stages = forecast_evolution(PROMPTS, params, PRACTICE, seeds=sizes)
    expected = total([*stages["rewrite"], *stages["answer"]])
    for actual, range_ in (
        (teacher.calls, expected.calls),
        (teacher.read, expected.prompt_tokens),
        (teacher.written, expected.completion_tokens),
    ):
        assert range_.low * 0.8 <= actual <= range_.high * 1.25, (preset, actual, range_)
    assert (JUDGE in stages) == (judge.calls > 0)
    if judge.calls:
        assert stages[JUDGE][0].calls.low <= judge.calls <= stages[JUDGE][0].calls.high
    hoped = expected_examples(params, sizes)
    assert hoped.low <= len(examples) <= hoped.high


def test_nothing_is_forecast_for_rules_that_are_off_and_a_count_needs_fewer_seeds() -> None:
    sizes = seed_sizes(seeds(100), Params())
    assert (sizes.count, sizes.answered) == (100, 0)
    loose = PRESETS["wizardlm"]
    stages = forecast_evolution(PROMPTS, loose, TEACHER, seeds=sizes)
    assert (stages["rewrite"][0].calls.low, stages["answer"][0].calls.high) == (100, 100)
    few = forecast_evolution(PROMPTS, replace(Params(), count=13), TEACHER, seeds=sizes)
    assert few["rewrite"][0].calls.low == 16
    assert few["rewrite"][0].calls.high < 60
    teacher = Teacher()
    grown(teacher, replace(Params(), count=13), given=seeds(100))
    assert few["rewrite"][0].calls.low <= teacher.count("rewrite") <= few["rewrite"][0].calls.high


@pytest.mark.parametrize(("originals", "more"), [("leave_out", 0), ("keep", 0), ("answer", 100)])
def test_originals_cost_a_call_each_only_where_they_are_answered(
    originals: Originals, more: int
) -> None:
    sizes = seed_sizes(seeds(100), Params())
    plain = forecast_evolution(PROMPTS, Params(), TEACHER, seeds=sizes)
    with_them = forecast_evolution(
        PROMPTS, replace(Params(), originals=originals), TEACHER, seeds=sizes
    )
    assert with_them["answer"][0].calls.high == plain["answer"][0].calls.high + more


def test_no_seeds_cost_nothing() -> None:
    sizes = seed_sizes([], Params())
    assert isinstance(sizes, SeedSizes)
    stages = forecast_evolution(PROMPTS, Params(), TEACHER, seeds=sizes)
    assert total([stage for group in stages.values() for stage in group]).calls.high == 0
