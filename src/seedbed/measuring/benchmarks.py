"""Each benchmark made ready: its files read before anything is asked, then one function to run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from seedbed.errors import ConfigError
from seedbed.evaluate.answers import (
    Answers,
    Question,
    Student,
    sampling_json,
    write_answers,
    write_outputs,
)
from seedbed.evaluate.judge import Judge
from seedbed.evaluate.measurement import Measurement, Result
from seedbed.evaluate.safety import constant_notes, family_notes, injection_notes
from seedbed.files import json_line, write_text
from seedbed.measuring.plan import EvalPlan
from seedbed.projections import read_examples
from seedbed.records import JSON, Sampling

GREEDY = Sampling(temperature=0.0, max_tokens=1280)
"""IFEval's; practice needs less."""

PRACTICE = Sampling(temperature=0.0, max_tokens=512)

ALPACA = Sampling(temperature=0.9, max_tokens=2048)
"""As Instruct-SkillMix's published outputs were made."""

Run = Callable[[Student, Judge | None], Awaitable[Result]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A benchmark that can be run. `turns` and `judgments` are how many will be asked for."""

    name: str
    turns: int
    judgments: int
    run: Run


def ready(plan: EvalPlan, name: str) -> Ready:
    """Read a benchmark's files.

    Raises:
        SeedbedError: they are not there, or not what they should be.
    """
    return _READY[name](plan)


async def single(
    student: Student, questions: Sequence[Question]
) -> tuple[list[Answers], list[str | None]]:
    """Answers to single turns, and their texts."""
    answers = [said async for said in student.answer_all(questions)]
    return answers, [said[0].text if said[0] else None for said in answers]


def kept(plan: EvalPlan, name: str) -> Path:
    return plan.folder / "answers" / f"{name}.jsonl"


def limited(plan: EvalPlan, of: int) -> tuple[dict[str, JSON], tuple[str, ...]]:
    """Settings and a note that say so where only a part is asked."""
    if plan.limit is None or plan.limit >= of:
        return {}, ()
    return {"limit": plan.limit}, (f"Only the first {plan.limit:,} of {of:,}.",)


def _practice(plan: EvalPlan) -> Ready:
    from seedbed.evaluate.practice import PracticeSettings, held_out, score, skills_in

    trained = [one.instruction.text for run in plan.trained for one in read_examples(run.examples)]
    wish = plan.practice
    known = sorted({name for names in skills_in(trained) for name in names})
    skills = wish.skills or tuple(known)
    count = min(wish.count, max(1, (plan.limit or 10**9) // len(wish.ks)))
    settings = PracticeSettings(counts=dict.fromkeys(wish.ks, count), seed=wish.seed)
    settings = replace(settings, skills=skills) if skills else settings
    items = held_out(settings, trained=trained)
    sampling = plan.sampling.on(PRACTICE)
    questions = [Question(id=one.id, turns=(one.instruction,), sampling=sampling) for one in items]
    limit, notes = limited(plan, wish.count * len(wish.ks))

    async def run(student: Student, _: Judge | None) -> Result:
        answers, texts = await single(student, questions)
        write_answers(kept(plan, "practice"), questions, answers)
        found = score(
            items,
            texts,
            student=student.name,
            trained=trained,
            settings={"set": settings.digest, "trained": len(trained)}
            | sampling_json(sampling)
            | limit,
        )
        return with_notes(found, (*notes, *student.notes()))

    return Ready(name="practice", turns=len(items), judgments=0, run=run)


def _ifeval(plan: EvalPlan) -> Ready:
    from seedbed.evaluate.ifeval import PROMPTS_FILE, read_prompts, score

    every = read_prompts(plan.needed_data("ifeval") / PROMPTS_FILE)
    prompts = every[: plan.limit]
    sampling = plan.sampling.on(GREEDY)
    questions = [Question(id=one.id, turns=(one.text,), sampling=sampling) for one in prompts]
    limit, notes = limited(plan, len(every))

    async def run(student: Student, _: Judge | None) -> Result:
        answers, texts = await single(student, questions)
        write_answers(kept(plan, "ifeval"), questions, answers)
        return score(
            prompts,
            texts,
            student=student.name,
            settings=sampling_json(sampling) | limit,
            notes=(*notes, *student.notes()),
        )

    return Ready(name="ifeval", turns=len(prompts), judgments=0, run=run)


def _mt_bench(plan: EvalPlan) -> Ready:
    from seedbed.evaluate import mt_bench

    every = mt_bench.read_mt_bench(plan.needed_data("mt_bench"))
    bench = replace(every, questions=every.questions[: plan.limit])
    most = plan.sampling.max_tokens or mt_bench.MAX_TOKENS
    limit, notes = limited(plan, len(every.questions))

    async def run(student: Student, judge: Judge | None) -> Result:
        found, answers = await mt_bench.measure(
            bench, student, needed(judge), settings=limit, max_tokens=most
        )
        questions = mt_bench.questions(bench, max_tokens=most)
        write_answers(kept(plan, "mt_bench"), questions, answers)
        return with_notes(found, (*notes, *warnings(plan, student, needed(judge), answers)))

    turns = 2 * len(bench.questions)
    return Ready(name="mt_bench", turns=turns, judgments=turns, run=run)


def _wild_bench(plan: EvalPlan) -> Ready:
    from seedbed.evaluate import wild_bench

    every = wild_bench.read_wild_bench(plan.needed_data("wild_bench"))
    bench = replace(every, tasks=every.tasks[: plan.limit])
    sampling = plan.sampling.on(wild_bench.ANSWERING)
    limit, notes = limited(plan, len(every.tasks))

    async def run(student: Student, judge: Judge | None) -> Result:
        found, answers = await wild_bench.measure(
            bench, student, needed(judge), sampling=sampling, settings=limit
        )
        write_answers(kept(plan, "wild_bench"), wild_bench.questions(bench, sampling), answers)
        return with_notes(found, (*notes, *warnings(plan, student, needed(judge), answers)))

    count = len(bench.tasks)
    judgments = count * (1 + len(bench.references))
    return Ready(name="wild_bench", turns=count, judgments=judgments, run=run)


def _alpaca_eval(plan: EvalPlan) -> Ready:
    from seedbed.evaluate.alpaca_eval import Protocol, Scoring, load_data, load_prompt, measure

    folder = plan.data_of("alpaca_eval")
    data = load_data(folder)
    protocol = Protocol(prompt=load_prompt(folder=folder), both_orders=plan.both_orders)
    sampling = plan.sampling.on(ALPACA)
    asked = data.instructions[: plan.limit]
    questions = [Question(id=text, turns=(text,), sampling=sampling) for text in asked]
    limit, notes = limited(plan, len(data.instructions))

    async def run(student: Student, judge: Judge | None) -> Result:
        answers, texts = await single(student, questions)
        place = plan.folder / "answers" / "alpaca_eval.json"
        write_outputs(place, questions, answers, generator=student.name)
        pairs = zip(asked, texts, strict=True)
        result, annotated = await measure(
            {instruction: text for instruction, text in pairs if text is not None},
            student=student.name,
            data=data,
            judge=needed(judge),
            protocol=protocol,
            scoring=Scoring(teacher=plan.teacher),
            settings=sampling_json(sampling) | limit,
            notes=(*notes, *student.notes()),
        )
        rows = json_line(annotated.rows(data))
        write_text(place.with_name("alpaca_eval_annotations.json"), rows)
        return result

    judgments = len(asked) * (2 if plan.both_orders else 1)
    return Ready(name="alpaca_eval", turns=len(asked), judgments=judgments, run=run)


def needed(judge: Judge | None) -> Judge:
    if judge is None:
        raise ConfigError("this benchmark needs a judge")
    return judge


def warnings(
    plan: EvalPlan, student: Student, judge: Judge, answers: Sequence[Answers]
) -> tuple[str, ...]:
    """What makes a judge's scores worthless, where it is seen in the answers."""
    texts = {
        f"{place + 1}/{turn + 1}": answer.text
        for place, said in enumerate(answers)
        for turn, answer in enumerate(said)
        if answer is not None
    }
    outputs = list(texts.values())
    return (
        *constant_notes([len(text) for text in outputs], outputs),
        *injection_notes(texts),
        *family_notes(judge=judge.name, student=student.name, teacher=plan.teacher),
    )


def with_notes(result: Result, notes: tuple[str, ...]) -> Result:
    """The same result, with notes before those that each measurement has."""

    def noted(one: Measurement) -> Measurement:
        return replace(one, notes=tuple(dict.fromkeys((*notes, *one.notes))))

    return replace(result, measurements=tuple(map(noted, result.measurements)))


def _held_out(plan: EvalPlan) -> Ready:
    from seedbed.measuring.held_out import held_out

    return held_out(plan)


_READY: Mapping[str, Callable[[EvalPlan], Ready]] = {
    "practice": _practice,
    "ifeval": _ifeval,
    "mt_bench": _mt_bench,
    "wild_bench": _wild_bench,
    "alpaca_eval": _alpaca_eval,
    "held_out": _held_out,
}
