"""The learning rate of each step, against transformers' own schedules."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from transformers import get_scheduler

from seedbed.errors import ConfigError
from seedbed.training.schedule import learning_rate, warmup_steps
from seedbed.training.settings import PRESETS, SKILLMIX, TrainSettings, preset


@pytest.mark.parametrize("name", ["cosine", "linear", "constant"])
@pytest.mark.parametrize("warmup", [0.0, 0.03, 7])
def test_rates_are_those_of_transformers(name: Any, warmup: float) -> None:
    total = 93
    settings = TrainSettings(schedule=name, warmup=warmup, learning_rate=2e-5)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=2e-5)
    theirs: Any = get_scheduler(
        "constant_with_warmup" if name == "constant" else name,
        optimizer,
        num_warmup_steps=warmup_steps(settings, total=total),
        num_training_steps=total,
    )
    for step in range(total):
        expected = optimizer.param_groups[0]["lr"]
        assert learning_rate(settings, step, total=total) == pytest.approx(expected, abs=1e-12)
        optimizer.step()
        theirs.step()


def test_the_papers_schedule_spans_all_epochs() -> None:
    """31 steps an epoch, 15 epochs; the released model is that of epoch 7, long before 0."""
    total = 15 * 31
    assert warmup_steps(SKILLMIX, total=total) == 14
    assert learning_rate(SKILLMIX, 217, total=total) == pytest.approx(1.15e-5, abs=2e-7)
    assert learning_rate(SKILLMIX, total - 1, total=total) < 1e-8


def test_a_share_of_an_unknown_number_of_steps_is_refused() -> None:
    settings = TrainSettings(schedule="constant", warmup=0.03)
    with pytest.raises(ConfigError, match="share of all steps"):
        learning_rate(settings, 0, total=None)
    assert learning_rate(replace(settings, warmup=0.0), 0, total=None) == settings.learning_rate


@pytest.mark.parametrize(
    "wrong",
    [
        {"schedule": "step"},
        {"precision": "fp8"},
        {"epochs": 0},
        {"learning_rate": float("nan")},
        {"betas": (0.9, 1.0)},
        {"lora_rank": 4, "precision": "pure_bf16"},
    ],
)
def test_impossible_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        TrainSettings(**wrong)


def test_presets_are_found_by_name() -> None:
    assert all(preset(name) is settings for name, settings in PRESETS.items())
    with pytest.raises(ConfigError, match="gpt") as error:
        preset("gpt")
    assert "skillmix" in error.value.hint
