"""Equal terms: what an arm had made by the time it had spent so much."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from seedbed.ablate.matching import Made, made, one_call, prefixes
from seedbed.errors import DatasetError
from seedbed.folder import RunFolder

Rows = list[tuple[int, str]]


def folder(tmp_path: Path, examples: Rows, drops: Rows) -> RunFolder:
    for name, rows in (("examples.jsonl", examples), ("drops.jsonl", drops)):
        lines = [json.dumps({"round": number, "calls": calls.split()}) for number, calls in rows]
        (tmp_path / name).write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return RunFolder(tmp_path)


def test_examples_of_one_ask_share_its_call_and_barren_asks_count(tmp_path: Path) -> None:
    run = folder(tmp_path, [(0, "a"), (0, "a"), (2, "c")], [(1, "b"), (2, "c"), (3, "d")])
    found = made(run, one_call)
    assert found == Made(spent=(0.5, 1.0, 3.0), total=4.0)


def test_a_round_of_many_mixes_is_spread_over_what_came_of_it(tmp_path: Path) -> None:
    run = folder(tmp_path, [(0, "a b c"), (0, "d e f")], [(0, "g h")])
    assert made(run, one_call, overhead=10) == Made(spent=(14.0, 18.0), total=18.0)


def test_a_call_has_its_own_price(tmp_path: Path) -> None:
    run = folder(tmp_path, [(0, "a"), (1, "b")], [])
    assert made(run, {"a": 0.25, "b": 0.5}.__getitem__).spent == (0.25, 0.75)


def test_equal_examples_is_what_the_smallest_arm_has() -> None:
    arms = [Made(spent=(1, 2, 3), total=3), Made(spent=(1, 2), total=9)]
    assert prefixes(arms, "examples") == [2, 2]


def test_equal_calls_is_what_each_had_when_the_cheapest_was_done() -> None:
    wasteful, thrifty = Made(spent=(2, 4, 6, 8), total=8), Made(spent=(1, 2, 3, 4), total=5)
    assert prefixes([wasteful, thrifty], "calls") == [2, 4]


def test_a_damaged_file_is_named_with_its_line(tmp_path: Path) -> None:
    run = folder(tmp_path, [(0, "a")], [])
    run.drops.write_text('{"round": 0, "calls": []}\n{"round"\n', encoding="utf-8")
    with pytest.raises(DatasetError, match=r"drops.jsonl: line 2"):
        made(run, one_call)


def test_held_out_examples_were_paid_before_the_first(tmp_path: Path) -> None:
    run = folder(tmp_path, [(1, "a"), (2, "b")], [(1, "held-2")])
    rows = [{"round": 1, "calls": ["held-1", "held-2"]}, {"round": 1, "calls": ["held-3"]}]
    run.held_out.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert made(run, one_call) == Made(spent=(4.0, 5.0), total=5.0)
