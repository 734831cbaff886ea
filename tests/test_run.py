"""A whole run, offline: what it makes, what it pays, and what running again costs."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from pathlib import Path

import pytest
from tests.runs import TROUBLE, config, lines, made, paid, run

from seedbed.errors import BudgetError, ConfigError, JournalError, StorageError
from seedbed.journal import Journal
from seedbed.models.practice import skills_of, verify
from seedbed.run import grow
from seedbed.session import Progress


def test_a_run_makes_what_was_asked_for_and_all_its_files(tmp_path: Path) -> None:
    outcome = run(config(tmp_path, teacher=TROUBLE, count=60))
    folder = tmp_path / "run"
    assert outcome.status == "complete"
    examples, drops = lines(folder / "examples.jsonl"), lines(folder / "drops.jsonl")
    assert len(examples) == 60
    assert len({example["id"] for example in examples}) == 60
    counts = outcome.manifest["counts"]
    assert (counts["kept"], counts["dropped"]) == (60, len(drops))
    assert outcome.manifest["drops"].keys() == {drop["reason"] for drop in drops}
    assert sum(bool(example["repairs"]) for example in examples) == counts["repaired"] > 0
    assert json.loads((folder / "manifest.json").read_text()) == outcome.manifest
    for name in ("config.toml", "journal.db", "skills.json", "examples.parquet", "README.md"):
        assert (folder / name).stat().st_size > 0


def test_examples_are_true_and_need_their_skills(tmp_path: Path) -> None:
    run(config(tmp_path, count=60))
    for example in lines(tmp_path / "run" / "examples.jsonl"):
        assert verify(example["instruction"], example["response"]), example
        assert set(example["skills"]) == set(skills_of(example["instruction"]))


def test_every_example_leads_to_the_calls_behind_it(tmp_path: Path) -> None:
    run(config(tmp_path))
    database = sqlite3.connect(tmp_path / "run" / "journal.db")
    for example in lines(tmp_path / "run" / "examples.jsonl"):
        assert len(example["calls"]) == 3
        for key in example["calls"]:
            row = database.execute("select answer from effects where key = ?", (key,)).fetchone()
        assert example["response"] in json.loads(row[0])["text"]


def test_running_again_pays_nothing_and_changes_nothing(tmp_path: Path) -> None:
    path = config(tmp_path, teacher=TROUBLE)
    first = run(path)
    before = made(tmp_path / "run")
    again = run(path)
    assert paid(first) > 0 == paid(again)
    assert made(tmp_path / "run") == before
    assert again.manifest["spend"] == first.manifest["spend"]
    assert again.manifest["stages"] == first.manifest["stages"]


def test_how_many_calls_are_in_flight_changes_nothing_that_is_made(tmp_path: Path) -> None:
    run(config(tmp_path, run="one", teacher=TROUBLE + "\nmax_in_flight = 1"))
    run(config(tmp_path, run="many", teacher=TROUBLE + "\nmax_in_flight = 200"))
    assert made(tmp_path / "one") == made(tmp_path / "many")


def test_one_more_example_pays_for_one_more_mix(tmp_path: Path) -> None:
    run(config(tmp_path, count=20))
    before = lines(tmp_path / "run" / "examples.jsonl")
    assert paid(run(config(tmp_path, count=21))) == 3
    assert lines(tmp_path / "run" / "examples.jsonl")[:20] == before


def test_another_seed_makes_other_examples(tmp_path: Path) -> None:
    path = config(tmp_path)
    run(path)
    before = lines(tmp_path / "run" / "examples.jsonl")
    path.write_text(path.read_text().replace("seed = 7", "seed = 8"))
    run(path)
    after = lines(tmp_path / "run" / "examples.jsonl")
    assert {example["id"] for example in before}.isdisjoint(example["id"] for example in after)


def test_a_dataset_that_another_run_takes_the_place_of_is_said(tmp_path: Path) -> None:
    path = config(tmp_path)
    assert run(path).manifest["notes"] == []
    before = made(tmp_path / "run")
    text = path.read_text()
    path.write_text(text.replace("seed = 7", "seed = 8"))
    [note] = run(path).manifest["notes"]
    assert "held a run of the recipe 'skillmix' with seed 7; this one is of 'skillmix'" in note
    assert made(tmp_path / "run") != before
    assert run(path).manifest["notes"] == [], "it was said"
    path.write_text(text)
    back = run(path)
    assert paid(back) == 0
    assert made(tmp_path / "run") == before
    assert "with seed 8; this one is of 'skillmix' with seed 7" in back.manifest["notes"][0]
    text = text.split("[skills]")[0].replace("seed = 7", 'seed = 7\nrecipe = "self_instruct"')
    path.write_text(text)
    assert "this one is of 'self_instruct' with seed 7" in run(path).manifest["notes"][0]


def test_a_free_decision_can_be_changed_for_what_it_drops_only(tmp_path: Path) -> None:
    run(config(tmp_path, teacher=TROUBLE, skillmix='leaks = "repair"'))
    kept = run(config(tmp_path, teacher=TROUBLE, skillmix='leaks = "off"'))
    assert paid(kept) == 0
    strict = run(config(tmp_path, teacher=TROUBLE, skillmix='leaks = "drop"'))
    assert strict.status == "complete"
    assert strict.manifest["drops"]["leaked_commentary"] > 0
    assert 0 < paid(strict) < 40


def test_the_presence_judge_is_asked_once_for_each_example(tmp_path: Path) -> None:
    run(config(tmp_path))
    judged = run(config(tmp_path, skillmix="presence_judge = true"))
    assert judged.status == "complete"
    assert paid(judged) == 20 == judged.manifest["stages"]["judge"]["calls"]


def test_five_turns_and_three_skills(tmp_path: Path) -> None:
    run(config(tmp_path, skillmix='profile = "five_turn"\nk = 3'))
    for example in lines(tmp_path / "run" / "examples.jsonl"):
        assert len(example["calls"]) == 5
        assert len(example["skills"]) == 3


def test_stage_one_alone_writes_the_skills_and_the_run_goes_on_from_there(tmp_path: Path) -> None:
    path = config(tmp_path)
    first = run(path, skills_only=True)
    assert first.status == "skills"
    assert not (tmp_path / "run" / "examples.jsonl").exists()
    second = run(path)
    assert paid(second) == 60
    assert second.manifest["counts"]["skills"] == first.manifest["counts"]["skills"] > 10


def test_a_skills_file_replaces_the_paid_stage(tmp_path: Path) -> None:
    run(config(tmp_path, run="one"), skills_only=True)
    table = 'path = "one/skills.json"'
    outcome = run(config(tmp_path, run="two", skills=table))
    assert outcome.manifest["stages"]["skills"]["calls"] == 0
    assert (tmp_path / "two" / "skills.json").read_bytes() == (
        tmp_path / "one" / "skills.json"
    ).read_bytes()


def test_skills_edited_by_hand_are_used_and_kept(tmp_path: Path) -> None:
    path = config(tmp_path)
    run(path)
    file = tmp_path / "run" / "skills.json"
    content = json.loads(file.read_text())
    content["skills"] = content["skills"][:4]
    file.write_text(json.dumps(content))
    edited = file.read_bytes()
    for _ in range(2):
        outcome = run(path)
        assert outcome.manifest["counts"]["skills"] == 4
        assert any("edited by hand" in note for note in outcome.manifest["notes"])
        assert file.read_bytes() == edited
    used = {
        skill
        for example in lines(tmp_path / "run" / "examples.jsonl")
        for skill in example["skills"]
    }
    assert used == {skill["name"] for skill in content["skills"]}


def test_skills_come_from_a_dataset_too(tmp_path: Path) -> None:
    run(config(tmp_path, run="one", count=40))
    rows = [
        {"instruction": example["instruction"], "output": example["response"]}
        for example in lines(tmp_path / "one" / "examples.jsonl")
    ]
    rows += [{"instruction": "Who was Ada Lovelace?", "output": "A mathematician."}]
    (tmp_path / "mine.json").write_text(json.dumps(rows))
    outcome = run(config(tmp_path, run="two", skills='dataset = { path = "mine.json" }'))
    made_by = json.loads((tmp_path / "two" / "skills.json").read_text())["made_by"]
    assert (made_by["method"], made_by["examples"], made_by["without_a_skill"]) == ("SDD", 41, 1)
    assert outcome.status == "complete"
    assert any("41 kept" in note for note in outcome.manifest["notes"])


def test_too_few_calls_stop_the_run_and_a_higher_cap_goes_on(tmp_path: Path) -> None:
    path = config(tmp_path, teacher=TROUBLE, budget="calls = 40")
    with pytest.raises(BudgetError, match="calls"):
        run(path)
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert manifest["status"] == "interrupted"
    assert manifest["spend"]["calls"] <= 40
    spent = manifest["spend"]["calls"]
    with pytest.raises(BudgetError):
        run(path)
    more = run(config(tmp_path, teacher=TROUBLE, budget="calls = 500"))
    assert more.status == "complete"
    assert more.manifest["spend"]["calls"] == spent + paid(more)
    run(config(tmp_path, run="free", teacher=TROUBLE))
    assert made(tmp_path / "run") == made(tmp_path / "free")


def test_a_dollar_cap_without_a_price_is_an_error_before_the_first_call(tmp_path: Path) -> None:
    path = config(tmp_path, budget="dollars = 1.0")
    text = path.read_text().replace('"practice"', '"my-model"\nbase_url = "http://127.0.0.1:9/v1"')
    path.write_text(text)
    with pytest.raises(ConfigError, match="no price is known"):
        run(path)


def test_a_price_that_falls_or_another_model_does_not_make_room_below_a_cap(tmp_path: Path) -> None:
    """What was paid stays paid: the cap is of the run, not of the present config."""
    dear = "price = { input = 1.0, output = 4.0 }\nmax_in_flight = 4"
    with pytest.raises(BudgetError, match="dollars"):
        run(config(tmp_path, teacher=dear, budget="dollars = 0.05"))
    spent = json.loads((tmp_path / "run" / "manifest.json").read_text())["spend"]["dollars"]
    assert 0.02 < spent <= 0.05
    cheap = dear.replace("1.0", "0.9") + "\ntrouble = { wrong = 0.01 }"
    with pytest.raises(BudgetError, match="dollars"):
        run(config(tmp_path, teacher=cheap, budget="dollars = 0.05"))
    after = json.loads((tmp_path / "run" / "manifest.json").read_text())["spend"]["dollars"]
    assert spent <= after <= 0.05


def test_a_run_that_ends_early_has_finished_what_it_began(tmp_path: Path) -> None:
    """180 calls are enough for some 50 conversations of three turns; how many is a matter of
    timing. Were drafts sent in the order in which they come, there would be none."""
    with pytest.raises(BudgetError):
        run(config(tmp_path, count=200, teacher="max_in_flight = 8", budget="calls = 180"))
    assert len(lines(tmp_path / "run" / "examples.jsonl")) > 15


def test_a_teacher_that_cannot_do_it_at_all_is_not_asked_for_everything(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("\n".join(f"juggling_{n}_chainsaws" for n in "abcdefghij"))
    outcome = run(config(tmp_path, count=500, skills='path = "mine.txt"'))
    assert outcome.status == "short"
    assert outcome.manifest["stages"]["examples"]["calls"] < 100


def test_a_journal_that_is_gone_is_not_silently_paid_for_again(tmp_path: Path) -> None:
    path = config(tmp_path)
    run(path)
    for file in (tmp_path / "run").glob("journal.db*"):
        file.unlink()
    with pytest.raises(JournalError, match="gone, and with it the answers of"):
        run(path)
    (tmp_path / "run" / "manifest.json").unlink()
    assert paid(run(path)) > 0


def test_a_manifest_that_is_damaged_is_made_anew(tmp_path: Path) -> None:
    path = config(tmp_path)
    whole = run(path).manifest
    for damaged in ("{", "{}", '{"spend": 7}', "[1]"):
        (tmp_path / "run" / "manifest.json").write_text(damaged)
        again = run(path)
        assert paid(again) == 0
        assert again.manifest["counts"] == whole["counts"]
        assert "made anew" in again.manifest["notes"][0]


def test_skills_are_not_edited_by_hand_because_a_session_was_killed(tmp_path: Path) -> None:
    path = config(tmp_path)
    run(path, skills_only=True)
    (tmp_path / "run" / "manifest.json").unlink()
    outcome = run(path)
    assert outcome.manifest["notes"] == []
    assert outcome.manifest["stages"]["skills"]["calls"] > 0


def test_an_error_of_the_watcher_is_not_lost(tmp_path: Path) -> None:
    def watch(progress: Progress) -> None:
        raise ValueError("my own mistake")

    with pytest.raises(ValueError, match="my own mistake"):
        run(config(tmp_path), watch=watch)


def test_the_watcher_sees_the_end(tmp_path: Path) -> None:
    seen: list[Progress] = []
    run(config(tmp_path), watch=seen.append)
    assert (seen[-1].kept, seen[-1].in_flight) == (20, 0)


def test_a_stopped_run_is_no_success_and_goes_on_to_the_same_end(tmp_path: Path) -> None:
    slow = "trouble = { latency = 0.1 }\nmax_in_flight = 4"

    async def stopped() -> str:
        stop = asyncio.Event()

        def watch(progress: Progress) -> None:
            if progress.calls > 10:
                stop.set()

        outcome = await grow(config(tmp_path, teacher=slow), watch=watch, stop=stop)
        with Journal(tmp_path / "run" / "journal.db") as journal:
            assert journal.in_doubt() == []
        return outcome.status

    assert asyncio.run(stopped()) == "interrupted"
    assert run(config(tmp_path, teacher=slow)).status == "complete"
    run(config(tmp_path, run="whole", teacher=slow))
    assert made(tmp_path / "run") == made(tmp_path / "whole")


def test_an_interrupted_session_leaves_what_an_earlier_one_finished(tmp_path: Path) -> None:
    path = config(tmp_path)
    run(path)
    before = made(tmp_path / "run")

    async def stopped() -> None:
        stop = asyncio.Event()
        stop.set()
        outcome = await grow(path, stop=stop)
        assert outcome.manifest["counts"]["kept"] == 20

    asyncio.run(stopped())
    assert made(tmp_path / "run") == before


def test_asked_to_stop_and_cancelled_in_one_breath_it_waits_for_nothing(tmp_path: Path) -> None:
    """Two quick Ctrl-C: the second comes before the run has seen the first."""

    async def left() -> None:
        stop, begun = asyncio.Event(), asyncio.Event()

        def watch(progress: Progress) -> None:
            if progress.in_flight:
                begun.set()

        path = config(tmp_path, teacher="trouble = { latency = 600.0 }")
        task = asyncio.create_task(grow(path, watch=watch, stop=stop))
        await asyncio.wait_for(begun.wait(), 60)
        stop.set()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(asyncio.shield(task), 60)

    asyncio.run(left())
    with Journal(tmp_path / "run" / "journal.db") as journal:
        assert journal.in_doubt()


def test_a_teacher_that_cannot_do_it_ends_short_and_says_why(tmp_path: Path) -> None:
    outcome = run(config(tmp_path, teacher="trouble = { malformed = 1.0 }"))
    assert outcome.status == "short"
    assert outcome.manifest["counts"]["kept"] == 0
    assert outcome.manifest["counts"]["dropped"] == 20


def test_two_runs_of_one_folder_do_not_meet(tmp_path: Path) -> None:
    path = config(tmp_path)
    run(path)
    with (
        Journal(tmp_path / "run" / "journal.db"),
        pytest.raises(JournalError, match="another process is writing"),
    ):
        run(path)


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot be made"):
        run(config(tmp_path, run="file"))


def test_a_judged_example_leads_to_its_verdict_too(tmp_path: Path) -> None:
    run(config(tmp_path, skillmix="presence_judge = true"))
    database = sqlite3.connect(tmp_path / "run" / "journal.db")
    for example in lines(tmp_path / "run" / "examples.jsonl"):
        key = example["calls"][3]
        row = database.execute("select answer from effects where key = ?", (key,)).fetchone()
        assert ": yes" in json.loads(row[0])["text"]
