"""What people decided by hand stands in the report: how much, how far they agree, which texts."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from tests.report.worlds import (
    HOSTILE,
    chapter_of,
    example,
    findings_of,
    run_of,
    samples_of,
    section_of,
    tables_of,
)

from seedbed.decisions import Decision, append_decision, content_of
from seedbed.records import Attempt, Drop, Example
from seedbed.report import make_report
from seedbed.report.document import Document, Samples, Table

EXAMPLES = [example(f"Explain number {n} of the list.", f"Answer {n}.") for n in range(10)]


def decide(
    run: Path,
    about: Example | Attempt,
    verdict: Literal["accept", "reject", "none"],
    *,
    reason: str = "",
    edit: dict[str, str] | None = None,
) -> None:
    dropped = isinstance(about, Attempt)
    if isinstance(about, Attempt):
        content = content_of(about.text, "", "")
        name = content
    else:
        content = content_of(about.instruction.text, about.input, about.response)
        name = about.id
    append_decision(
        run / "decisions.jsonl",
        Decision(id=name, content=content, verdict=verdict, reason=reason, edit=edit or {},
                 dropped=dropped),
    )  # fmt: skip


@pytest.fixture
def judged(tmp_path: Path) -> Path:
    """Ten examples and three drops: 4 accepted, 2 rejected, 1 edited, 1 drop wrong, 1 right."""
    drops = [
        (Attempt(text="could not be read"), Drop(reason="malformed")),
        (Attempt(text="the judge objected"), Drop(reason="skill_absent")),
        (Attempt(text="never looked at"), Drop(reason="malformed")),
    ]
    run = run_of(tmp_path / "run", EXAMPLES, drops, stages={"judge": STAGE, "examples": STAGE})
    for about in EXAMPLES[:4]:
        decide(run, about, "accept")
    decide(run, EXAMPLES[4], "reject", reason="it is wrong")
    decide(run, EXAMPLES[5], "accept")
    decide(run, EXAMPLES[5], "reject", reason=HOSTILE[0])
    decide(run, EXAMPLES[6], "accept", edit={"response": "A better answer."})
    decide(run, EXAMPLES[7], "reject")
    decide(run, EXAMPLES[7], "none")
    decide(run, drops[0][0], "accept")
    decide(run, drops[1][0], "reject")
    return run


STAGE = {
    "calls": 1, "prompt_tokens": 1, "completion_tokens": 1, "cached_tokens": 0, "tokens": 2,
    "dollars": 0.0, "finish_reasons": {},
}  # fmt: skip


def table(document: Document, first: str) -> Table:
    (found,) = (found for found in tables_of(document) if found.head[0] == first)
    return found


def shown(document: Document, title: str) -> Samples:
    (found,) = (found for found in samples_of(document) if found.title == title)
    return found


def test_decisions_are_counted_as_they_stand(judged: Path) -> None:
    document = make_report([judged])
    rows = table(document, "decision on an example").rows
    assert {row[0]: row[1] for row in rows} == {
        "accepted as it is": "4", "rejected": "2", "edited": "1",
    }  # fmt: skip
    assert {row[0]: row[1] for row in table(document, "rejected because").rows} == {
        "it is wrong": "1", HOSTILE[0]: "1",
    }  # fmt: skip
    assert any("rejected 2 of the 7 examples" in text for text in findings_of(document))


def test_agreement_is_that_of_the_four_cells(judged: Path) -> None:
    run, judge = table(make_report([judged]), "people and").rows
    # kept by both 5, dropped by both 1, only people keep 1, only people drop 2
    assert run[:7] == ("the run", "9", "67 %", "5", "1", "1", "2")
    assert judge[:7] == ("the run's judge", "8", "75 %", "5", "1", "0", "2")
    chance = (6 * 7 + 3 * 2) / 81
    assert float(run[7]) == pytest.approx((6 / 9 - chance) / (1 - chance), abs=1e-3)


def test_the_texts_that_people_changed_their_run_by_are_shown(judged: Path) -> None:
    document = make_report([judged])
    rejected = shown(document, "Rejected by hand (2)")
    assert [dict(s.texts)["response"] for s in rejected.items] == ["Answer 4.", "Answer 5."]
    (edited,) = shown(document, "Edited by hand (1)").items
    assert dict(edited.texts)["response"] == "Answer 6."
    assert dict(edited.texts)["response, edited"] == "A better answer."
    (wrong,) = shown(document, "Dropped, and should have been kept (1)").items
    assert dict(wrong.texts)["what the teacher wrote"] == "could not be read"


def test_without_decisions_there_is_no_such_section(tmp_path: Path) -> None:
    document = make_report([run_of(tmp_path / "run", EXAMPLES)])
    assert not [s for s in chapter_of(document).sections if s.id.endswith("by-hand")]


def test_a_broken_file_of_decisions_is_named_and_the_rest_is_shown(judged: Path) -> None:
    with (judged / "decisions.jsonl").open("a") as file:
        file.write("no decision\n")
    document = make_report([judged])
    assert not [s for s in chapter_of(document).sections if s.id.endswith("by-hand")]
    assert "line 13: not a decision" in str(section_of(document, "provenance"))
