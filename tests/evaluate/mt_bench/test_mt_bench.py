from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import pytest
from tests.evaluate.made import write_mt_bench

from seedbed.errors import DatasetError, ModelError
from seedbed.evaluate.answers import Student
from seedbed.evaluate.judge import Judge
from seedbed.evaluate.mt_bench import (
    MtBench,
    Rated,
    judge_request,
    measure,
    questions,
    rating,
    read_mt_bench,
    score,
)
from seedbed.models.model import FakeModel
from seedbed.records import JSON, Completion, Request

DATA = Path(__file__).parents[3] / "../shared/data/mt_bench"
JUDGMENTS = DATA / "judgment_ultrachat_gpt-4_single.jsonl"

here = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data/mt_bench is not here")


def _bench(folder: Path) -> MtBench:
    return read_mt_bench(write_mt_bench(folder))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Good. Rating: [[7]]", 7.0),
        ("[[8.5]] and later [[2]]", 8.5),
        ("Rating: [6]", 6.0),
        ("[3] first, but [[9]] counts", 9.0),
        ("I rate it 7/10.", None),
        ("", None),
        ("Rating: [[11]]", None),
        ("Rating: [[0]]", None),
        ("[[rating]]", None),
    ],
)
def test_a_rating_is_read_or_is_none(text: str, value: float | None) -> None:
    assert rating(text) == value


def test_prompts_are_filled_in_one_pass_and_with_references_where_needed(tmp_path: Path) -> None:
    bench = _bench(tmp_path)
    first = judge_request(bench, bench.questions[0], 1, ["{question}"])
    assert first.messages[1].content == "Q Write {answer}. A {question} E"
    assert (first.sampling.temperature, first.sampling.max_tokens) == (0.0, 2048)
    second = judge_request(bench, bench.questions[1], 2, ["five", "ten"])
    assert second.messages[0].content == "You judge: single-math-v1-multi-turn."
    assert second.messages[1].content == "R 5 10 Q 2 + 3? five Twice that? ten E"


def test_each_category_has_its_temperature(tmp_path: Path) -> None:
    asked = questions(_bench(tmp_path), max_tokens=99)
    assert [one.sampling.temperature for one in asked] == [0.7, 0.0, 0.3]
    assert {one.sampling.max_tokens for one in asked} == {99}


def test_the_second_turn_sees_the_students_own_first_answer(tmp_path: Path) -> None:
    bench = _bench(tmp_path)
    seen: list[Request] = []

    async def say(request: Request) -> Completion:
        seen.append(request)
        return Completion(text=f"answer {len(request.messages)}", finish_reason="length")

    async def rate(request: Request) -> Completion:
        prompt = request.messages[1].content
        return Completion(text="no idea" if "2 + 3" in prompt else "[[4]]")

    student, judge = Student(FakeModel(say)), Judge(FakeModel(rate, name="judge"))
    result, answers = asyncio.run(measure(bench, student, judge))
    conversations = [one for one in seen if len(one.messages) == 3]
    assert len(conversations) == 3
    assert all(one.messages[1].content == "answer 1" for one in conversations)
    assert [[one.text for one in said if one] for said in answers] == [["answer 1", "answer 3"]] * 3
    overall = result.measurement("score")
    assert (overall.value, overall.n, overall.expected_n, overall.judge) == (4.0, 4, 6, "judge")
    assert overall.notes == (
        "2 of 6 turns have no rating and are in no mean.",
        "6 of 6 answers ended at the length limit.",
    )
    assert "score_math" not in {one.metric for one in result.measurements}


def test_a_turn_that_the_server_would_not_take_is_not_judged(tmp_path: Path) -> None:
    async def say(request: Request) -> Completion:
        if request.messages[0].content == "A":
            return Completion(text="", finish_reason="rejected")
        return Completion(text="fine")

    async def rate(request: Request) -> Completion:
        return Completion(text="[[5]]")

    student, judge = Student(FakeModel(say)), Judge(FakeModel(rate))
    result, _ = asyncio.run(measure(_bench(tmp_path), student, judge))
    assert (judge.asked, result.measurement("score").n) == (4, 4)
    assert (result.measurement("score").expected_n, student.rejected) == (6, 1)


