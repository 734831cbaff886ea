"""The whole benchmark: answers, scores, and rewards where there are references."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from seedbed.evaluate.answers import Answers, Student, sampling_json
from seedbed.evaluate.judge import Judge
from seedbed.evaluate.means import Means, result_of
from seedbed.evaluate.measurement import Item, Measurement, Result
from seedbed.evaluate.wild_bench.data import WildBench
from seedbed.evaluate.wild_bench.reward import MARGIN, reward_answers
from seedbed.evaluate.wild_bench.scoring import (
    ANSWERING,
    Marked,
    mark_answers,
    measured,
    questions,
    scores_of,
)
from seedbed.records import JSON, Sampling


async def measure(
    bench: WildBench,
    student: Student,
    judge: Judge,
    *,
    sampling: Sampling = ANSWERING,
    margin: int = MARGIN,
    settings: Mapping[str, JSON] | None = None,
) -> tuple[Result, list[Answers]]:
    """Ask, judge, and score; the answers come along.

    Metrics: `wb_score` (-80 to 100), for each reference `wb_reward_NAME` (-100 to 100), and
    `wb_reward`, the mean over the references; each also as `_macro` and by category (`_coding`, …).

    Raises:
        ModelError: the student or the judge could not be asked.
    """
    answers = [said async for said in student.answer_all(questions(bench, sampling))]
    scored = {"wb_score": await mark_answers(bench, answers, judge)}
    for name in bench.references:
        scored[f"wb_reward_{slug(name)}"] = await reward_answers(
            bench, answers, judge, reference=name, margin=margin
        )
    means = Means(
        benchmark="wild_bench",
        student=student.name,
        judge=judge.name,
        settings={"files": bench.digest, "margin": margin}
        | sampling_json(sampling)
        | dict(settings or {}),
        dollars=judge.dollars,
        notes=(*student.notes(), *judge.notes()),
    )
    return score(scored, means, answers), answers


def score(
    scored: Mapping[str, Sequence[Marked]], means: Means, answers: Sequence[Answers]
) -> Result:
    """All metrics over all tasks.

    Raises:
        ModelError: nothing could be scored.
    """
    rewards = [marked for name, marked in scored.items() if name != "wb_score"]
    every = dict(scored)
    if rewards:
        every["wb_reward"] = [_mixed(group) for group in zip(*rewards, strict=True)]
    found: list[Measurement | None] = []
    for metric, marked in every.items():
        said = replace(means, notes=(*_empty(metric, answers), *means.notes))
        found += measured(marked, metric, said)
    first = next(iter(every.values()))
    items = [
        Item(
            id=one.task,
            scores={
                name: value
                for metric, marked in every.items()
                for name, value in scores_of(marked[place], metric).items()
            },
            chars=one.chars,
        )
        for place, one in enumerate(first)
    ]
    return result_of(found, items)


def _mixed(group: tuple[Marked, ...]) -> Marked:
    """A task's mean reward over the references; None where one of them has none."""
    values = [one.value for one in group if one.value is not None]
    whole = len(values) == len(group)
    return replace(
        group[0],
        value=sum(values) / len(values) if whole else None,
        counted=all(one.counted for one in group),
    )


def _empty(metric: str, answers: Sequence[Answers]) -> tuple[str, ...]:
    empty = sum(said[0] is not None and not said[0].text.strip() for said in answers)
    if not empty or metric == "wb_score":
        return ()
    return (
        f"{empty:,} empty responses count as 0, as on the leaderboard, which is no worse than a "
        "tie; look at wb_score as well.",
    )


def slug(name: str) -> str:
    """A model's name as it stands in a metric."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
