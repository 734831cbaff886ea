"""`skills.json`: the skills and query types that a run draws from, for people to read and edit."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from seedbed.errors import ConfigError
from seedbed.records import JSON, QueryType, Skill


@dataclass(frozen=True, slots=True, kw_only=True)
class SkillSet:
    """What stage one of Instruct-SkillMix results in; `made_by` says how."""

    skills: tuple[Skill, ...]
    query_types: tuple[QueryType, ...]
    made_by: Mapping[str, JSON] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(skill.name for skill in self.skills)


def normalise(name: str) -> str:
    """One spelling per skill: lower-case words of any script, joined by underscores."""
    return re.sub(r"[\W_]+", "_", name.casefold()).strip("_")


def distinct(skills: Iterable[Skill]) -> tuple[Skill, ...]:
    """Normalised skills in order, the first of each name kept, the nameless left out."""
    found: dict[str, Skill] = {}
    for skill in skills:
        name = normalise(skill.name)
        if name and name not in found:
            found[name] = Skill(name=name, topic=normalise(skill.topic), uses=skill.uses)
    return tuple(found.values())


_ENDINGS = re.compile(
    r"(ization|ational|ations|ation|ments|ment|ings|ing|ness|ies|ers|er|es|s|e|y)$"
)


def stems(name: str) -> frozenset[str]:
    """The words of a name without their commonest English endings; short words stay whole."""
    words = (word for word in name.split("_") if word not in {"and", "of", "the", "for", "in"})
    return frozenset(_ENDINGS.sub("", word) if len(word) > 4 else word for word in words)


def alike(first: str, second: str) -> bool:
    """Whether two skills are so near that a mix of both is no mix.

    True where the words of one are among the other's ("data_analysis", "data_analysis_methods") or
    the names share at least two thirds of their words. MATH² rejects such pairs by asking a model;
    this costs nothing and is blind to synonyms.
    """
    one, two = stems(first), stems(second)
    shared = len(one & two)
    return shared == min(len(one), len(two)) or 3 * shared >= 2 * len(one | two)


def skills_to_json(skills: SkillSet) -> str:
    content = {
        "made_by": dict(skills.made_by),
        "query_types": [
            {"name": kind.name, "definition": kind.definition, "examples": list(kind.examples)}
            for kind in skills.query_types
        ],
        "skills": [
            {"name": skill.name}
            | ({"topic": skill.topic} if skill.topic else {})
            | ({"uses": skill.uses} if skill.uses else {})
            for skill in skills.skills
        ],
    }
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def load_skills(path: Path) -> SkillSet:
    """Read a `skills.json`, or a text file with one skill a line (as the paper's release has it).

    Raises:
        ConfigError: missing, not UTF-8, not JSON, or not of the shape; it names the entry.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(
            f"{path}: no such skills file", hint="`seedbed skills CONFIG` writes one."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: the skills file cannot be read: {error}") from error
    if path.suffix == ".txt":
        return SkillSet(
            skills=distinct(Skill(name=line) for line in text.splitlines()),
            query_types=(),
            made_by={"source": path.name},
        )
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigError(
            f"{path}: not JSON: {error.msg} in line {error.lineno}, column {error.colno}"
        ) from None
    return _skillset(path, content)


def _skillset(path: Path, content: JSON) -> SkillSet:
    if not isinstance(content, dict) or not isinstance(content.get("skills"), list):
        raise ConfigError(
            f'{path}: expected an object with a list "skills"',
            hint='For example {"skills": [{"name": "unit_conversion"}], "query_types": []}.',
        )
    skills = [
        Skill(
            name=_text(path, f"skills[{number}]", entry, "name"),
            topic=str(entry.get("topic", "")),
            uses=int(entry.get("uses", 0)),
        )
        if isinstance(entry, dict)
        else Skill(name=_text(path, f"skills[{number}]", {"name": entry}, "name"))
        for number, entry in enumerate(content["skills"])
    ]
    kinds = [
        QueryType(
            name=_text(path, f"query_types[{number}]", entry, "name"),
            definition=str(entry.get("definition", "")),
            examples=tuple(str(example) for example in entry.get("examples", ())),
        )
        for number, entry in enumerate(content.get("query_types", []))
    ]
    return SkillSet(
        skills=distinct(skills), query_types=tuple(kinds), made_by=content.get("made_by", {})
    )


def _text(path: Path, place: str, entry: JSON, key: str) -> str:
    value = entry.get(key) if isinstance(entry, dict) else entry
    if not isinstance(value, str) or not value.strip():
        raise ConfigError(
            f'{path}: {place}: expected an object with a text "{key}", got {str(entry)[:80]!r}'
        )
    return value.strip()
