"""The benchmark `held_out`: what a training set aside, judged against the teacher's responses.

Source: Instruct-SkillMix, which chooses its epoch so, on 100 held-out examples. The judge and its
protocol are AlpacaEval's; the baseline is the response that the example holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan
from pathlib import Path

from seedbed.errors import ConfigError
from seedbed.evaluate.alpaca_eval import Protocol, load_prompt
from seedbed.evaluate.alpaca_eval.annotate import annotate
from seedbed.evaluate.alpaca_eval.annotations import Annotated
from seedbed.evaluate.answers import Question, Student, sampling_json, write_answers
from seedbed.evaluate.judge import Judge
from seedbed.evaluate.means import Means, result_of
from seedbed.evaluate.measurement import Item, Result
from seedbed.measuring.benchmarks import ALPACA, Ready, kept, limited, needed, single, warnings
from seedbed.measuring.plan import EvalPlan
from seedbed.projections import read_examples
from seedbed.records import Example, digest

NAME = "held_out"
METRIC = "win_rate"
FILE = "held_out.jsonl"
"""In the training's folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Responses:
    """What a student is held against: the teacher's response to each instruction."""

    baseline: str
    instructions: tuple[str, ...]
    outputs: tuple[str, ...]


def set_aside_in(training: Path) -> list[Example]:
    """The examples that a training set aside; of those that ask the same, the first.

    Raises:
        ConfigError: it wrote none, or set none aside.
        DatasetError: they cannot be read.
    """
    path = training / FILE
    if not path.exists():
        raise ConfigError(
            f"{training}: no {FILE}, the examples that training sets aside",
            hint="`seedbed train` writes it. A training of an earlier version has to be made "
            "again, with another --out.",
        )
    found: dict[str, Example] = {}
    for example in read_examples(path):
        found.setdefault(example.asked, example)
    if not found:
        raise ConfigError(
            f"{path}: nothing was set aside, so there is nothing to judge",
            hint="Train with --held-out N, or with --set held_out_file=FILE.",
        )
    return list(found.values())


def held_out(plan: EvalPlan) -> Ready:
    """Make it ready for a checkpoint of a training.

    Raises:
        ConfigError: the student is no checkpoint of a training, or nothing was set aside.
    """
    if plan.subject.folder is None:
        raise ConfigError(
            "held_out: only a training's own checkpoints can be asked",
            hint="Name a training's folder, or a checkpoint in it.",
        )
    every = set_aside_in(plan.subject.folder.parents[2])
    examples = every[: plan.limit]
    responses = Responses(
        baseline=plan.teacher or "teacher",
        instructions=tuple(example.asked for example in examples),
        outputs=tuple(example.response for example in examples),
    )
    protocol = Protocol(prompt=load_prompt(), both_orders=plan.both_orders)
    sampling = plan.sampling.on(ALPACA)
    questions = [
        Question(id=example.id, turns=(example.asked,), sampling=sampling) for example in examples
    ]
    limit, notes = limited(plan, len(every))
    settings = sampling_json(sampling) | limit | protocol.settings
    settings |= {"held_out": digest([example.id for example in examples])[:16]}

    async def run(student: Student, given: Judge | None) -> Result:
        judge = needed(given)
        answers, texts = await single(student, questions)
        write_answers(kept(plan, NAME), questions, answers)
        pairs = zip(responses.instructions, texts, strict=True)
        annotated = await annotate(
            {asked: text for asked, text in pairs if text is not None},
            student=student.name,
            data=responses,
            judge=judge,
            protocol=protocol,
        )
        items = _items(examples, texts, annotated)
        means = Means(
            benchmark=NAME,
            student=student.name,
            judge=judge.name,
            settings=settings | {"preferences_from": _read_from(annotated)},
            dollars=judge.dollars,
            notes=(
                *notes,
                *warnings(plan, student, judge, answers),
                *student.notes(),
                *protocol.notes(),
                *judge.notes(),
            ),
        )
        return result_of([means(items, METRIC)], items)

    judgments = len(examples) * (2 if plan.both_orders else 1)
    return Ready(name=NAME, turns=len(examples), judgments=judgments, run=run)


def _read_from(annotated: Annotated) -> str:
    return "text" if annotated.from_text else "log-probabilities"


def _items(
    examples: list[Example], texts: list[str | None], annotated: Annotated
) -> tuple[Item, ...]:
    """A win is 100, a loss 0; what was not answered or could not be read has no score."""
    preferences = dict(zip(annotated.place, annotated.preference, strict=True))
    return tuple(
        Item(
            id=example.id,
            scores={} if isnan(found) else {METRIC: 100 * (found - 1)},
            chars=len(text or ""),
        )
        for place, (example, text) in enumerate(zip(examples, texts, strict=True))
        for found in (preferences.get(place, float("nan")),)
    )
