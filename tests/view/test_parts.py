"""Conversations, families, agreement, decisions and the state of a run, by themselves."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

import pytest
from tests.runs import TROUBLE, config, lines, run
from tests.view.worlds import Begin, example, folder_of, settle

from seedbed.decisions import read_decisions
from seedbed.errors import ConfigError
from seedbed.folder import RunFolder
from seedbed.journal import Journal
from seedbed.records import Drop, Instruction, Origin
from seedbed.view.agreement import agreement
from seedbed.view.conversation import conversation
from seedbed.view.items import find
from seedbed.view.judging import decide
from seedbed.view.lineage import family
from seedbed.view.schema import connect
from seedbed.view.status import FRESH, RunWatch

T = TypeVar("T")


def ask(path: str, query: Callable[..., T], *arguments: Any, **settings: Any) -> T:
    with closing(connect(Path(path))) as database:
        return query(database, *arguments, **settings)


# conversations


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    folder = tmp_path_factory.mktemp("made")
    run(config(folder, teacher=TROUBLE, skillmix="presence_judge = true"))
    return RunFolder(folder / "run")


def test_a_conversation_is_what_the_journal_holds_of_it(made: RunFolder) -> None:
    row = lines(made.examples)[0]
    found = conversation(made.journal, row["calls"])
    assert [call["key"] for call in found["calls"]] == row["calls"]
    draft, critique, refined, judged = found["calls"]
    assert draft["repeated"] == 0
    assert critique["messages"][: critique["repeated"]] == [
        *draft["messages"],
        {"role": "assistant", "text": draft["answer"]},
    ]
    assert row["instruction"] in refined["answer"]
    assert judged["repeated"] == 0, "the judge begins a conversation of its own"
    assert found["total"]["prompt_tokens"] == sum(
        call["usage"]["prompt_tokens"] for call in found["calls"]
    )
    assert (found["missing"], found["problem"]) == (0, "")


def test_reading_a_journal_leaves_its_folder_as_it_was(made: RunFolder) -> None:
    before = {path: path.stat().st_mtime_ns for path in made.path.iterdir()}
    conversation(made.journal, lines(made.examples)[0]["calls"])
    assert {path: path.stat().st_mtime_ns for path in made.path.iterdir()} == before


def test_a_journal_is_read_beside_its_writer(made: RunFolder) -> None:
    keys = lines(made.examples)[0]["calls"]
    with Journal(made.journal):
        assert conversation(made.journal, keys)["missing"] == 0


def test_calls_that_the_journal_does_not_hold_are_counted(made: RunFolder) -> None:
    assert conversation(made.journal, ["nothing"])["missing"] == 1


def test_no_journal_is_said(tmp_path: Path) -> None:
    found = conversation(tmp_path / "journal.db", ["a"])
    assert "is not there" in found["problem"]
    assert list(tmp_path.iterdir()) == []


def test_a_foreign_file_is_said(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    path.write_text("not a database, but long enough to be looked at" * 9)
    assert "cannot be read" in conversation(path, ["a"])["problem"]


# families


def test_a_family_is_found_through_every_file_of_the_run(tmp_path: Path, begin: Begin) -> None:
    origin: dict[str, Any] = {"recipe": "evol_instruct", "step": "deepen"}
    root = example("Root", **origin)
    child = example("Child", parents=(root.instruction.id, "a-seed"), **origin)
    failed = Instruction(
        text="Failed", origin=Origin(parents=(root.instruction.id, "a-seed"), **origin)
    )
    grandchild = example("Grandchild", parents=(child.instruction.id, "a-seed"), **origin)
    folder = folder_of(
        tmp_path / "run", [root, child, grandchild], [(failed, Drop(reason="unchanged"))]
    )
    pool = {"id": "a-seed", "instruction": "The seed", "parents": []}
    folder.instructions.write_text(json.dumps(pool) + "\n")
    path = settle(begin(folder)).path

    def look(key: str) -> Any:
        number, item, _ = ask(path, find, key)
        return ask(path, family, item.row, number)

    found = look(child.id)
    assert [node["text"] for node in found["ancestors"]] == ["Root", "The seed"]
    assert [node["text"] for node in found["children"]] == ["Grandchild"]
    assert [(node["text"], node["reason"]) for node in found["siblings"]] == [
        ("Failed", "unchanged")
    ]
    above = look(grandchild.id)["ancestors"]
    assert [node["text"] for node in above] == ["Child"], "what is above the child is shown there"
    assert [node["text"] for node in above[0]["parents"]] == ["Root", "The seed"]
    assert above[0]["key"] == child.id


def test_parents_in_a_circle_end(tmp_path: Path, begin: Begin) -> None:
    folder = folder_of(tmp_path / "run", [])
    rows = [
        {
            "instruction": name,
            "response": "x",
            "id": name,
            "instruction_id": name,
            "parents": [other],
        }
        for name, other in (("a", "b"), ("b", "a"))
    ]
    folder.examples.write_text("".join(json.dumps(row) + "\n" for row in rows))
    path = settle(begin(folder)).path
    number, item, _ = ask(path, find, "a")
    found = ask(path, family, item.row, number)
    assert [node["text"] for node in found["ancestors"]] == ["b"]


def test_other_tries_of_a_mix_are_siblings(tmp_path: Path, begin: Begin) -> None:
    kept = example("Kept", round=4, draw=1, skills=("a", "b"))
    failed = example("Failed", round=4, draw=0, skills=("a", "b"))
    other = example("Other", round=5, skills=("a", "b"))
    folder = folder_of(tmp_path / "run", [kept, other], [(failed, Drop(reason="truncated"))])
    path = settle(begin(folder)).path
    number, item, _ = ask(path, find, kept.id)
    assert [node["text"] for node in ask(path, family, item.row, number)["siblings"]] == ["Failed"]


def test_a_parent_among_the_shipped_seeds_is_named(tmp_path: Path, begin: Begin) -> None:
    from seedbed.recipes.self_instruct.seeds import shipped_seeds

    seed = shipped_seeds()[0].instruction
    child = example("Child", recipe="self_instruct", parents=(seed.id, "gone"))
    path = settle(begin(folder_of(tmp_path / "run", [child]))).path
    number, item, _ = ask(path, find, child.id)
    first, second = ask(path, family, item.row, number)["ancestors"]
    assert (first["kind"], first["text"]) == ("seed", seed.text[:400])
    assert (second["kind"], second["text"]) == ("unknown", "")


# decisions and agreement


def decided(folder: RunFolder, path: str, key: str, **asked: Any) -> Any:
    def work(database: sqlite3.Connection) -> Any:
        number, item, _ = find(database, key)
        return decide(folder, database, item, number, asked)

    return ask(path, work)


def test_decisions_are_kept_shown_and_compared(tmp_path: Path, begin: Begin) -> None:
    examples = [example(f"Number {number}") for number in range(6)]
    reasons = ("skill_absent", "skill_absent", "truncated")
    drops = [(example(f"Drop {place}"), Drop(reason=name)) for place, name in enumerate(reasons)]
    folder = folder_of(tmp_path / "run", examples, drops)
    path = settle(begin(folder)).path
    for one in examples[:3]:
        decided(folder, path, one.id, verdict="accept")
    decided(folder, path, examples[3].id, verdict="reject", reason="wrong")
    decided(folder, path, examples[4].id, verdict="accept", edit={"response": "Better."})
    decided(folder, path, examples[5].id, verdict="accept")
    decided(folder, path, examples[5].id, verdict="none")
    for key, verdict in (("d1", "reject"), ("d2", "accept"), ("d3", "reject")):
        decided(folder, path, key, verdict=verdict)
    found = ask(path, agreement, judged=True)
    assert (found["accepted"], found["rejected"], found["edited"], found["drops"]) == (4, 1, 1, 3)
    run_cells = {"both_keep": 4, "only_run": 1, "only_person": 1, "both_drop": 2}
    assert run_cells.items() <= found["run"].items()
    assert found["run"]["share"] == 6 / 8
    # p(agree) 6/8, by chance 5/8 · 5/8 + 3/8 · 3/8
    assert found["run"]["kappa"] == pytest.approx((6 / 8 - 34 / 64) / (1 - 34 / 64))
    assert found["judge"]["n"] == 7, "what was dropped before the judge is no opinion of its"
    assert found["reasons"] == [["skill_absent", 2, 1], ["truncated", 1, 1]]
    assert ask(path, agreement, judged=False)["judge"] is None
    kept = read_decisions(folder.decisions)
    assert len(kept) == 8
    assert next(iter(kept)).at.endswith("+00:00")


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"verdict": "perhaps"},
        {"verdict": "reject", "reason": 5},
        {"verdict": "reject", "reason": "x" * 2001},
        {"verdict": "accept", "edit": {"skills": "x"}},
        {"verdict": "accept", "edit": {"response": 1}},
        {"verdict": "accept", "edit": {"response": "  "}},
        {"verdict": "accept", "edit": []},
    ],
)
def test_what_is_no_decision_is_refused(tmp_path: Path, begin: Begin, asked: Any) -> None:
    one = example("One")
    folder = folder_of(tmp_path / "run", [one])
    path = settle(begin(folder)).path
    with pytest.raises(ConfigError):
        decided(folder, path, one.id, **asked)
    assert not folder.decisions.exists()


def test_a_drop_is_not_edited(tmp_path: Path, begin: Begin) -> None:
    folder = folder_of(tmp_path / "run", [], [(example("One"), Drop(reason="truncated"))])
    path = settle(begin(folder)).path
    with pytest.raises(ConfigError, match="no export"):
        decided(folder, path, "d1", verdict="accept", edit={"response": "x"})


# the state of a run


def written(folder: RunFolder, at: float, **changes: Any) -> None:
    content = {**folder.read_manifest(), **changes}
    folder.write_manifest(content)
    os.utime(folder.manifest, (at, at))


def test_a_run_is_live_while_it_gives_signs(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "run", [])
    now = 1000.0
    session = {
        "started": "",
        "ended": None,
        "status": "running",
        "replayed": 0,
        "in_doubt_before": 0,
    }
    progress = {"kept": 10, "dropped": 1, "calls": 40}
    watch = RunWatch(folder, clock=lambda: now)
    assert not watch.live
    for kept, at in ((10, 1000.0), (40, 1030.0)):
        written(
            folder,
            at,
            status="running",
            progress=progress | {"kept": kept},
            sessions=[session | {"paid": kept * 3}],
        )
        now = at + 1
        watch.look()
        assert watch.live
    rates = watch.to_json()["rates"]
    assert rates["kept"] == pytest.approx(60.0)
    assert rates["paid"] == pytest.approx(180.0)
    now += FRESH + 1
    assert not watch.live
    assert watch.to_json()["cut_off"] is True
    written(folder, now, status="complete")
    watch.look()
    assert watch.to_json()["cut_off"] is False


def test_a_manifest_that_cannot_be_read_is_a_problem_not_an_end(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "run", [])
    watch = RunWatch(folder)
    folder.manifest.write_text("{")
    watch.look()
    assert "not a manifest" in watch.problem
    assert watch.manifest["recipe"] == "skillmix"
