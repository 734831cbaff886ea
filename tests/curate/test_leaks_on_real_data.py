"""The leak guard on rows labelled by hand, and on data that no refinement has touched."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from seedbed.curate.leak_patterns import PATTERNS
from seedbed.curate.leaks import find_leaks, guard
from seedbed.records import Drop, Example, Instruction

DATA = Path(__file__).parents[2] / "../shared/data"
MARKERS = {"stray_bold", "stray_tag", "leading_label", "trailing_hashes"}


def example_of(instruction: str, response: str, *, material: str = "") -> Example:
    return Example(instruction=Instruction(text=instruction), response=response, input=material)


def read_json(path: str) -> Any:
    if not (DATA / path).exists():
        pytest.skip(f"../shared/data/{path} is not here")
    return json.loads((DATA / path).read_text(encoding="utf-8"))


def words(text: str) -> list[str]:
    return [word for word in re.findall(r"\w+", text.lower()) if word not in ("a", "an")]


def is_subsequence(part: list[str], whole: list[str]) -> bool:
    rest = iter(whole)
    return all(word in rest for word in part)


def labelled() -> Iterator[tuple[list[dict[str, str]], dict[str, Any]]]:
    labels = json.loads((Path(__file__).parent / "leak_labels.json").read_text(encoding="utf-8"))
    released = read_json("skillmix/ism_sda_k2_1000.json")
    first = labels["skillmix"]
    yield released, {**first, "leaks": first["leaks_explicit"] + first["leaks_claim"]}
    yield released, labels["second"]
    outputs = read_json("alpaca_eval/outputs_Llama-3-8B-Instruct-SkillMix.json")
    yield outputs, labels["outputs"]


def flagged(row: dict[str, str]) -> bool:
    leaks = find_leaks(row["output"], field="response", asked=row["instruction"])
    return any(leak.kind not in MARKERS for leak in leaks)


def test_at_least_95_of_100_labelled_leaks_are_flagged_and_hardly_anything_else() -> None:
    found = leaking = alarms = 0
    for rows, labels in labelled():
        marked = {number for number in labels["rows"] if flagged(rows[number])}
        found += len(marked & set(labels["leaks"]))
        leaking += len(labels["leaks"])
        alarms += len(marked - set(labels["leaks"]))
    assert leaking == 157
    assert found >= 0.95 * leaking
    assert alarms <= 2


def test_the_labelled_instruction_artefacts_and_response_markers_are_flagged() -> None:
    for rows, labels in labelled():
        if "artefacts" not in labels:
            continue
        marked = {
            number
            for number in labels["rows"]
            if find_leaks(rows[number]["instruction"], field="instruction")
        }
        assert marked == set(labels["artefacts"])
        for number in labels.get("stray_marker_in_response", ()):
            kinds = {leak.kind for leak in find_leaks(rows[number]["output"], field="response")}
            assert kinds & MARKERS


def test_no_more_than_one_false_alarm_in_9229_alpaca_rows() -> None:
    rows = read_json("alpaca/alpaca_random_9k.json")
    assert len(rows) == 9229
    examples = [
        example_of(row["instruction"], row["output"], material=row["input"]) for row in rows
    ]
    assert sum(guard(example) is not example for example in examples) <= 1


def test_repairs_of_the_released_rows_only_take_away_and_leave_nothing_to_repair() -> None:
    repaired = 0
    for row in read_json("skillmix/ism_sda_k2_1000.json"):
        verdict = guard(example_of(row["instruction"], row["output"]))
        if isinstance(verdict, Drop) or not verdict.repairs:
            continue
        repaired += 1
        assert guard(verdict) is verdict
        assert is_subsequence(words(verdict.response), words(row["output"]))
        assert is_subsequence(words(verdict.instruction.text), words(row["instruction"]))
        assert len(verdict.response) > 0.6 * len(row["output"])
    assert repaired > 200


def test_the_fast_way_out_never_hides_a_match() -> None:
    for row in read_json("skillmix/ism_sda_k2_1000.json")[:300]:
        for pattern in PATTERNS:
            text = row["output"] if pattern.field == "response" else row["instruction"]
            if pattern.regex.search(text):
                assert any(word in text.lower() for word in pattern.words), pattern.kind
