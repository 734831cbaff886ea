"""The skills and topics that there are. Change the version whenever an answer changes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random

from seedbed.errors import ConfigError
from seedbed.models.practice import (
    skills_arithmetic,
    skills_dates,
    skills_measures,
    skills_ordering,
    skills_output,
    skills_reading,
    skills_sets,
    skills_text,
)
from seedbed.models.practice.skill import PracticeSkill

WORLD_VERSION = 1

_SKILLS = {
    skill.name: skill
    for skill in (
        *skills_arithmetic.SKILLS,
        *skills_ordering.SKILLS,
        *skills_reading.SKILLS,
        *skills_text.SKILLS,
        *skills_sets.SKILLS,
        *skills_measures.SKILLS,
        *skills_dates.SKILLS,
        *skills_output.SKILLS,
    )
}

_TOPICS = {
    topic: tuple(skill for skill in _SKILLS.values() if skill.topic == topic)
    for topic in dict.fromkeys(skill.topic for skill in _SKILLS.values())
}


def skills() -> tuple[PracticeSkill, ...]:
    """All practice skills, topic by topic."""
    return tuple(skill for group in _TOPICS.values() for skill in group)


def topics() -> tuple[str, ...]:
    return tuple(_TOPICS)


def skills_under(topic: str) -> tuple[PracticeSkill, ...]:
    """The skills of a topic; none where the world has no such topic."""
    return _TOPICS.get(topic, ())


def skill_named(name: str) -> PracticeSkill:
    return _SKILLS[name]


def skill_topic(name: str) -> str:
    """The topic of a skill; empty where the world has no such skill."""
    return _SKILLS[name].topic if name in _SKILLS else ""


def unknown(names: Iterable[str]) -> tuple[str, ...]:
    """Those names that are neither a skill nor a topic of this world."""
    return tuple(name for name in names if name not in _SKILLS and name not in _TOPICS)


def resolve(names: Sequence[str], rng: Random) -> tuple[PracticeSkill, ...]:
    """The distinct skills that are meant: a topic stands for one of its skills.

    Raises:
        ConfigError: a name is neither a skill nor a topic, or none is given.
    """
    if missing := unknown(names):
        raise ConfigError(
            f"practice: no skill or topic {missing[0]!r}",
            hint=f"Its topics are {', '.join(_TOPICS)}; `skills()` lists the skills.",
        )
    if not names:
        raise ConfigError("practice: no skill given; expected at least one")
    chosen = {name: _SKILLS[name] for name in names if name in _SKILLS}
    for topic in (name for name in names if name not in _SKILLS):
        free = [skill for skill in _TOPICS[topic] if skill.name not in chosen]
        skill = rng.choice(free or list(_TOPICS[topic]))
        chosen[skill.name] = skill
    return tuple(chosen.values())
