"""Single grading: what the judge is asked about each turn, and the rating in its answer."""

from __future__ import annotations

import re

from seedbed.evaluate.lines import fill
from seedbed.evaluate.mt_bench.data import MtBench, MtQuestion
from seedbed.records import Completion, Message, Request, Sampling

JUDGING = Sampling(temperature=0.0, max_tokens=2048)


def judge_request(bench: MtBench, question: MtQuestion, turn: int, answers: list[str]) -> Request:
    """Ask for a rating of turn 1 or 2; the second is judged with the whole conversation.

    Args:
        bench: has the prompts.
        question: what was asked.
        turn: 1 or 2.
        answers: the student's, up to that turn.
    """
    name = "single-math-v1" if question.references else "single-v1"
    first, second = question.turns
    if turn == 1:
        values = {"question": first, "answer": answers[0]}
    else:
        name += "-multi-turn"
        values = {
            "question_1": first,
            "question_2": second,
            "answer_1": answers[0],
            "answer_2": answers[1],
        }
    if question.references:
        values |= {
            "ref_answer_1": question.references[0],
            "ref_answer_2": question.references[1],
        }
    prompt = bench.prompts[name]
    messages = (Message("system", prompt.system), Message("user", fill(prompt.template, values)))
    return Request(messages=messages, sampling=JUDGING)


_RATINGS = (re.compile(r"\[\[(\d+\.?\d*)\]\]"), re.compile(r"\[(\d+\.?\d*)\]"))


def rating(text: str) -> float | None:
    """The first [[rating]] of a judgment, else the first [rating]; None where there is none.

    A number outside 1 to 10 is no rating on the scale that the judge was given. (The official code
    takes it; none occurs among the published judgments that we have.)
    """
    for pattern in _RATINGS:
        if match := pattern.search(text):
            value = float(match[1])
            return value if 1 <= value <= 10 else None
    return None


def read_rating(completion: Completion) -> float | None:
    return rating(completion.text)