def test_where_no_rating_can_be_read_it_is_an_error() -> None:
    rated = [Rated(question="1", category="x", turn=turn, rating=None) for turn in (1, 2)]
    with pytest.raises(ModelError, match="nothing could be scored"):
        score(rated, student="s", judge="j")


def test_intervals_are_over_questions_not_turns() -> None:
    """Both turns of a question rated alike say no more than one of them."""
    rated = [
        Rated(question=str(n), category="x", turn=turn, rating=float(n % 10 + 1))
        for n in range(40)
        for turn in (1, 2)
    ]
    result = score(rated, student="s", judge="j")
    both, first = result.measurement("score"), result.measurement("score_turn1")
    assert both.standard_error == pytest.approx(first.standard_error)


@pytest.mark.parametrize(
    ("name", "line", "said"),
    [
        ("question.jsonl", '{"question_id": 1}', "expected question_id"),
        ("question.jsonl", "", "no questions"),
        (
            "question.jsonl",
            '{"question_id": 9, "category": "math", "turns": ["a", "b"]}',
            "needs a reference",
        ),
        ("judge_prompts.jsonl", "", "no prompt 'single-v1'"),
        ("reference_answer_gpt-4.jsonl", '{"question_id": 1, "choices": []}', "expected choices"),
    ],
)
def test_a_bad_file_is_refused(tmp_path: Path, name: str, line: str, said: str) -> None:
    _bench(tmp_path)
    (tmp_path / name).write_text(line)
    with pytest.raises(DatasetError, match=said):
        read_mt_bench(tmp_path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="reference answers"):
        read_mt_bench(tmp_path)


def _judgments() -> list[dict[str, JSON]]:
    return [json.loads(line) for line in JUDGMENTS.read_text(encoding="utf-8").splitlines()]


@here
def test_the_published_judgments_are_read_without_a_mismatch() -> None:
    rows = _judgments()
    assert len(rows) == 480
    assert [rating(row["judgment"]) for row in rows] == [row["score"] for row in rows]


@here
@pytest.mark.parametrize(
    ("model", "first", "second", "both"),
    [
        ("ultrachat_baseline", 6.7625, 6.0250, 6.39375),
        ("ultrachat_cai", 7.1000, 5.9250, 6.5125),
        ("ultrachat_sai", 7.1500, 6.2000, 6.6750),
    ],
)
def test_the_published_judgments_have_the_published_means(
    model: str, first: float, second: float, both: float
) -> None:
    categories = {one.id: one.category for one in read_mt_bench(DATA).questions}
    rated = [
        Rated(
            question=str(row["question_id"]),
            category=categories[str(row["question_id"])],
            turn=row["turn"],
            rating=rating(row["judgment"]),
        )
        for row in _judgments()
        if row["model"] == model
    ]
    result = score(rated, student=model, judge="gpt-4")
    values = {one.metric: one.value for one in result.measurements}
    assert values["score"] == pytest.approx(both, abs=1e-9)
    assert values["score_turn1"] == pytest.approx(first, abs=1e-9)
    assert values["score_turn2"] == pytest.approx(second, abs=1e-9)
    assert len([metric for metric in values if "turn" not in metric]) == 9
    error = result.measurement("score").standard_error
    assert error is not None
    assert 0.25 < error < 0.40


@here
def test_our_judge_prompts_are_the_published_ones_letter_for_letter() -> None:
    """The answers are cut out of the published prompts, which are then made again from them."""
    bench = read_mt_bench(DATA)
    by_id = {one.id: one for one in bench.questions}
    checked = 0
    for row in _judgments():
        question, prompt = by_id[str(row["question_id"])], row["user_prompt"]
        if row["turn"] == 1:
            found = re.search(
                r"\[The Start of Assistant's Answer\]\n(.*)\n\[The End of", prompt, re.DOTALL
            )
        else:
            marks = [
                re.escape(f"### User:\n{turn}\n\n### Assistant A:\n") for turn in question.turns
            ]
            found = re.search(
                rf"{marks[0]}(.*)\n\n{marks[1]}(.*)\n\n<\|The End of Assistant A", prompt, re.DOTALL
            )
        assert found, prompt
        request = judge_request(bench, question, row["turn"], list(found.groups()))
        assert request.messages[1].content == prompt
        checked += 1
    assert checked == 480
