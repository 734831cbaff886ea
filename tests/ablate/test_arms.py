"""What the arms of an ablation are, and what they change in a config."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from typing import Any

import pytest

from seedbed.ablate.arms import Arm, arms_of, checked, configured
from seedbed.config import parse_config
from seedbed.config_ablate import FACTORS, ArmTable
from seedbed.errors import ConfigError
from seedbed.training.settings import preset

TEXT = """
recipe = "skillmix"
count = 10
[teacher]
model = "practice"
[skills]
topics = 3
[ablate]
factors = ["k"]
"""


def made(arm: Arm, *, seed: int = 7) -> dict[str, Any]:
    return tomllib.loads(configured(TEXT, arm, seed=seed, base="tiny", place="x.toml"))


def test_an_arm_sets_keys_the_seed_and_the_student_and_nothing_else() -> None:
    content = made(Arm(name="one", set={"skillmix.k": 1}))
    assert content == {
        "recipe": "skillmix",
        "count": 10,
        "seed": 7,
        "teacher": {"model": "practice"},
        "skills": {"topics": 3},
        "skillmix": {"k": 1},
        "student": {"base": "tiny", "preset": "tiny", "seed": 7},
    }


def test_a_tiny_student_is_tuned_as_one_also_where_it_was_warmed_up_before() -> None:
    text = configured(TEXT, Arm(name="one", set={}), seed=0, base="base/warm", place="x.toml")
    table = parse_config(text, place="x.toml").student
    assert table.base == "base/warm"
    assert table.settings == replace(preset("tiny"), seed=0)


def test_an_arm_of_another_recipe_leaves_out_the_tables_that_it_does_not_use() -> None:
    content = made(Arm(name="other", set={"recipe": "self_instruct"}))
    assert "skills" not in content


@pytest.mark.parametrize("factor", FACTORS)
def test_every_built_in_arm_is_a_config_that_can_be_run(factor: Any) -> None:
    arms = arms_of([factor], [])[factor]
    assert len(arms) >= 2
    runs = [arm for arm in arms if arm.set.get("recipe") != "evol_instruct"]
    assert len(checked(TEXT, runs, place="x.toml")) == len(runs)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"skillmix.kk": 1}, "kk: unknown key"),
        ({"skillmix.k": 0}, "k = 0"),
        ({"count.x": 1}, "count is no table"),
    ],
)
def test_an_impossible_arm_is_named(change: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told) as caught:
        made(Arm(name="bad one", set=change))
    assert 'arm "bad one"' in str(caught.value)


def test_a_comparison_needs_two_arms_with_different_names() -> None:
    one, same = (ArmTable.model_validate({"name": name}) for name in ("k = 1", "K: 1"))
    with pytest.raises(ConfigError, match="needs two"):
        arms_of([], [one])
    with pytest.raises(ConfigError, match="same name"):
        arms_of([], [one, same])
    with pytest.raises(ConfigError, match="nothing to compare"):
        arms_of([], [])
