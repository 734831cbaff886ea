"""What the judge is asked, and the score or the choice in its answer."""

from __future__ import annotations

import json
import re

from seedbed.evaluate.lines import fill
from seedbed.evaluate.wild_bench.data import WildBench, WildTask
from seedbed.records import JSON, Completion, Message, Request, Sampling

JUDGING = Sampling(temperature=0.0, max_tokens=1024)

MOST_WORDS = 1000
"""Words of the history, the query and each response that a pairwise judge is shown."""

TRUNCATED = "... (truncated)"

REWARDS = {"A++": 1.0, "A+": 0.5, "A=B": 0.0, "B+": -0.5, "B++": -1.0}
"""What a choice is worth to the response that was shown first."""


def score_request(bench: WildBench, task: WildTask, response: str) -> Request:
    """Ask for a score from 1 to 10; nothing is cut."""
    values = {
        "history": task.history,
        "user_query": task.query,
        "model_output": response,
        "checklist": _checklist(task),
    }
    fields = ("strengths", "weaknesses", "score")
    return _request(fill(bench.score_template, values, mark="{$%s}"), fields)


def pairwise_request(bench: WildBench, task: WildTask, first: str, second: str) -> Request:
    """Ask which of two responses is better; what is long is cut, as the leaderboard does."""
    values = {
        "history": shorten(task.history),
        "user_query": shorten(task.query),
        "candidate_A": shorten(first),
        "candidate_B": shorten(second),
        "checklist": _checklist(task),
    }
    fields = ("analysis of A", "analysis of B", "choice")
    return _request(fill(bench.pairwise_template, values, mark="{$%s}"), fields)


def _request(prompt: str, fields: tuple[str, ...]) -> Request:
    """The schema is for servers that can enforce one; the template asks for the same."""
    schema: dict[str, JSON] = {
        "type": "object",
        "properties": {field: {"type": "string"} for field in fields},
        "required": list(fields),
        "additionalProperties": False,
    }
    return Request(messages=(Message("user", prompt),), sampling=JUDGING, schema=schema)


def _checklist(task: WildTask) -> str:
    return "".join(f"- {entry}\n" for entry in task.checklist)


def shorten(text: str) -> str:
    words = text.split(" ")
    return text if len(words) <= MOST_WORDS else " ".join(words[:MOST_WORDS]) + TRUNCATED


def read_score(completion: Completion) -> float | None:
    """The score of a judgment; None where there is none on the scale of 1 to 10."""
    try:
        score = float(field_of(completion.text, "score"))
    except ValueError:
        return None
    return score if 1 <= score <= 10 else None


def read_choice(completion: Completion) -> str | None:
    """One of `REWARDS`, or None."""
    choice = field_of(completion.text, "choice").strip()
    return choice if choice in REWARDS else None


def field_of(text: str, name: str) -> str:
    """A field of a JSON object, even where the object does not parse (a quote or a comma is wrong);
    empty where it is not there."""
    cut = text[text.find("{") : text.rfind("}") + 1]
    try:
        content = json.loads(cut)
    except (ValueError, RecursionError):
        content = None
    if isinstance(content, dict):
        value = content.get(name, "")
        return str(value) if isinstance(value, str | int | float) else ""
    found = re.findall(rf'"{name}"\s*:\s*"?([^",}}\n]*)', text)
    return str(found[-1]).strip() if found else ""
