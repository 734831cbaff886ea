"""IFEval: 25 kinds of instruction that a program can check; no judge, no network, no chance.

    prompts = read_prompts(folder / PROMPTS_FILE)
    result = score(prompts, responses, student="…")

`check_for` gives a single check; `must_follow` makes a filter on data of it.
"""

from __future__ import annotations

from seedbed.evaluate.ifeval.checks import Check
from seedbed.evaluate.ifeval.instructions import INSTRUCTIONS, check_for
from seedbed.evaluate.ifeval.prompts import (
    PROMPTS_FILE,
    IfevalPrompt,
    read_prompts,
    read_responses,
)
from seedbed.evaluate.ifeval.scoring import Verdicts, metric_of, must_follow, score, verdicts

__all__ = [
    "INSTRUCTIONS",
    "PROMPTS_FILE",
    "Check",
    "IfevalPrompt",
    "Verdicts",
    "check_for",
    "metric_of",
    "must_follow",
    "read_prompts",
    "read_responses",
    "score",
    "verdicts",
]
