"""`seedbed eval`: a student, benchmarks and a judge wired to journal, budget and files."""

from __future__ import annotations

from seedbed.measuring.plan import BENCHMARKS, EvalPlan, PracticePlan, SamplingWish
from seedbed.measuring.running import EvalOutcome, EvalProgress, measure
from seedbed.measuring.students import Subject, read_eval_config, subject_of

__all__ = [
    "BENCHMARKS",
    "EvalOutcome",
    "EvalPlan",
    "EvalProgress",
    "PracticePlan",
    "SamplingWish",
    "Subject",
    "measure",
    "read_eval_config",
    "subject_of",
]
