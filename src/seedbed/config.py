"""A run's TOML: what it may say, checked at once, with errors that name the key and the value.

Untrusted data enters here, so here is pydantic; the rest of the package sees frozen parameters.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from seedbed.errors import ConfigError

OPENAI = "https://api.openai.com/v1"

Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, le=1)]
Dollars = Annotated[float, Field(ge=0)]


class Table(BaseModel):
    """A table of the TOML file: unknown keys are errors, values are not coerced."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class PriceTable(Table):
    """Dollars per million tokens. `cached_input` is `input` unless given."""

    input: Dollars
    output: Dollars
    cached_input: Dollars | None = None


class TroubleTable(Table):
    """What the practice teacher gets wrong on purpose, as shares of its calls."""

    duplicate: Share = 0.0
    truncated: Share = 0.0
    refused: Share = 0.0
    malformed: Share = 0.0
    leaked_commentary: Share = 0.0
    wrong: Share = 0.0
    slow: Share = 0.0
    slow_seconds: Annotated[float, Field(ge=0, le=600)] = 1.0
    rate_limited: Share = 0.0
    failed: Share = 0.0
    latency: Annotated[float, Field(ge=0, le=600)] = 0.0


_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,59}")


class ModelTable(Table):
    """A language model: any OpenAI-compatible endpoint, or `practice` without a `base_url`."""

    model: Annotated[str, Field(min_length=1)]
    name: str = ""
    base_url: str | None = None
    api_key_env: str | None = None
    extra: Mapping[str, Any] = Field(default_factory=dict)
    omit: list[str] = Field(default_factory=list)
    json_schema: bool = False
    max_completion_tokens: bool = False
    send_seed: bool = False
    timeout: Annotated[float, Field(gt=0, le=7200)] = 300.0
    connect_timeout: Annotated[float, Field(gt=0, le=600)] = 10.0
    max_in_flight: Annotated[int, Field(ge=1, le=10_000)] = 256
    requests_per_minute: Annotated[float, Field(gt=0)] | None = None
    tokens_per_minute: Annotated[float, Field(gt=0)] | None = None
    attempts: Annotated[int, Field(ge=1, le=100)] = 8
    patience: Annotated[float, Field(gt=0)] = 900.0
    price: PriceTable | None = None
    trouble: TroubleTable = TroubleTable()

    @model_validator(mode="after")
    def _urls_and_keys(self) -> ModelTable:
        if not self.url.startswith(("http://", "https://")):
            raise ValueError(f"base_url = {self.base_url!r}: expected http://… or https://…")
        if not self.in_process and self.trouble != TroubleTable():
            raise ValueError("trouble: only the built-in practice teacher makes it on purpose")
        if self.api_key_env and not _VARIABLE.fullmatch(self.api_key_env):
            raise ValueError(
                "api_key_env: expected the name of an environment variable (up to 60 letters, "
                "digits and _), never the key itself"
            )
        return self

    @property
    def in_process(self) -> bool:
        """Whether this is the built-in teacher, and not a server of the same name."""
        return self.model == "practice" and self.base_url is None

    @property
    def url(self) -> str:
        return OPENAI if self.base_url is None else self.base_url

    @property
    def key_variable(self) -> str | None:
        """The environment variable with the API key; OpenAI's own endpoint has a usual one."""
        if self.api_key_env is None and self.url == OPENAI:
            return "OPENAI_API_KEY"
        return self.api_key_env or None


class BudgetTable(Table):
    """Hard caps of the whole run, all its sessions counted together; none unless given."""

    dollars: Dollars | None = None
    tokens: Count | None = None
    calls: Count | None = None


Format = Literal[
    "auto", "json", "jsonl", "csv", "tsv", "parquet",
    "alpaca", "columns", "seed_tasks", "messages", "sharegpt", "seedbed",
]  # fmt: skip


