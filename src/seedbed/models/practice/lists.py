"""Answers that are lists: topics, skills, query types, labels, families, verdicts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from seedbed.models.practice.asked import Asked
from seedbed.models.practice.marking import verify
from seedbed.models.practice.material import WORDS
from seedbed.models.practice.query_types import QUERY_TYPES, PracticeQueryType
from seedbed.models.practice.reading import (
    between,
    count_wanted,
    known_names,
    labelled,
    names_in,
    section,
    slot,
    spelled,
)
from seedbed.models.practice.recognise import recognise
from seedbed.models.practice.world import skill_topic, skills_under, topics

NONE = "none"

EVERYTHING = 1000


def list_topics(asked: Asked) -> str:
    return _named(topics(), asked)


def list_skills(asked: Asked) -> str:
    topic = spelled(labelled(asked.prompt, "topic"))
    return _named([skill.name for skill in skills_under(topic)], asked)


def _named(names: Sequence[str], asked: Asked) -> str:
    """Up to the wanted number of names that are not listed already, in a random order."""
    known = known_names(asked.prompt)
    fresh = [name for name in asked.rng.sample(names, len(names)) if name not in known]
    return "\n".join(fresh[: count_wanted(asked.prompt, otherwise=EVERYTHING)]) or NONE


def list_query_types(asked: Asked) -> str:
    known = known_names(asked.prompt)
    kinds = [
        kind
        for kind in asked.rng.sample(QUERY_TYPES, len(QUERY_TYPES))
        if spelled(kind.name) not in known
    ]
    wanted = count_wanted(asked.prompt, otherwise=EVERYTHING)
    return "\n\n".join(_entry(kind, kind.examples) for kind in kinds[:wanted]) or NONE


def _entry(kind: PracticeQueryType, examples: Iterable[str]) -> str:
    return "\n".join(
        (f"### {kind.name}", kind.definition, *(f'- "{example}"' for example in examples))
    )


_CUES = {
    "Instructional": r"\bhow (?:to|do|can|should)\b|\bexplain\b|\bstep by step\b",
    "Comparative": r"\b(?:compare|contrast|differences?|versus|better)\b",
    "Error Detection": r"\b(?:errors?|mistakes?|fix|proofread|incorrect|grammar)\b",
    "Planning": r"\b(?:plan|schedule|prepare|itinerary|budget)\b",
    "Decision-Making": r"\b(?:should i|choose|recommend|suggest|decide)\b",
    "Clarification-Seeking": r"\b(?:meaning|define|definition|what does)\b",
    "Verification": r"\b(?:true or false|is it true|check|verify)\b",
    "Narrative": r"\b(?:story|poem|tale|narrative|dialogue)\b",
    "Interpretation": r"\b(?:analy[sz]e|interpret|classify|identify|summari[sz]e)\b",
    "Information-Seeking": r"^(?:what|who|when|where|which|name|list|find|tell)\b",
    "Task Execution": r"\b(?:convert|rewrite|translate|sort|calculate|generate|create|edit)\b",
}


def infer_query_types(asked: Asked) -> str:
    """The types whose cue words, or whose own openings, occur among the instructions."""
    body = between(asked.prompt, "instructions", "")
    instructions = [line.lstrip("-* ").strip() for line in body.splitlines() if line.strip()]
    entries = []
    for kind in QUERY_TYPES:
        cue = re.compile(_CUES.get(kind.name, r"(?!)"), re.IGNORECASE)
        meant = [
            text for text in instructions if text.startswith(kind.openings) or cue.search(text)
        ]
        if meant:
            entries.append(_entry(kind, (text.replace('"', "'") for text in meant[:2])))
    return "\n\n".join(entries[: count_wanted(asked.prompt, otherwise=EVERYTHING)]) or NONE


def label(asked: Asked) -> str:
    instruction = between(asked.prompt, "instruction", "response")
    limit = count_wanted(asked.prompt, otherwise=3)
    return "\n".join(recognise(instruction)[:limit]) or NONE


def relabel(asked: Asked) -> str:
    """From a closed list, the skills of the instruction or, failing those, their topics."""
    listed = {spelled(name): name.strip() for name in section(asked.prompt, "list").splitlines()}
    needed = recognise(between(asked.prompt, "instruction", "chosen skills"))
    chosen = [name if name in listed else skill_topic(name) for name in needed]
    fitting = dict.fromkeys(listed[name] for name in chosen if name in listed)
    return "\n".join(list(fitting)[: count_wanted(asked.prompt, otherwise=3)]) or NONE


OTHERS = "other_skills"
"""The family of labels that are no practice skills, where they do not fit one by one."""


def cluster(asked: Asked) -> str:
    """The topics of the labels that are practice skills; other labels as they are, or together."""
    labels = names_in(section(asked.prompt, "labels"))
    limit = count_wanted(asked.prompt, otherwise=EVERYTHING)
    families = dict.fromkeys(skill_topic(name) for name in labels if skill_topic(name))
    others = dict.fromkeys(name for name in labels if not skill_topic(name))
    if len(families) + len(others) > limit:
        return "\n".join([*list(families)[: max(1, limit - 1)], *([OTHERS] if limit > 1 else [])])
    return "\n".join([*families, *others]) or NONE


def presence(asked: Asked) -> str:
    """A verdict per skill: needed by the instruction, and the response not known to be wrong."""
    instruction = between(asked.prompt, "instruction", "response")
    response = between(asked.prompt, "response", "verdicts")
    needed = recognise(instruction) if verify(instruction, response) is not False else ()
    covered = {*needed, *(skill_topic(name) for name in needed)}
    names = [name.strip() for name in slot(asked.prompt, "skills").split(",")]
    return "\n".join(f"{name}: {'yes' if spelled(name) in covered else 'no'}" for name in names)


def sentence(asked: Asked) -> str:
    """A sentence of some fifteen words that says nothing, another for every draw."""
    first, second, *others = asked.rng.sample(WORDS, 9)
    return f"The {first} and the {second} were there before {', '.join(others)} and all the rest."
