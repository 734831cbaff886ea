from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.evaluate.made import wild_task, write_wild_bench

from seedbed.errors import DatasetError
from seedbed.evaluate.answers import Student
from seedbed.evaluate.judge import Judge
from seedbed.evaluate.wild_bench import (
    CATEGORIES,
    WEIGHTS,
    WildBench,
    adjusted,
    category_means,
    macro,
    macro_interval,
    measure,
    pairwise_request,
    penalized,
    read_choice,
    read_score,
    read_wild_bench,
    reward_of,
    score_request,
)
from seedbed.models.model import FakeModel
from seedbed.records import JSON, Completion, Request

DATA = Path(__file__).parents[3] / "../shared/data/wildbench"

here = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data/wildbench is not here")


def _bench(folder: Path, *, references: dict[str, dict[str, str]] | None = None) -> WildBench:
    return read_wild_bench(write_wild_bench(folder, references=references))


def _model(say: Callable[[str], str], *, name: str = "fake") -> FakeModel:
    async def answer(request: Request) -> Completion:
        return Completion(text=say(request.messages[-1].content))

    return FakeModel(answer, name=name)


def test_a_judge_reads_the_conversation_and_the_checklist(tmp_path: Path) -> None:
    bench = _bench(tmp_path)
    request = score_request(bench, bench.tasks[0], "My {$checklist}")
    assert request.messages[0].content == (
        "H USER: Hello\n\nASSISTANT: Hi\n\n Q Query of t0 O My {$checklist} "
        "C - Is it right?\n- Is it {$model_output}?\n E"
    )
    assert (request.sampling.temperature, request.sampling.max_tokens) == (0.0, 1024)


def test_a_pairwise_judge_sees_1000_words_of_each(tmp_path: Path) -> None:
    bench = _bench(tmp_path, references={"ref": {}})
    request = pairwise_request(bench, bench.tasks[0], "w " * 999 + "w", "w " * 1000 + "w")
    first, second = request.messages[0].content.split(" B w", 1)
    assert "truncated" not in first
    assert second.count("w") == 999
    assert "w... (truncated) C" in second


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ('{"strengths": "s", "score": "7"}', 7.0),
        ('{"score": 8}', 8.0),
        ('Here:\n```\n{"strengths": "a", "score": "6.5"}\n```', 6.5),
        ('{"strengths": "a "quoted" word", "score": "4",}', 4.0),
        ('{"score": "11"}', None),
        ('{"score": "high"}', None),
        ('{"strengths": "none"}', None),
        ("7", None),
        ("", None),
    ],
)
def test_a_score_is_read_or_is_none(text: str, score: float | None) -> None:
    assert read_score(Completion(text=text)) == score


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ('{"choice": "A++"}', "A++"),
        ('{"analysis of A": "x "y"", "choice": "B+",\n}', "B+"),
        ('{"choice": "A=B"}', "A=B"),
        ('{"choice": "A"}', None),
        ("A++", None),
    ],
)
def test_a_choice_is_read_or_is_none(text: str, choice: str | None) -> None:
    assert read_choice(Completion(text=text)) == choice


@pytest.mark.parametrize(
    ("reward", "chars", "reference", "after"),
    [
        (0.5, 1501, 1000, 0.0),
        (0.5, 1500, 1000, 0.5),
        (-0.5, 1000, 1501, 0.0),
        (-0.5, 1501, 1000, -0.5),
        (1.0, 9000, 10, 1.0),
        (-1.0, 10, 9000, -1.0),
    ],
)
def test_only_slight_wins_of_the_longer_become_ties(
    reward: float, chars: int, reference: int, after: float
) -> None:
    assert penalized(reward, chars=chars, reference_chars=reference, margin=500) == after
    assert penalized(reward, chars=chars, reference_chars=reference, margin=-1) == reward


def test_macro_needs_all_categories() -> None:
    values = dict.fromkeys(WEIGHTS, 10.0)
    assert macro(values) == 10.0
    assert macro(values | {"Coding & Debugging": 57.5}) == pytest.approx(10 + 47.5 * 1.25 / 4.75)
    values.pop("Math & Data Analysis")
    assert macro(values) is None
    assert set(CATEGORIES.values()) == set(WEIGHTS)
    assert len(CATEGORIES) == 12


def test_a_task_counts_in_all_of_its_categories_and_the_interval_holds_the_mean() -> None:
    names = list(WEIGHTS)
    categories = [(names[n % 5], names[(n + 1) % 5]) for n in range(100)]
    values = [float(n % 7) for n in range(100)]
    means = category_means(values, categories)
    assert set(means) == set(names)
    middle, spread = macro(means), macro_interval(values, categories)
    assert middle is not None
    assert spread is not None
    error, low, high = spread
    assert low < middle < high
    assert 0.5 * 2 / 10 < error < 2 * 2 / 10
    assert macro_interval(values, categories) == spread
    assert macro_interval(values[:1], categories[:1]) is None