class DatasetTable(Table):
    """The user's own dataset: a file, a run's folder, or `hf:org/name`."""

    path: str = ""
    format: Format = "auto"
    instruction: str = ""
    input: str = ""
    response: str = ""
    on_bad_line: Literal["stop", "skip"] = "stop"
    sample: Count | None = None


class SourceTable(DatasetTable):
    """The dataset of SDD: it has to be named, and a sample of it is looked at."""

    path: Annotated[str, Field(min_length=1)]
    sample: Count = 1000


def _named(value: object) -> object:
    """`seeds = "path"` for `seeds = { path = "path" }`."""
    return {"path": value} if isinstance(value, str) else value


class SkillsTable(Table):
    """Stage one: where the skills and query types come from."""

    path: str = ""
    dataset: SourceTable | None = None
    topics: Count = 45
    skills_per_topic: Count = 25
    query_types: Count = 16
    keep_topics: bool = True
    asks: Count = 4
    temperature: Annotated[float, Field(ge=0, le=2)] = 1.0
    max_tokens: Count = 4096
    labels_per_example: Count = 3
    families: Count = 120

    @model_validator(mode="after")
    def _one_source(self) -> SkillsTable:
        if self.path and self.dataset is not None:
            raise ValueError("path and dataset: give one of them, or neither to ask the teacher")
        return self


class SkillmixTable(Table):
    """Stage two: how the examples are made."""

    k: Annotated[int, Field(ge=1, le=10)] = 2
    profile: Literal["three_turn", "five_turn"] = "three_turn"
    temperature: Annotated[float, Field(ge=0, le=2)] = 1.0
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    max_tokens: Count = 4096
    redraws: Annotated[int, Field(ge=0, le=99)] = 0
    rounds: Count = 10
    avoid_alike: bool = True
    leaks: Literal["repair", "drop", "off"] = "repair"
    presence_judge: bool = False


Operation = Literal["constrain", "deepen", "concretize", "reason", "complicate_input", "broaden"]


class SelfInstructTable(Table):
    """Self-Instruct: a preset, and what is to differ from it."""

    preset: Literal["chat", "paper", "repo", "alpaca"] = "chat"
    threshold: Share | None = None
    tokenizer: Literal["rouge", "unicode"] | None = None
    lag: Count = 16
    rounds: Count = 100
    classification_only: bool = False
    scores: bool = False


class EvolInstructTable(Table):
    """Evol-Instruct: a preset, and what is to differ from it."""

    preset: Literal["chat", "paper", "wizardlm"] = "chat"
    rounds: Count | None = None
    operations: list[Operation] | None = None
    originals: Literal["leave_out", "keep", "answer"] | None = None
    equality_judge: bool | None = None
    most_words: Count | None = None


class Config(Table):
    """A run. Paths are relative to the folder of the TOML file.

    `count` is of examples kept (of new instructions with Self-Instruct). Unless given it is 4,000
    for skillmix and 1,000 for self_instruct; evol_instruct evolves every seed.
    """

    recipe: Literal["skillmix", "self_instruct", "evol_instruct"] = "skillmix"
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

    @model_validator(mode="after")
    def _tables_of_this_recipe(self) -> Config:
        others = {
            "skillmix": {"seeds", "self_instruct", "evol_instruct"},
            "self_instruct": {"skills", "skillmix", "evol_instruct"},
            "evol_instruct": {"skills", "skillmix", "self_instruct"},
        }[self.recipe]
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
            hint=f"For a run made before, say {path}/config.toml.",
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
        problems = [_problem(item) for item in error.errors()]
        raise ConfigError(
            "\n".join(f"{place}: {problem}" for problem in problems),
            hint="`seedbed init` writes a config in which every key is explained.",
        ) from None


def _problem(item: Mapping[str, Any]) -> str:
    path = [str(part) for part in item["loc"]]
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
    for table in ("teacher", "budget", "skills", "skills.dataset", "skillmix")
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
