"""The forecast brackets what runs really take."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.recipes.self_instruct.made import PROMPTS, grown

from seedbed.forecast import total
from seedbed.models.metered import Metered, Tally
from seedbed.models.practice import PracticeTeacher
from seedbed.recipes.self_instruct import PRESETS, Preset, shipped_seeds
from seedbed.recipes.self_instruct.forecast import PRACTICE, TEACHER, forecast
from seedbed.recipes.self_instruct.presets import configured


@pytest.mark.parametrize("preset", ["chat", "paper", "repo", "alpaca"])
def test_a_run_stays_within_its_forecast(preset: Preset) -> None:
    params = replace(PRESETS[preset], count=200)
    tally = Tally()
    grown(Metered(PracticeTeacher(), tally), params)
    whole = total(forecast(PROMPTS, params, PRACTICE, seeds=shipped_seeds()))
    assert whole.calls.low <= tally.calls <= whole.calls.high
    assert whole.prompt_tokens.low <= tally.prompt_tokens <= whole.prompt_tokens.high
    assert whole.completion_tokens.low <= tally.completion_tokens <= whole.completion_tokens.high


def test_steps_that_are_not_made_are_not_forecast() -> None:
    names = {
        preset: [stage.name for stage in forecast(PROMPTS, params, TEACHER, seeds=shipped_seeds())]
        for preset, params in PRESETS.items()
    }
    assert names["chat"] == ["new tasks", "classification?", "instances"]
    assert names["alpaca"] == ["new tasks"]


def test_a_preset_changes_only_where_it_is_told_to() -> None:
    for preset, params in PRESETS.items():
        assert configured(preset, count=params.count) == params
    changed = configured(
        "repo", count=9, seed=3, lag=2, window=5, rounds=7, threshold=0.85, tokenizer="unicode",
        temperature=1.2, most_instances=2, conflict="keep", capitalize=False,
        truncated="drop_last", rules="open", classification_only=True, scores=True,
    )  # fmt: skip
    step, follow = changed.bootstrap, changed.instances
    assert follow is not None
    assert (changed.count, changed.seed, changed.lag, changed.window, changed.rounds) == (
        9,
        3,
        2,
        5,
        7,
    )
    assert (step.threshold, step.tokenizer, step.sampling.temperature) == (0.85, "unicode", 1.2)
    assert (step.capitalize, step.truncated, step.rules) == (False, "drop_last", "open")
    assert (follow.most, follow.conflict, follow.form) == (2, "keep", "plain")
    assert step.sampling.stop == PRESETS["repo"].bootstrap.sampling.stop
    assert configured("alpaca", count=1, most_instances=2).instances is None
