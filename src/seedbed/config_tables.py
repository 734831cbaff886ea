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
    """How a model that is started here runs (`models/local.py`, `models/gguf.py`,
    `models/vllm.py`). With `actors` so many processes of a Ray cluster hold the model, and this one
    does not (`models/on_ray.py`); `gpus` are those of each of them, or of vLLM."""

    device: Literal["auto", "cuda", "mps", "cpu"] = "auto"
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    rows: Count | None = None
    cache_gib: Annotated[float, Field(ge=0)] = 0.0
    context: Count | None = None
    actors: Count | None = None
    gpus: Count | None = None
    options: list[str] = Field(default_factory=list)


class BatchTable(Table):
    """How batches are made (`models/batch.py`, `BatchSettings`); `discount` is the part of the
    usual price that the provider asks for them."""

    requests: Annotated[int, Field(ge=1, le=50_000)] = 10_000
    gather: Annotated[float, Field(gt=0, le=600)] = 2.0
    poll: Annotated[float, Field(gt=0, le=3600)] = 5.0
    window: str = "24h"
    discount: Share = 0.5


Kind = Literal["server", "practice", "hf", "gguf", "vllm"]
"""Where a model answers: behind an address, the built-in teacher, a checkpoint or a GGUF file in
process, or a checkpoint in a vLLM that is started here."""

_UNUSED: Mapping[Kind, tuple[str, ...]] = {
    "hf": ("context", "options"),
    "gguf": ("dtype", "cache_gib", "options"),
    "vllm": (),
}
"""Settings of `local` that say nothing to a kind of model."""

_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]{0,59}")


class ModelTable(Table):
    """A language model: any OpenAI-compatible endpoint; without a `base_url` also `practice`, or
    "hf/" or "vllm/" and a checkpoint's folder or hub id, or "gguf/" and a file."""

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
        self._check_local()
        if self.api_key_env and not _VARIABLE.fullmatch(self.api_key_env):
            raise ValueError(
                "api_key_env: expected the name of an environment variable (up to 60 capital "
                "letters, digits and _), never the key itself"
            )
        if self.api_key_command:
            self._check_command()
        return self

    def _check_local(self) -> None:
        if self.kind not in _UNUSED:
            if self.local != LocalTable():
                raise ValueError(
                    'local: only for a model that is started here ("hf/…", "gguf/…", "vllm/…", no '
                    "`base_url`)"
                )
            return
        for name in _UNUSED[self.kind]:
            if getattr(self.local, name) != getattr(LocalTable(), name):
                raise ValueError(f"local.{name}: says nothing to a model of {self.kind}/")
        if self.local.gpus and self.kind != "vllm" and self.local.actors is None:
            raise ValueError(f"local.gpus: only for actors, or for vllm/; {self.kind}/ takes one")

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
        for kind in _UNUSED:
            if self.model.startswith(f"{kind}/"):
                return kind
        return "server"

    @property
    def checkpoint(self) -> str | None:
        """The folder or hub id of a checkpoint that is asked here; None for all other models."""
        return self.model.partition("/")[2] if self.kind in ("hf", "vllm") else None

    @property
    def in_process(self) -> bool:
        """Whether it answers here, without a network and for nothing."""
        return self.kind != "server"

    @property
    def shown(self) -> str:
        """What it is called where others read it: of a local folder only the last name."""
        if self.kind not in _UNUSED:
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
