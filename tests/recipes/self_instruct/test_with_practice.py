"""Runs with the practice teacher, which answers every prompt of the recipe from its text alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from tests.recipes.self_instruct.made import Made, grown

from seedbed.models.practice import PracticeTeacher, Trouble, verify
from seedbed.recipes.self_instruct import PRESETS, Preset
from seedbed.records import Example

TROUBLE = Trouble(duplicate=0.3, truncated=0.1, refused=0.03, malformed=0.1, wrong=0.1)


def truths(made: Made) -> Counter[bool | None]:
    """Right, wrong, or an instruction that is none of the practice world (cut, or lower-cased)."""
    return Counter(
        verify(f"{one.instruction.text}\n{one.input}", one.response) for one in made.examples
    )


@pytest.mark.parametrize(
    ("preset", "examples", "true"),
    [("chat", 1.4, 0.99), ("paper", 1.1, 0.85), ("repo", 0.9, 0.0), ("alpaca", 0.99, 0.95)],
)
def test_each_preset_runs(preset: Preset, examples: float, true: float) -> None:
    made = grown(PracticeTeacher(), replace(PRESETS[preset], count=200))
    assert len(made.accepted) == 200
    assert len(made.examples) >= 200 * examples
    assert truths(made)[True] >= true * len(made.examples)
    assert any(one.input for one in made.examples)
    assert any(not one.input for one in made.examples)
    kinds = {one.instruction.origin.query_type for one in made.examples}
    assert kinds == ({""} if preset == "alpaca" else {"", "classification"})


@pytest.mark.parametrize("preset", ["chat", "paper", "repo", "alpaca"])
def test_each_preset_bears_trouble(preset: Preset) -> None:
    made = grown(PracticeTeacher(TROUBLE), replace(PRESETS[preset], count=200))
    assert len(made.accepted) == 200
    assert {"too_similar", "truncated"} <= set(made.reasons)
    assert {"refused", "unparsed", "keyword"} & set(made.reasons)
    assert all(drop.evidence for _, drop in made.drops)
    assert all(one.response.strip() for one in made.examples)


@pytest.mark.parametrize("preset", ["chat", "paper", "alpaca"])
def test_classification_alone_brings_classifications(preset: Preset) -> None:
    params = replace(PRESETS[preset], count=30, classification_only=True)
    made = grown(PracticeTeacher(), params)
    labels = "|".join(one.response for one in made.examples)
    assert made.examples
    assert "even" in labels
    assert "day" in labels
    if preset != "alpaca":
        kinds = [one.instruction.origin.query_type for one in made.examples]
        assert kinds.count("classification") >= 0.95 * len(kinds)


def test_output_first_instances_have_different_labels() -> None:
    made = grown(PracticeTeacher(), replace(PRESETS["chat"], count=200))
    labels: dict[str, list[str]] = {}
    for one in made.examples:
        if one.instruction.origin.query_type and one.input:
            labels.setdefault(one.instruction.id, []).append(one.response)
    assert labels
    assert all(len(set(found)) == len(found) for found in labels.values())
    assert any(len(found) >= 2 for found in labels.values())


def test_a_thousand_accepted() -> None:
    made = grown(PracticeTeacher(TROUBLE), replace(PRESETS["chat"], count=1000))
    assert len({accepted.instruction.id for accepted in made.accepted}) == 1000
    assert len({accepted.instruction.text for accepted in made.accepted}) == 1000
    assert len(made.examples) > 1000
    left = {item.instruction.id for item, _ in made.drops if isinstance(item, Example)}
    kept = {one.instruction.id for one in made.examples}
    assert kept <= {accepted.instruction.id for accepted in made.accepted}
    assert left <= {accepted.instruction.id for accepted in made.accepted}
