"""`skills.json`: the skills and query types that a run draws from, for people to read and edit."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from unicodedata import category, normalize

from seedbed.errors import ConfigError
from seedbed.records import JSON, QueryType, Skill, digest


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
    """One spelling per skill: lower-case words of any script, joined by underscores.

    Combining marks belong to their letter, which `\\w` does not know; "c++" and "c#" are not "c".
    """
    folded = normalize("NFKC", normalize("NFKC", name).casefold()).replace("++", " plus plus ")
    folded = re.sub(r"(?<=\w)#", " sharp ", folded)
    spaced = "".join(letter if _is_of_a_word(letter) else " " for letter in folded)
    return "_".join(spaced.split())


def _is_of_a_word(letter: str) -> bool:
    return letter.isalnum() or category(letter).startswith("M")


def distinct(skills: Iterable[Skill]) -> tuple[Skill, ...]:
    """Normalised skills in order, the first of each name kept, the nameless left out."""
    found: dict[str, Skill] = {}
    for skill in skills:
        name = normalise(skill.name)
        if name and name not in found:
            found[name] = Skill(name=name, topic=normalise(skill.topic), uses=skill.uses)
    return tuple(found.values())


_ENDINGS = re.compile(
    r"(?<=\w{3})(?:i[sz]ation(?:al|s)?|i[sz]ing|ational|ations?|atory|ional|ions?|abilit(?:y|ies)|"
    r"able|iv(?:e|ity)|ical|ics?|isms?|it(?:y|ies)|ments?|ings?|ness|ies|ers?|es|s|e|y)$"
)

_SMALL_WORDS = {"and", "of", "the", "for", "in", "to", "with", "a"}


@lru_cache(maxsize=100_000)
def stems(name: str) -> frozenset[str]:
    """The words of a name without the commonest English endings and doubled last letters."""
    words = [word for word in name.split("_") if word not in _SMALL_WORDS]
    return frozenset(re.sub(r"(\w)\1$", r"\1", _ENDINGS.sub("", word)) for word in words)


_FILLERS = stems(
    "ability_basic_competency_fundamental_implementation_method_practice_principle_procedure_process_"
    "skill_strategy_technique_training"
)
"""Words that tell hardly more about a skill than that it is one."""


def alike(first: str, second: str) -> bool:
    """Whether two skills are so near that a mix of both is no mix.

    True where two or more words of one are all of the other's too, so that who does the one does
    the other as well ("data_analysis", "climate_data_analysis"); where the names differ in fillers
    only ("cooking_techniques", "cooking_skills"), or in where words are joined. "writing" and
    "grant_writing" may meet. MATH² rejects such pairs by asking a model; this costs nothing and is
    blind to synonyms.

    Among the 640,146 pairs of the 1,132 released skills it finds 189, of which we take 6 for
    merely related, such as "screen_time_management" and "time_management".
    """
    one, two = stems(first), stems(second)
    less, more = sorted((one, two), key=len)
    if len(less) > 1 and less <= more:
        return True
    if (core := one - _FILLERS) and core == two - _FILLERS:
        return True
    return first.replace("_", "") == second.replace("_", "")


def skills_to_json(skills: SkillSet) -> str:
    """The file's text. Its `digest` tells whether a person has changed it since (`edited`)."""
    content: dict[str, JSON] = {
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
    content["digest"] = digest(content)
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def edited(path: Path) -> bool:
    """Whether the file at `path` is there and is not as seedbed wrote it."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return False
    except (OSError, ValueError):
        return True
    return not isinstance(content, dict) or content.pop("digest", None) != digest(content)


def load_skills(path: Path) -> SkillSet:
    """Read a `skills.json`, or a text file with one skill a line (as the paper's release has it).

    Raises:
        ConfigError: missing, not UTF-8, not JSON, or not of the shape; it names the entry.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
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
    made_by = content.get("made_by", {})
    kinds = content.get("query_types", [])
    if not isinstance(kinds, list) or not isinstance(made_by, dict):
        raise ConfigError(f'{path}: expected "query_types" to be a list, "made_by" an object')
    skills = [_skill(path, number, entry) for number, entry in enumerate(content["skills"])]
    types: dict[str, QueryType] = {}
    for number, entry in enumerate(kinds):
        kind = _query_type(path, number, entry)
        types.setdefault(normalise(kind.name), kind)
    return SkillSet(skills=distinct(skills), query_types=tuple(types.values()), made_by=made_by)


def _skill(path: Path, number: int, entry: JSON) -> Skill:
    place = f"{path}: skills[{number}]"
    fields = _fields(place, entry)
    uses = fields.get("uses", 0)
    if isinstance(uses, bool) or not isinstance(uses, int) or uses < 0:
        raise ConfigError(f"{place}: uses = {_shown(uses)}: expected a count")
    return Skill(name=_name(place, fields), topic=_text(place, fields, "topic"), uses=uses)


def _query_type(path: Path, number: int, entry: JSON) -> QueryType:
    place = f"{path}: query_types[{number}]"
    fields = _fields(place, entry)
    examples = fields.get("examples", [])
    if not isinstance(examples, list) or not all(isinstance(text, str) for text in examples):
        raise ConfigError(f"{place}: examples = {_shown(examples)}: expected a list of texts")
    return QueryType(
        name=_name(place, fields),
        definition=_text(place, fields, "definition"),
        examples=tuple(examples),
    )


def _fields(place: str, entry: JSON) -> Mapping[str, JSON]:
    """An entry's fields; a bare text is an entry that has a name only."""
    if isinstance(entry, str):
        return {"name": entry}
    if not isinstance(entry, dict):
        raise ConfigError(f'{place}: {_shown(entry)}: expected an object with a "name", or a text')
    return entry


def _name(place: str, fields: Mapping[str, JSON]) -> str:
    name = _text(place, fields, "name")
    if not normalise(name):
        raise ConfigError(f"{place}: name = {_shown(fields.get('name'))}: expected a name")
    return name


def _text(place: str, fields: Mapping[str, JSON], key: str) -> str:
    value = fields.get(key, "")
    if not isinstance(value, str):
        raise ConfigError(f"{place}: {key} = {_shown(value)}: expected a text")
    return value.strip()


def _shown(value: JSON) -> str:
    return json.dumps(value, ensure_ascii=False)[:80]
