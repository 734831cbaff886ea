"""WB-Score: every response marked from 1 to 10."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from seedbed.evaluate.answers import Answers, Question
from seedbed.evaluate.judge import Judge
from seedbed.evaluate.means import Means
from seedbed.evaluate.measurement import Item, Measurement
from seedbed.evaluate.wild_bench.averages import adjusted, category_means, macro, macro_interval
from seedbed.evaluate.wild_bench.data import (
    CODING,
    CREATIVE,
    INFORMATION,
    MATH,
    PLANNING,
    WildBench,
    WildTask,
)
from seedbed.evaluate.wild_bench.judging import read_score, score_request
from seedbed.records import Sampling

ANSWERING = Sampling(temperature=0.0, max_tokens=4096)

SHORT: Mapping[str, str] = {
    CREATIVE: "creative",
    PLANNING: "planning",
    MATH: "math",
    INFORMATION: "information",
    CODING: "coding",
}
"""How the metrics call a category."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """A task's number under one metric; None where it could not be had.

    `counted` is False where the categories leave it out although the overall mean has it.
    """

    task: str
    categories: tuple[str, ...]
    value: float | None
    chars: int
    counted: bool = True


def questions(bench: WildBench, sampling: Sampling = ANSWERING) -> list[Question]:
    """What the student is asked: the query after its conversation."""
    return [
        Question(id=task.id, turns=(task.query,), before=task.before, sampling=sampling)
        for task in bench.tasks
    ]


async def mark_answers(
    bench: WildBench, answers: Sequence[Answers], judge: Judge
) -> tuple[Marked, ...]:
    """Have every response scored. An empty one gets the lowest score without a call.

    Raises:
        ModelError: the judge could not be asked.
    """
    texts = [said[0].text if said[0] else None for said in answers]
    pairs = list(zip(bench.tasks, texts, strict=True))
    requests = [score_request(bench, task, text) for task, text in pairs if text and text.strip()]
    scores = iter([one.value async for one in judge.ask_all(requests, read_score)])
    return tuple(_marked(task, text, scores) for task, text in pairs)


def _marked(task: WildTask, text: str | None, scores: Iterator[float | None]) -> Marked:
    if text is None:
        return Marked(task=task.id, categories=task.categories, value=None, chars=0)
    empty = not text.strip()
    score = 1.0 if empty else next(scores)
    return Marked(
        task=task.id,
        categories=task.categories,
        value=None if score is None else adjusted(score),
        chars=len(text),
        counted=not empty,
    )


def measured(marked: Sequence[Marked], metric: str, means: Means) -> Iterator[Measurement | None]:
    """The overall mean, the task-macro average, and each category's mean.

    As on the leaderboard, the overall mean holds every task that has a value, categories only
    those that are counted.
    """
    lost = sum(one.value is None for one in marked)
    said = f"{lost:,} of {len(marked):,} tasks have no value and are in no mean."
    means = replace(means, notes=(said, *means.notes)) if lost else means
    items = [_item(one, metric) for one in marked]
    overall = means(items, metric)
    yield overall
    if overall is not None:
        yield _macro(marked, metric, means, overall)
    for category, name in SHORT.items():
        members = [one for one in marked if category in one.categories and one.counted]
        yield means([_item(one, metric) for one in members], f"{metric}_{name}")


def _macro(
    marked: Sequence[Marked], metric: str, means: Means, overall: Measurement
) -> Measurement | None:
    kept = [one for one in marked if one.value is not None and one.counted]
    values = [one.value for one in kept if one.value is not None]
    categories = [one.categories for one in kept]
    value, spread = macro(category_means(values, categories)), macro_interval(values, categories)
    if value is None or spread is None:
        return None
    error, low, high = spread
    return replace(
        overall,
        metric=f"{metric}_macro",
        value=value,
        standard_error=error,
        low=min(low, value),
        high=max(high, value),
        n=len(kept),
        notes=means.notes,
    )


def _item(marked: Marked, metric: str) -> Item:
    return Item(id=marked.task, scores=scores_of(marked, metric), chars=marked.chars)


def scores_of(marked: Marked, metric: str) -> dict[str, float]:
    """An item's scores: under the metric, and under its categories'."""
    if marked.value is None:
        return {}
    scores = {metric: marked.value}
    if marked.counted:
        scores |= {f"{metric}_{SHORT[name]}": marked.value for name in marked.categories}
    return scores