def test_scores_rewards_and_what_is_left_out(tmp_path: Path) -> None:
    """Ten tasks: t3 answered with nothing, t4 at great length, t5's score unreadable. The judge
    likes whatever is longer, slightly."""
    texts = {"t3": " ", "t4": "long " * 1200, "t6": "x" * 700}
    outputs = {f"t{number}": "reference" for number in range(10)}
    bench = _bench(tmp_path, references={"Ref-1": outputs})

    def judge(prompt: str) -> str:
        if " A " in prompt:
            first, _, rest = prompt.partition(" A ")[2].partition(" B ")
            return json.dumps({"choice": "A+" if len(first) > len(rest.split(" C ")[0]) else "B+"})
        return "?" if "Query of t5" in prompt else '{"score": "8"}'

    judging = Judge(_model(judge, name="judge"))
    student = Student(_model(lambda query: texts.get(query.split()[-1], "a longer answer")))
    result, _ = asyncio.run(measure(bench, student, judging))
    score = result.measurement("wb_score")
    assert (score.n, score.expected_n) == (9, 10)
    assert score.value == pytest.approx((8 * 60 - 80) / 9)
    assert "1 of 10 tasks have no value" in score.notes[0]
    coding = result.measurement("wb_score_coding")
    assert (coding.value, coding.n, coding.expected_n) == (60.0, 2, 2)
    assert result.measurement("wb_score_macro").value == 60.0
    reward = result.measurement("wb_reward_ref_1")
    # Won slightly but for t3 (empty) and t4 (cut), 0 each, and t6, a tie: 691 characters longer.
    assert reward.value == pytest.approx(7 * 50 / 10)
    assert reward.n == 10
    assert "1 empty responses count as 0" in reward.notes[0]
    assert result.measurement("wb_reward").value == reward.value
    items = {item.id: item.scores for item in result.items}
    assert items["t3"] == {"wb_score": -80.0, "wb_reward_ref_1": 0.0, "wb_reward": 0.0}
    assert "wb_score" not in items["t5"]
    assert items["t6"]["wb_reward_ref_1"] == 0.0
    assert judging.asked == 9 + 8


def test_the_order_of_a_pair_is_drawn_once_for_all_students(tmp_path: Path) -> None:
    bench = _bench(tmp_path, references={"ref": {f"t{n}": "reference" for n in range(10)}})
    seen: dict[str, list[bool]] = {"one": [], "two": []}
    for name in seen:

        def judge(prompt: str, name: str = name) -> str:
            if " A " not in prompt:
                return '{"score": "5"}'
            seen[name].append(f"A {name}" in prompt)
            return '{"choice": "A=B"}'

        def say(_: str, name: str = name) -> str:
            return name

        asyncio.run(measure(bench, Student(_model(say)), Judge(_model(judge))))
    assert seen["one"] == seen["two"]
    assert {True, False} == set(seen["one"])


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"session_id": "x"}, "expected session_id, conversation_input and checklist"),
        (wild_task("x", "Poetry"), "unknown tag 'Poetry'"),
        (wild_task("x", "Math") | {"conversation_input": [{"role": "user"}]}, "turns with a role"),
        (
            wild_task("x", "Math")
            | {"conversation_input": [{"role": "assistant", "content": "y"}]},
            "does not end with the user",
        ),
    ],
)
def test_a_bad_task_is_refused(tmp_path: Path, row: dict[str, JSON], said: str) -> None:
    _bench(tmp_path)
    (tmp_path / "tasks.jsonl").write_text(json.dumps(row))
    with pytest.raises(DatasetError, match=said):
        read_wild_bench(tmp_path)


def test_tasks_come_as_parquet_too(tmp_path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    plain = _bench(tmp_path)
    rows = [json.loads(line) for line in (tmp_path / "tasks.jsonl").read_text().splitlines()]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "test.parquet")
    (tmp_path / "tasks.jsonl").unlink()
    assert read_wild_bench(tmp_path) == plain


def test_a_folder_without_tasks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="0 files of tasks"):
        read_wild_bench(tmp_path)


def _board(name: str) -> dict[str, dict[str, JSON]]:
    content: dict[str, dict[str, JSON]] = json.loads((DATA / "leaderboard" / name).read_text())
    return content


@here
def test_the_published_judgments_of_one_model_have_its_published_score() -> None:
    rows = json.loads((DATA / "score_gemma-2b-it.json").read_text(encoding="utf-8"))
    scores = [
        read_score(Completion(text=json.dumps(row["parsed_result"], ensure_ascii=False)))
        for row in rows
    ]
    assert scores == [float(row["score"]) for row in rows]
    mean = sum(adjusted(float(row["score"])) for row in rows) / len(rows)
    assert mean == pytest.approx(-5.2498, abs=5e-5)
    assert mean == pytest.approx(_board("score.json")["gemma-2b-it"]["adjusted_score"] * 10)


@here
def test_the_scores_of_all_61_models_follow_from_their_categories() -> None:
    board = _board("score.json")
    assert len(board) == 61
    for row in board.values():
        assert macro(row["task_categorized_scores"]) == pytest.approx(
            row["task_macro_score"], abs=1e-12
        )
        assert adjusted(row["score"]) == pytest.approx(10 * row["adjusted_score"], abs=1e-12)


@here
@pytest.mark.parametrize(
    ("name", "models"),
    [("gpt4t-K=-1", 51), ("gpt4t-K=500", 51), ("haiku-K=500", 53), ("llama-K=500", 51)],
)
def test_the_rewards_of_all_models_follow_from_their_counts(name: str, models: int) -> None:
    board = _board(f"pairwise-{name}.json")
    assert len(board) == models
    for row in board.values():
        assert reward_of(row, row["total"]) == pytest.approx(row["reward"], abs=1e-12)
        by_category = {
            category: reward_of(counts, sum(counts.values()))
            for category, counts in row["task_categorized_results"].items()
        }
        assert by_category == pytest.approx(row["task_categorized_rewards"], abs=1e-12)
        assert macro(by_category) == pytest.approx(row["task_macro_reward"], abs=1e-12)
