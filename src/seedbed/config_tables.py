"""The tables of a run's TOML: what each key may be, and what it is unless given.

Untrusted data enters here, so here is pydantic; the rest of the package sees frozen parameters.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

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
    imitated: Share = 0.0
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


class LocalTable(Table):
    """How a model in process runs (`models/local.py`, `models/gguf.py`); `context` is for a GGUF
    file only, `dtype` and `cache_gib` are for a checkpoint only. With `actors` so many processes of
    a Ray cluster hold the model, and this one does not (`models/on_ray.py`)."""

    device: Literal["auto", "cuda", "mps", "cpu"] = "auto"
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    rows: Count | None = None
    cache_gib: Annotated[float, Field(ge=0)] = 0.0
    context: Count | None = None
    actors: Count | None = None


class BatchTable(Table):
    """How batches are made (`models/batch.py`, `BatchSettings`); `discount` is the part of the
    usual price that the provider asks for them."""

    requests: Annotated[int, Field(ge=1, le=50_000)] = 10_000
    gather: Annotated[float, Field(gt=0, le=600)] = 2.0
    poll: Annotated[float, Field(gt=0, le=3600)] = 5.0
    window: str = "24h"
    discount: Share = 0.5


Kind = Literal["server", "practice", "hf", "gguf"]
"""Where a model answers: behind an address, the built-in teacher, a checkpoint or a GGUF file in
process."""

_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]{0,59}")


class ModelTable(Table):
    """A language model: any OpenAI-compatible endpoint; without a `base_url` also `practice`, or
    "hf/" and a checkpoint's folder or hub id, or "gguf/" and a file."""

    model: Annotated[str, Field(min_length=1)]
    name: str = ""
    base_url: str | None = None
    api_key_env: str | None = None
    api_key_command: str = ""
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
    check: bool = True
    mode: Literal["live", "batch"] = "live"
    batch: BatchTable = BatchTable()
    trouble: TroubleTable = TroubleTable()
    local: LocalTable = LocalTable()

    @model_validator(mode="after")
    def _urls_and_keys(self) -> ModelTable:
        if not self.url.startswith(("http://", "https://")):
            # What has neither is no address, and may be a key in the wrong place.
            shown = f" = {self.base_url!r}" if {".", ":"} & set(self.url) else ""
            raise ValueError(f"base_url{shown}: expected http://… or https://…")
        if self.kind != "practice" and self.trouble != TroubleTable():
            raise ValueError("trouble: only the built-in practice teacher makes it on purpose")
        if self.kind != "server" and self.mode == "batch":
            raise ValueError('mode = "batch": only for a server that has a batch API')
        if self.kind not in ("hf", "gguf") and self.local != LocalTable():
            raise ValueError('local: only for a model in process ("hf/…", "gguf/…", no `base_url`)')
        if self.api_key_env and not _VARIABLE.fullmatch(self.api_key_env):
            raise ValueError(
                "api_key_env: expected the name of an environment variable (up to 60 capital "
                "letters, digits and _), never the key itself"
            )
        if self.api_key_command:
            self._check_command()
        return self

    def _check_command(self) -> None:
        if self.api_key_env:
            raise ValueError("api_key_env and api_key_command: give one of them")
        try:
            words = shlex.split(self.api_key_command)
        except ValueError as error:
            raise ValueError(f"api_key_command: {error}") from None
        if not words:
            raise ValueError("api_key_command: expected a command")

    @property
    def kind(self) -> Kind:
        """Where it answers; with a `base_url` always a server, whatever its name."""
        if self.base_url is not None:
            return "server"
        if self.model == "practice":
            return "practice"
        if self.model.startswith("gguf/"):
            return "gguf"
        return "hf" if self.model.startswith("hf/") else "server"

    @property
    def in_process(self) -> bool:
        """Whether it answers here, without a network and for nothing."""
        return self.kind != "server"

    @property
    def shown(self) -> str:
        """What it is called where others read it: of a local folder only the last name."""
        if self.kind not in ("hf", "gguf"):
            return self.model
        return f"{self.kind}/{self.model.rstrip('/').rpartition('/')[2]}"

    @property
    def url(self) -> str:
        return OPENAI if self.base_url is None else self.base_url

    @property
    def key_variable(self) -> str | None:
        """The environment variable with the API key; OpenAI's own endpoint has a usual one."""
        if self.api_key_env is None and self.url == OPENAI and not self.api_key_command:
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
    sound: bool = True
    presence_judge: bool = False


Operation = Literal["constrain", "deepen", "concretize", "reason", "complicate_input", "broaden"]


class SelfInstructTable(Table):
    """Self-Instruct: a preset, and what is to differ from it."""

    preset: Literal["chat", "paper", "repo", "alpaca"] = "chat"
    threshold: Share | None = None
    tokenizer: Literal["rouge", "unicode"] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    most_instances: Count | None = None
    conflict: Literal["drop_all", "drop_conflicting", "keep"] | None = None
    truncated: Literal["drop_all", "drop_last"] | None = None
    rules: Literal["self_instruct", "alpaca", "open"] | None = None
    capitalize: bool | None = None
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
