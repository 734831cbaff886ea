"""Exact accuracy on held-out skill mixes of the practice world; no judge, no network.

An item needs k skills, and a response to it is marked from the two texts alone. How responses are
made is not this package's matter: draw the items, answer them in whatever way, and `score`.

    items = held_out(PracticeSettings(skills=names), trained=instructions)
    result = score(items, responses, student="…", trained=instructions)
"""

from __future__ import annotations

from seedbed.evaluate.practice.items import (
    PracticeItem,
    PracticeSettings,
    held_out,
    pairs_of,
    seen,
    skills_in,
    task_key,
)
from seedbed.evaluate.practice.marks import Guesses, PracticeMark, commonest, mark
from seedbed.evaluate.practice.result import score

__all__ = [
    "Guesses",
    "PracticeItem",
    "PracticeMark",
    "PracticeSettings",
    "commonest",
    "held_out",
    "mark",
    "pairs_of",
    "score",
    "seen",
    "skills_in",
    "task_key",
]
