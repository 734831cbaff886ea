"""The arms of an ablation: built-in factors, and what an arm changes in a run's config."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from seedbed.config import OWN_TABLES, Config, parse_config
from seedbed.config_ablate import ArmTable, Factor, ShirkersTable
from seedbed.config_student import TINY
from seedbed.errors import ConfigError

FRACTIONS = (0.1, 0.2, 0.5)
"""Shares of shirkers; the paper's is 0.2."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One arm; `slug` names its folder."""

    name: str
    set: Mapping[str, Any]
    share: float = 1.0
    shirkers: ShirkersTable | None = None

    @property
    def slug(self) -> str:
        return re.sub(r"[^a-z0-9.]+", "-", self.name.lower()).strip("-.")


def arms_of(factors: Sequence[Factor], tables: Sequence[ArmTable]) -> dict[str, tuple[Arm, ...]]:
    """The arms of each comparison, by the name of its factor; own arms are called "arms".

    Raises:
        ConfigError: nothing to compare, or two arms of the same name.
    """
    groups: dict[str, tuple[Arm, ...]] = {factor: _BUILT_IN[factor] for factor in factors}
    if tables:
        groups["arms"] = tuple(
            Arm(name=one.name, set=one.set, share=one.share, shirkers=one.shirkers)
            for one in tables
        )
    for name, arms in groups.items():
        if len({arm.slug for arm in arms}) < len(arms):
            raise ConfigError(f"{name}: two arms have the same name, or names that look the same")
        if len(arms) < 2:
            raise ConfigError(
                f"{name}: {len(arms)} arm; a comparison needs two",
                hint="The first arm is what the others are held against.",
            )
    if not groups:
        raise ConfigError(
            "nothing to compare",
            hint=f"--factor {' | '.join(_BUILT_IN)}, or [[ablate.arms]] in the config.",
        )
    return groups


def configured(text: str, arm: Arm, *, seed: int, base: str, place: str) -> str:
    """The TOML of one run of an arm: what it sets, the seed, and the student it starts from.

    Tables of recipes that the arm does not use are left out, so that arms may differ in recipe.

    Args:
        text: the ablation's own config.
        base: the student's folder or hub id.
        place: names the config in errors.

    Raises:
        ConfigError: the arm sets what is no key, or to an impossible value.
    """
    from tomli_w import dumps

    content = deepcopy(tomllib.loads(text))
    content.pop("ablate", None)
    for key, value in arm.set.items():
        _set(content, key, value, place=f'{place}: arm "{arm.name}"')
    content["seed"] = seed
    student = content.setdefault("student", {})
    if student.get("base", TINY) == TINY:
        student.setdefault("preset", TINY)
    student.update({"base": base, "seed": seed})
    recipe = content.get("recipe", "skillmix")
    foreign = frozenset[str]().union(*OWN_TABLES.values()) - OWN_TABLES.get(recipe, frozenset())
    made = dumps({key: value for key, value in content.items() if key not in foreign})
    parse_config(made, place=f'{place}: arm "{arm.name}"')
    return made


def _set(content: dict[str, Any], key: str, value: Any, *, place: str) -> None:
    *tables, last = key.split(".")
    for table in tables:
        content = content.setdefault(table, {})
        if not isinstance(content, dict):
            raise ConfigError(f"{place}: {key}: {table} is no table")
    content[last] = value


def _planted(kind: str, fraction: float) -> Arm:
    table = ShirkersTable.model_validate({"kind": kind, "fraction": fraction})
    return Arm(name=f"{fraction:.0%} {kind}", set={}, shirkers=table)


def _arm(name: str, **tables: Mapping[str, Any] | str) -> Arm:
    """`_arm("k = 1", skillmix={"k": 1})`."""
    flat: dict[str, Any] = {}
    for table, value in tables.items():
        if isinstance(value, str):
            flat[table] = value
        else:
            flat |= {f"{table}.{key}": setting for key, setting in value.items()}
    return Arm(name=name, set=flat)


_BUILT_IN: Mapping[Factor, tuple[Arm, ...]] = {
    "shirkers": (
        Arm(name="no shirkers", set={}),
        *(_planted("brevity", fraction) for fraction in FRACTIONS),
        *(_planted("junk", fraction) for fraction in FRACTIONS),
    ),
    "k": tuple(_arm(f"k = {k}", recipe="skillmix", skillmix={"k": k}) for k in (2, 1, 3)),
    "size": tuple(
        Arm(name=name, set={}, share=share)
        for name, share in (("all", 1.0), ("half", 0.5), ("a quarter", 0.25))
    ),
    "mixes": (
        _arm("random mixes", recipe="skillmix", skillmix={"k": 2}),
        _arm("single skills", recipe="skillmix", skillmix={"k": 1}),
    ),
    "recipes": (
        _arm("skillmix", recipe="skillmix"),
        _arm("self_instruct", recipe="self_instruct"),
        _arm("evol_instruct", recipe="evol_instruct"),
        _arm("sedi", recipe="sedi"),
        _arm("directed", recipe="directed"),
    ),
    "sedi": (
        _arm(
            "Self-Instruct 0.7",
            recipe="sedi",
            sedi={"threshold": 0.7, "batches": "random", "prefer": "none"},
        ),
        _arm("threshold 0.85", recipe="sedi", sedi={"batches": "random", "prefer": "none"}),
        _arm("+ diverse batches", recipe="sedi", sedi={"batches": "diverse", "prefer": "none"}),
        _arm("+ feedback", recipe="sedi", sedi={"batches": "diverse", "prefer": "highest"}),
        _arm("random seed update", recipe="sedi", sedi={"batches": "diverse", "prefer": "random"}),
    ),
    "directed": (
        _arm("uniform mixes", recipe="directed", directed={"need": "none"}),
        _arm("by progress", recipe="directed", directed={"need": "progress"}),
        _arm("by loss", recipe="directed", directed={"need": "loss"}),
    ),
}


def checked(text: str, arms: Sequence[Arm], *, place: str) -> list[Config]:
    """The configs of all arms, so that a mistake is found before anything is paid.

    Raises:
        ConfigError: an arm's config is wrong.
    """
    return [
        parse_config(configured(text, arm, seed=0, base="tiny", place=place), place=place)
        for arm in arms
    ]
