"""WildBench v2: 1,024 real conversations, each with a checklist for the judge.

Source: Lin et al. 2024, arXiv:2406.04770, and the repository's code and leaderboard files.
"""

from __future__ import annotations

from seedbed.evaluate.wild_bench.averages import adjusted, category_means, macro, macro_interval
from seedbed.evaluate.wild_bench.data import (
    CATEGORIES,
    WEIGHTS,
    WildBench,
    WildTask,
    read_wild_bench,
)
from seedbed.evaluate.wild_bench.judging import (
    pairwise_request,
    read_choice,
    read_score,
    score_request,
)
from seedbed.evaluate.wild_bench.measuring import measure, score
from seedbed.evaluate.wild_bench.reward import penalized, reward_answers, reward_of
from seedbed.evaluate.wild_bench.scoring import ANSWERING, Marked, mark_answers, questions

__all__ = [
    "ANSWERING",
    "CATEGORIES",
    "WEIGHTS",
    "Marked",
    "WildBench",
    "WildTask",
    "adjusted",
    "category_means",
    "macro",
    "macro_interval",
    "mark_answers",
    "measure",
    "pairwise_request",
    "penalized",
    "questions",
    "read_choice",
    "read_score",
    "read_wild_bench",
    "reward_answers",
    "reward_of",
    "score",
    "score_request",
]
