"""A run's TOML, checked at once, with errors that name the key, the value and what is allowed."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, Field, ValidationError, model_validator

from seedbed.config_ablate import AblateTable
from seedbed.config_recipes import (
    EvolInstructTable,
    SelfInstructTable,
    SkillmixTable,
    SkillsTable,
)
from seedbed.config_steered import DirectedTable, SediTable
from seedbed.config_student import StudentTable
from seedbed.config_tables import (
    BudgetTable,
    Count,
    DatasetTable,
    ModelTable,
    Table,
)
from seedbed.errors import ConfigError


def _named(value: object) -> object:
    """`seeds = "path"` for `seeds = { path = "path" }`."""
    return {"path": value} if isinstance(value, str) else value


OWN_TABLES: Mapping[str, frozenset[str]] = {
    "skillmix": frozenset({"skills", "skillmix"}),
    "self_instruct": frozenset({"seeds", "self_instruct"}),
    "evol_instruct": frozenset({"seeds", "evol_instruct"}),
    "sedi": frozenset({"seeds", "sedi"}),
    "directed": frozenset({"skills", "skillmix", "directed"}),
}
"""The tables that each recipe reads."""


class Config(Table):
    """A run. Paths are relative to the folder of the TOML file.

    `count` is of examples kept (of new instructions with Self-Instruct). Unless given it is 4,000
    for skillmix and directed, 1,000 for self_instruct and sedi; evol_instruct evolves every seed.
    """

    recipe: Literal["skillmix", "self_instruct", "evol_instruct", "sedi", "directed"] = "skillmix"
    count: Count | None = None
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    folder: str = ""
    prompts: str = ""
    teacher: ModelTable
    judge: ModelTable | None = None
    budget: BudgetTable = BudgetTable()
    skills: SkillsTable = SkillsTable()
    skillmix: SkillmixTable = SkillmixTable()
    seeds: Annotated[DatasetTable, BeforeValidator(_named)] = DatasetTable()
    self_instruct: SelfInstructTable = SelfInstructTable()
    evol_instruct: EvolInstructTable = EvolInstructTable()
    sedi: SediTable = SediTable()
    directed: DirectedTable = DirectedTable()
    student: StudentTable = StudentTable()
    ablate: AblateTable = AblateTable()

    @property
    def judges(self) -> bool:
        """Whether the recipe asks a judge at all."""
        if self.recipe in ("skillmix", "directed"):
            return self.skillmix.presence_judge
        return self.recipe == "evol_instruct" and self.evol_instruct.equality_judge is not False

    @model_validator(mode="after")
    def _tables_of_this_recipe(self) -> Config:
        others = set().union(*OWN_TABLES.values()) - OWN_TABLES[self.recipe]
        if foreign := sorted(others & self.model_fields_set):
            raise ValueError(f'recipe = "{self.recipe}": it does not use {", ".join(foreign)}')
        return self


def read_config(path: Path) -> str:
    """The text of a config file.

    Raises:
        ConfigError: missing, a folder, unreadable, or not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(
            f"{path}: no such config file", hint=f"`seedbed init {path}` writes one to start from."
        ) from None
    except IsADirectoryError:
        raise ConfigError(
            f"{path}: a folder; expected a config file",
            hint="Name the TOML file that the run was made from; `seedbed show` takes the folder.",
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: the config cannot be read: {error}") from None


def parse_config(text: str, *, place: str) -> Config:
    """Check a config's text; `place` names it in errors.

    Raises:
        ConfigError: not TOML, an unknown key or an impossible value; all of them are listed.
    """
    try:
        content = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{place}: not TOML: {error}") from None
    try:
        return Config.model_validate(content)
    except ValidationError as error:
        raise _refusal(error, place=place) from None


def student_table(content: Mapping[str, Any], *, place: str) -> StudentTable:
    """Check the [student] table by itself; `place` names it in errors.

    Raises:
        ConfigError: an unknown key or an impossible value; all of them are listed.
    """
    try:
        return StudentTable.model_validate(content)
    except ValidationError as error:
        raise _refusal(error, place=place, table=("student",)) from None


def _refusal(error: ValidationError, *, place: str, table: tuple[str, ...] = ()) -> ConfigError:
    problems = [_problem(item, table) for item in error.errors()]
    return ConfigError(
        "\n".join(f"{place}: {problem}" for problem in problems),
        hint="`seedbed init` writes a config in which every key is explained.",
    )


def parse_model(content: Mapping[str, Any]) -> ModelTable:
    """A model's table that was not read from a file.

    Raises:
        ConfigError: a value that cannot be.
    """
    try:
        return ModelTable.model_validate(content)
    except ValidationError as error:
        raise _refusal(error, place="the model", table=("teacher",)) from None


def _problem(item: Mapping[str, Any], table: tuple[str, ...]) -> str:
    path = [*table, *(str(part) for part in item["loc"])]
    where = _key(path)
    match item["type"]:
        case "extra_forbidden":
            return f"{where}: unknown key; {_advice(path)}"
        case "missing":
            return f"{where}: missing; it has to be given"
        case "value_error":
            return f"{where + ': ' if path else ''}{item['ctx']['error']}"
        case "model_type" | "dict_type" | "mapping_type":
            return f"{where} = {_shown(item['input'])}: expected a table"
        case _:
            wish = re.sub(r"^(Input|String)\b", "it", item["msg"])
            return f"{where} = {_shown(item['input'])}: {wish}"


def _shown(value: Any) -> str:
    """A value, as TOML spells it where that is simple, and no longer than a line."""
    text = (
        str(value)
        if isinstance(value, float)
        else json.dumps(value, ensure_ascii=False, default=str)
    )
    return text if len(text) <= 80 else f"{text[:80]}…"


def _key(path: Sequence[str]) -> str:
    table, key = ".".join(path[:-1]), path[-1] if path else ""
    return f"[{table}] {key}" if table else key


def _advice(path: Sequence[str]) -> str:
    """The likeliest key that was meant: in another table (TOML's commonest slip), or misspelt."""
    *inside, key = path
    here = list(_table(inside).model_fields)
    close = get_close_matches(key, here, n=1, cutoff=0.5)
    if homes := [place for table, place in _TABLES.items() if key in _keys_of(table)]:
        return f"it belongs {' or '.join(homes)}"
    return f"did you mean {close[0]}?" if close else f"allowed here: {', '.join(here)}"


_TABLES = {"": "above the first [table]"} | {
    table: f"under [{table}]"
    for table in (
        "teacher",
        "budget",
        "skills",
        "skills.dataset",
        "skillmix",
        "student",
        "ablate",
    )
}


def _keys_of(table: str) -> set[str]:
    return set(_table(table.split(".") if table else ()).model_fields)


def _table(path: Sequence[str]) -> type[BaseModel]:
    table: type[BaseModel] = Config
    for part in path:
        annotation = table.model_fields[part].annotation
        options = [annotation, *get_args(annotation)]
        table = next(
            option for option in options if isinstance(option, type) and issubclass(option, Table)
        )
    return table
