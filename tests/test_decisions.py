"""Decisions by hand: kept on disk, found again, and applied to what is exported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.runs import config, lines, run

from seedbed.cli import main
from seedbed.decisions import (
    EDITED,
    Applied,
    Decision,
    Decisions,
    Verdict,
    append_decision,
    content_of,
    decided,
    read_decisions,
)
from seedbed.errors import DatasetError, StorageError
from seedbed.export import example_from_json
from seedbed.records import Example, Instruction, Origin

Captured = pytest.CaptureFixture[str]


def example(text: str, *, number: int = 0) -> Example:
    return Example(
        instruction=Instruction(text=text, origin=Origin(recipe="skillmix", round=number)),
        response=f"Answer to {text}",
    )


def decision(about: Example, verdict: Verdict = "reject", **settings: Any) -> Decision:
    content = content_of(about.instruction.text, about.input, about.response)
    return Decision(id=about.id, content=content, verdict=verdict, **settings)


def applied(examples: list[Example], *decisions: Decision) -> tuple[list[Example], Applied]:
    counts = Applied()
    return list(decided(examples, Decisions(decisions), counts)), counts


def test_the_last_decision_about_an_item_stands(tmp_path: Path) -> None:
    path, one, two = tmp_path / "decisions.jsonl", example("one"), example("two")
    for made in (decision(one), decision(two), decision(one, "accept"), decision(two, "none")):
        append_decision(path, made)
    found = read_decisions(path)
    assert [(each.id, each.verdict) for each in found] == [(one.id, "accept")]
    assert len(path.read_text().splitlines()) == 4, "nothing is taken out of the file"


def test_no_file_is_no_decision(tmp_path: Path) -> None:
    assert len(read_decisions(tmp_path / "decisions.jsonl")) == 0


def test_decisions_are_applied_and_counted() -> None:
    kept, gone, changed, other = (example(name) for name in ("kept", "gone", "changed", "other"))
    edit = {"response": "A better answer"}
    examples, counts = applied(
        [kept, gone, changed, other],
        decision(kept, "accept"),
        decision(gone),
        decision(changed, "accept", edit=edit),
    )
    assert [each.response for each in examples] == [
        "Answer to kept",
        "A better answer",
        "Answer to other",
    ]
    assert examples[1].repairs == (EDITED,)
    assert examples[1].instruction.origin == changed.instruction.origin
    assert counts == Applied(accepted=1, rejected=1, edited=1)


def test_a_decision_is_found_by_content_where_a_later_run_gave_another_id() -> None:
    before, after = example("same", number=1), example("same", number=9)
    assert before.id != after.id
    examples, counts = applied([after], decision(before))
    assert examples == []
    assert counts.rejected == 1


def test_an_opinion_about_a_drop_changes_no_example_of_the_same_text() -> None:
    one = example("one")
    examples, counts = applied([one], decision(one, dropped=True))
    assert examples == [one]
    assert counts == Applied()


def test_what_a_dying_writer_left_is_not_a_decision_and_is_mended(tmp_path: Path) -> None:
    path, one, two = tmp_path / "decisions.jsonl", example("one"), example("two")
    append_decision(path, decision(one))
    with path.open("ab") as file:
        file.write(b'{"id": "half of a li')
    assert [each.id for each in read_decisions(path)] == [one.id]
    append_decision(path, decision(two))
    assert [each.id for each in read_decisions(path)] == [one.id, two.id]


@pytest.mark.parametrize(
    "line",
    [
        "no json",
        "[]",
        '{"id": "x"}',
        '{"id": "x", "content": "y", "verdict": "perhaps", "reason": "", "edit": {}, '
        '"dropped": false, "at": ""}',
        '{"id": "x", "content": "y", "verdict": "accept", "reason": "", "edit": {"skills": "z"}, '
        '"dropped": false, "at": ""}',
    ],
)
def test_a_line_that_is_no_decision_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "decisions.jsonl"
    append_decision(path, decision(example("one")))
    with path.open("a") as file:
        file.write(line + "\n")
    with pytest.raises(DatasetError, match="line 2") as caught:
        read_decisions(path)
    assert "--ignore-decisions" in caught.value.hint


def test_a_decision_that_cannot_be_kept_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="not kept"):
        append_decision(tmp_path, decision(example("one")))


def test_export_leaves_out_what_was_rejected_unless_told_otherwise(
    tmp_path: Path, capsys: Captured
) -> None:
    run(config(tmp_path))
    folder = tmp_path / "run"
    first, second = lines(folder / "examples.jsonl")[:2]
    mine = {"response": "Mine."}
    made = [
        decision(example_from_json(first)),
        decision(example_from_json(second), "accept", edit=mine),
    ]
    for each in made:
        append_decision(folder / "decisions.jsonl", each)
    run(tmp_path / "run.toml")
    assert main(["export", str(folder), "--format", "alpaca", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["examples"] == 19
    assert told["by_hand"] == {"accepted": 0, "rejected": 1, "edited": 1}
    rows = json.loads((folder / "alpaca.json").read_text())
    assert first["instruction"] not in [row["instruction"] for row in rows]
    assert rows[0]["output"] == "Mine."
    assert main(["export", str(folder), "--format", "alpaca", "--ignore-decisions"]) == 0
    assert "20 examples" in capsys.readouterr().out
    assert main(["export", str(folder), "--format", "alpaca"]) == 0
    assert "by hand: 0 accepted, 1 rejected, 1 edited" in capsys.readouterr().out
