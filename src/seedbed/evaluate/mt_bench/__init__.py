"""MT-Bench: 80 questions of two turns, each turn rated from 1 to 10 by a judge (single grading).

Source: Zheng et al. 2023, arXiv:2306.05685, and the published files of FastChat's `llm_judge`.
"""

from __future__ import annotations

from seedbed.evaluate.mt_bench.data import MtBench, MtQuestion, read_mt_bench
from seedbed.evaluate.mt_bench.judging import judge_request, rating
from seedbed.evaluate.mt_bench.scoring import (
    MAX_TOKENS,
    Rated,
    judge_answers,
    measure,
    questions,
    score,
)

__all__ = [
    "MAX_TOKENS",
    "MtBench",
    "MtQuestion",
    "Rated",
    "judge_answers",
    "judge_request",
    "measure",
    "questions",
    "rating",
    "read_mt_bench",
    "score",
]
