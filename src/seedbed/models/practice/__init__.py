"""The practice teacher: a language model without weights, made of programmatic skills.

It is the embedded default, a test double and a laboratory: what it writes is true by construction,
and a student's answer to any of its instructions can be marked without a judge.
"""

from __future__ import annotations

from seedbed.models.practice.examples import make
from seedbed.models.practice.marking import skills_of, verify
from seedbed.models.practice.skill import PracticeSkill
from seedbed.models.practice.teacher import PracticeTeacher
from seedbed.models.practice.trouble import Trouble
from seedbed.models.practice.world import skills, topics

__all__ = [
    "PracticeSkill",
    "PracticeTeacher",
    "Trouble",
    "make",
    "skills",
    "skills_of",
    "topics",
    "verify",
]
