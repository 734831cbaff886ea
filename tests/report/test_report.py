"""A report's numbers are those of the files, its story is concrete, and nothing has to be there."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from itertools import combinations
from pathlib import Path
from statistics import median

import pytest
from rouge_score import rouge_scorer
from tests.report.worlds import (
    chapter_of,
    example,
    figure_of,
    findings_of,
    measured,
    run_of,
    samples_of,
    section_of,
    tables_of,
    trained,
)
from tests.runs import lines

from seedbed.errors import ConfigError, DatasetError
from seedbed.records import Attempt, Drop, Example
from seedbed.report import make_report, write_report
from seedbed.report.document import Document
from seedbed.report.figures import binned
from seedbed.report.rows import read_rows
from seedbed.report.similarity import measure, wanted


def rows_of(document: Document, figure: str) -> dict[str, str]:
    return {row[0]: row[1] for row in figure_of(document, figure).table.rows}


def test_the_flow_counts_what_the_files_hold(practice_run: Path, practice_report: Document) -> None:
    examples, drops = lines(practice_run / "examples.jsonl"), lines(practice_run / "drops.jsonl")
    rows = rows_of(practice_report, "flow")
    assert rows["all items"] == str(len(examples) + len(drops))
    assert rows["kept"] == str(len(examples)) == "60"
    assert rows["kept, repaired"] == str(sum(1 for row in examples if row["repairs"]))
    reasons = Counter(row["reason"] for row in drops)
    assert reasons
    for reason, number in reasons.items():
        assert rows[reason.replace("_", " ")] == str(number)
    link = figure_of(practice_report, "flow").data[0]["link"]
    from_start = [v for s, v in zip(link["source"], link["value"], strict=True) if s == 0]
    assert sum(from_start) == len(examples) + len(drops)


def test_what_was_not_needed_any_more_is_no_loss_and_seeds_that_never_moved_steered_nothing(
    tmp_path: Path,
) -> None:
    examples = [example(f"Name the river number {n}.") for n in range(8)]
    more = [(example(f"Name the lake number {n}."), Drop(reason="beyond_count")) for n in range(2)]
    drops = [*more, (example("Name the sea."), Drop(reason="refusal"))]
    first, second = run_of(tmp_path / "a", examples, drops), run_of(tmp_path / "b", examples)
    (first / "batches.jsonl").write_text('{"batch": 1, "step": 1, "signals": {"loss": 2.0}}\n')
    document = make_report([first, second])
    sides = tables_of(document)[0]
    assert next(row for row in sides.rows if row[0] == "dropped")[1:] == ("11 %", "0 %")
    came, student = chapter_of(document, 1).cards[1], chapter_of(document, 1).cards[3]
    assert came.detail[:2] == [
        "1 dropped, 11 % of all items",
        "2 more were good, and not needed any more",
    ]
    assert (student.value, student.detail[0]) == ("trained", "1 training step, no seed moved")


def test_the_rounds_add_up_to_all_items(practice_run: Path, practice_report: Document) -> None:
    drawn = {trace["name"]: sum(trace["y"]) for trace in figure_of(practice_report, "rounds").data}
    drops = Counter(row["reason"] for row in lines(practice_run / "drops.jsonl"))
    assert drawn.pop("kept") == 60
    assert drawn == {reason.replace("_", " "): number for reason, number in drops.items()}


def test_skills_and_their_pairs_are_counted_right(
    practice_run: Path, practice_report: Document
) -> None:
    examples = lines(practice_run / "examples.jsonl")
    skills = Counter(skill for row in examples for skill in row["skills"])
    shown = rows_of(practice_report, "skills")
    assert shown == {name.replace("_", " "): str(number) for name, number in skills.items()}
    pairs = Counter(pair for row in examples for pair in combinations(sorted(row["skills"]), 2))
    grid = figure_of(practice_report, "pairs").data[0]["z"]
    assert sum(cell or 0 for row in grid for cell in row) == 2 * sum(pairs.values())
    kinds = Counter(row["query_type"] for row in examples)
    for name, number in kinds.items():
        assert rows_of(practice_report, "query-types")[name] == str(number)


def test_the_lengths_are_those_of_the_words(practice_run: Path, practice_report: Document) -> None:
    words = [len(row["response"].split()) for row in lines(practice_run / "examples.jsonl")]
    figure = figure_of(practice_report, "response-words")
    assert sum(figure.data[0]["y"]) == len(words)
    assert rows_of(practice_report, "response-words")["longest"] == f"{max(words)} words"
    (came,) = [card for card in chapter_of(practice_report).cards if card.title == "Came out"]
    assert any(f"{median(words):.3g} answered" in line for line in came.detail)


def test_bins_hold_every_value_once_and_say_what_is_beyond() -> None:
    values = [1] * 50 + list(range(2, 60)) + [10_000]
    bins = binned(values)
    assert sum(bins.counts) == len(values)
    assert bins.beyond == 1
    assert bins.names()[-1].endswith("or more")


def test_similarity_is_what_the_public_scorer_says(practice_run: Path) -> None:
    """The nearest neighbour of each instruction, by `rouge_score` and by every comparison."""
    rows = read_rows(practice_run / "examples.jsonl")[:25]
    scorer = rouge_scorer.RougeScorer(["rougeL"], use_stemmer=False)
    for near in measure(rows).nearest:
        others = [row.instruction for row in rows if row.id != near.row.id]
        best = max(scorer.score(near.row.instruction, other)["rougeL"].fmeasure for other in others)
        assert near.score == pytest.approx(best, abs=1e-9)


def test_near_duplicates_and_copies_are_found_and_told(tmp_path: Path) -> None:
    texts = [f"Write about topic {n} with {n} facts and {n * 7} figures of it." for n in range(30)]
    alike = "Count the red apples in the large basket by the door, then name the total, please."
    examples = [example(text) for text in texts]
    examples += [example(alike), example(alike.replace("red", "green"))]
    examples += [example("Sort these words by their length.", round=n) for n in range(3)]
    report = make_report([run_of(tmp_path / "run", examples)])
    (pairs,) = [t for t in tables_of(report) if t.caption.startswith("Which are most alike")]
    assert any({alike, alike.replace("red", "green")} == {row[1], row[2]} for row in pairs.rows)
    assert any(
        "2 instructions repeat another to the letter" in text for text in findings_of(report)
    )


def test_of_many_instructions_a_fixed_sample_is_compared_and_the_report_says_so(
    tmp_path: Path,
) -> None:
    assert wanted(100) == 100
    assert 500 == wanted(100_000) < wanted(4_000) < 4_000
    examples = [example(f"Task {n} about {n * n} and {n % 7}") for n in range(1_700)]
    report = make_report([run_of(tmp_path / "run", examples)])
    source = figure_of(report, "nearest").source
    assert "random sample of 1,500 of 1,700" in source
    assert "random sample of 1,500 of 1,700" in figure_of(report, "map").source


def test_skills_that_never_appear_are_named(tmp_path: Path) -> None:
    folder = run_of(tmp_path / "run", [example(f"Do it {n}", skills=("adding",)) for n in range(3)])
    pool = {"skills": [{"name": name} for name in ("adding", "knitting", "sewing")]}
    (folder / "skills.json").write_text(json.dumps(pool))
    report = make_report([folder])
    assert any("2 skills of 3 in the pool never appear: knitting, sewing" in text
               for text in findings_of(report))  # fmt: skip


def test_a_text_that_draws_the_drops_is_named(tmp_path: Path) -> None:
    evidence: dict[str, float | str] = {
        "score": 0.9,
        "limit": 0.7,
        "text": "Tell me a joke about cats.",
    }
    drops = [(Attempt(text=f"joke {n}"), Drop(reason="too_similar", evidence=evidence))
             for n in range(4)]  # fmt: skip
    report = make_report([run_of(tmp_path / "run", [example("Hello there")], drops)])
    assert any("4 of 4 drops for similarity" in text and "about cats" in text
               for text in findings_of(report))  # fmt: skip


def test_a_forecast_that_missed_is_told_by_how_much(tmp_path: Path) -> None:
    stage = {
        "calls": 150, "prompt_tokens": 10, "completion_tokens": 10, "cached_tokens": 0,
        "doubtful": 0, "dollars": 0.0, "finish_reasons": {"stop": 100, "length": 50},
    }  # fmt: skip
    expected = {
        "stage": "total", "calls": [80, 100], "prompt_tokens": [5, 15],
        "completion_tokens": [5, 15], "dollars": [0.0, 0.0],
    }  # fmt: skip
    folder = run_of(
        tmp_path / "run", [example("Hello")], stages={"examples": stage},
        forecast={"examples": expected}, status="complete",
    )  # fmt: skip
    told = findings_of(make_report([folder]))
    assert any("missed the calls of examples by 50 %" in text for text in told)
    assert any("33 % of the calls of examples were cut" in text for text in told)


def test_every_reason_has_its_clearest_cases_with_evidence(
    practice_run: Path, practice_report: Document
) -> None:
    reasons = {row["reason"] for row in lines(practice_run / "drops.jsonl")}
    shown = {samples.title for samples in samples_of(practice_report)}
    for reason in reasons:
        assert any(f"Dropped for: {reason.replace('_', ' ')} (" in title for title in shown)
    assert {"Good ones", "Borderline ones"} <= shown
    for samples in samples_of(practice_report):
        assert samples.items or samples.title == "Good ones"


def test_the_farthest_over_the_limit_comes_first_and_the_narrowest_is_borderline(
    tmp_path: Path,
) -> None:
    drops: list[tuple[Example, Drop]] = [
        (example(f"copy {score}"), Drop(reason="too_similar",
                                        evidence={"score": score, "limit": 0.7}))
        for score in (0.71, 0.99, 0.8)
    ]  # fmt: skip
    report = make_report([run_of(tmp_path / "run", [example("Hello")], drops)])
    by_title = {samples.title: samples for samples in samples_of(report)}
    cases = by_title["Dropped for: too similar (3)"]
    assert "0.99" in cases.items[0].why
    narrow = [item for item in by_title["Borderline ones"].items if "narrowly" in item.title]
    assert "0.71" in narrow[0].why


def test_every_block_says_what_it_was_computed_from(practice_report: Document) -> None:
    for chapter in practice_report.chapters:
        for section in chapter.sections:
            for block in section.blocks:
                source = getattr(block, "source", "a note")
                assert source, f"{section.title}: {block}"


def test_training_and_benchmarks_are_shown_with_their_numbers(
    practice_run: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(practice_run, tmp_path / "run")
    trained(folder)
    measured(folder)
    report = make_report([folder])
    assert "lowest after epoch 2, at 0.9000" in figure_of(report, "loss").answer
    assert rows_of(report, "signals")["loss"] == "1.5"
    assert figure_of(report, "benchmark-1").data[0]["x"] == [44.6]
    assert figure_of(report, "benchmark-1").data[0]["error_x"]["array"] == [pytest.approx(2.0)]
    told = findings_of(report)
    assert any("rises to 1.1000 by the last: overfitting" in text for text in told)
    assert any("rests on 800 of 805 items" in text for text in told)
    assert chapter_of(report).cards[-1].value == "44.6 (42.6 to 46.6)"


def test_a_line_that_training_is_writing_is_not_there_yet(tmp_path: Path) -> None:
    folder = run_of(tmp_path / "run", [example("Hello")])
    trained(folder)
    with (folder / "training" / "log.jsonl").open("a") as file:
        file.write('{"step": 31, "lo')
    assert "30 lines" in figure_of(make_report([folder]), "loss").source


def test_runs_stand_side_by_side(practice_run: Path, tmp_path: Path) -> None:
    other = run_of(tmp_path / "other", [example(f"Say {n}") for n in range(20)], teacher="gpt-x")
    measured(other, value=10.0)
    report = make_report([practice_run, other])
    assert [chapter.title for chapter in report.chapters] == ["Side by side", "run", "other"]
    (numbers,) = [t for t in tables_of(report) if t.caption == "What is the same, and what is not?"]
    rows = {row[0]: row[1:] for row in numbers.rows}
    assert tuple(rows["examples kept"]) == ("60", "20")
    assert tuple(rows["alpaca_eval win_rate"]) == ("–", "10 (8 to 12)")
    assert any("different teachers" in text for text in findings_of(report))
    ids = [s.id for c in report.chapters for s in c.sections] + [c.id for c in report.chapters]
    assert len(set(ids)) == len(ids)


def test_an_interrupted_run_says_how_to_go_on(tmp_path: Path) -> None:
    folder = run_of(tmp_path / "run", [example("Hello")], status="interrupted")
    assert "interrupted with 1 examples" in findings_of(make_report([folder]))[0]


def test_a_killed_run_without_files_is_reported_too(tmp_path: Path) -> None:
    folder = run_of(
        tmp_path / "run", [], status="running",
        progress={"kept": 7, "dropped": 2, "stage": "examples"},
    )  # fmt: skip
    (folder / "examples.jsonl").unlink()
    (folder / "drops.jsonl").unlink()
    report = make_report([folder])
    assert "7 kept and 2 dropped" in findings_of(report)[0]
    write_report(report, tmp_path / "page.html", tmp_path / "page.md")


def test_a_single_example_makes_a_report(tmp_path: Path) -> None:
    report = make_report([run_of(tmp_path / "run", [example("x", "")])])
    assert section_of(report, "lengths").blocks


def test_the_same_files_give_the_same_report(practice_run: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_report(
            make_report([practice_run]), tmp_path / f"{name}.html", tmp_path / f"{name}.md"
        )
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "two.html").read_bytes()
    assert (tmp_path / "one.md").read_bytes() == (tmp_path / "two.md").read_bytes()


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    folder = run_of(tmp_path / "run", [example("Hello")])
    with (folder / "examples.jsonl").open("a") as file:
        file.write('{"instruction": "cut')
    with pytest.raises(DatasetError, match=r"examples\.jsonl: line 2"):
        make_report([folder])


def test_what_is_no_run_and_a_run_named_twice_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not of a run"):
        make_report([tmp_path])
    folder = run_of(tmp_path / "run", [example("Hello")])
    with pytest.raises(ConfigError, match="named twice"):
        make_report([folder, folder])
