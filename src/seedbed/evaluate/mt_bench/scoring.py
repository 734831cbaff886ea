"""From ratings to the benchmark's means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from seedbed.evaluate.answers import Answers, Question, Student
from seedbed.evaluate.judge import Judge
from seedbed.evaluate.means import Means, result_of
from seedbed.evaluate.measurement import Item, Result
from seedbed.evaluate.mt_bench.data import MtBench
from seedbed.evaluate.mt_bench.judging import judge_request, read_rating
from seedbed.records import JSON, Sampling

MAX_TOKENS = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Rated:
    """One turn of a question: the rating (None where none could be read or asked for)."""

    question: str
    category: str
    turn: int
    rating: float | None
    chars: int = 0


def questions(bench: MtBench, *, max_tokens: int = MAX_TOKENS) -> list[Question]:
    """What the student is asked, each category at its temperature."""
    return [
        Question(
            id=one.id,
            turns=one.turns,
            sampling=Sampling(temperature=one.temperature, max_tokens=max_tokens),
        )
        for one in bench.questions
    ]


async def judge_answers(
    bench: MtBench, answers: Sequence[Answers], judge: Judge
) -> tuple[Rated, ...]:
    """Have every turn that was answered rated.

    Raises:
        ModelError: the judge could not be asked.
    """
    turns = []
    for question, said in zip(bench.questions, answers, strict=True):
        texts = [one.text for one in said if one is not None]
        turns += [(question, turn, texts) for turn in (1, 2)]
    asked = [one for one in turns if len(one[2]) >= one[1]]
    requests = [judge_request(bench, *one) for one in asked]
    ratings = [judgment.value async for judgment in judge.ask_all(requests, read_rating)]
    known = {
        (question.id, turn): value
        for (question, turn, _), value in zip(asked, ratings, strict=True)
    }
    return tuple(
        Rated(
            question=question.id,
            category=question.category,
            turn=turn,
            rating=known.get((question.id, turn)),
            chars=len(texts[turn - 1]) if len(texts) >= turn else 0,
        )
        for question, turn, texts in turns
    )


def score(
    rated: Sequence[Rated],
    *,
    student: str,
    judge: str,
    settings: Mapping[str, JSON] | None = None,
    dollars: float | None = 0.0,
    notes: tuple[str, ...] = (),
) -> Result:
    """The mean rating of all turns, of each turn, and of each category, on the scale 1 to 10.

    Metrics: `score` (all rated turns, categories not weighted), `score_turn1`, `score_turn2`,
    `score_CATEGORY`. The two turns of a question stand together: intervals are over questions. A
    turn without a rating is expected and not counted, and the notes say how many.

    Raises:
        ModelError: no turn has a rating.
    """
    lost = sum(one.rating is None for one in rated)
    said = f"{lost:,} of {len(rated):,} turns have no rating and are in no mean."
    means = Means(
        benchmark="mt_bench",
        student=student,
        judge=judge,
        settings=dict(settings or {}),
        dollars=dollars,
        notes=(said, *notes) if lost else notes,
    )
    items = tuple(_item(one) for one in rated)
    splits: dict[str, list[Item]] = {}
    for one, item in zip(rated, items, strict=True):
        for metric in _metrics(one):
            splits.setdefault(metric, []).append(item)
    order = sorted(splits, key=lambda name: (name != "score", "turn" not in name, name))
    measured = (means(splits[metric], metric) for metric in order)
    return result_of(measured, items)


def _metrics(rated: Rated) -> tuple[str, ...]:
    return "score", f"score_turn{rated.turn}", f"score_{rated.category}"


def _item(rated: Rated) -> Item:
    scores = {} if rated.rating is None else dict.fromkeys(_metrics(rated), rated.rating)
    return Item(
        id=f"{rated.question}/{rated.turn}",
        scores=scores,
        chars=rated.chars,
        group=rated.question,
    )


async def measure(
    bench: MtBench,
    student: Student,
    judge: Judge,
    *,
    settings: Mapping[str, JSON] | None = None,
    max_tokens: int = MAX_TOKENS,
) -> tuple[Result, list[Answers]]:
    """Ask, judge, and score; the answers come along.

    Raises:
        ModelError: the student or the judge could not be asked.
    """
    asked = questions(bench, max_tokens=max_tokens)
    answers = [said async for said in student.answer_all(asked)]
    rated = await judge_answers(bench, answers, judge)
    known = {"files": bench.digest, "max_tokens": max_tokens, "grading": "single"}
    result = score(
        rated,
        student=student.name,
        judge=judge.name,
        settings=known | dict(settings or {}),
        dollars=judge.dollars,
        notes=student.notes(),
    )
    return result, answers
