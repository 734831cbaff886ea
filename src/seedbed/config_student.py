"""The table of a run's TOML that says which student is tuned, and how."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field, model_validator

from seedbed.config_tables import Count, Table
from seedbed.errors import ConfigError
from seedbed.training.settings import (
    Decayed,
    Keep,
    Parallel,
    Precision,
    SavedDtype,
    Schedule,
    TrainSettings,
    preset,
)

TINY = "tiny"
"""The base that is made on the spot, and its preset."""


class StudentTable(Table):
    """The student that is tuned on the examples: a base, a preset, and what is to differ from it.

    `base` is a folder in Hugging Face's layout or a hub id; "tiny" is one made from the run's own
    texts, and then the preset is the tiny one unless given.
    """

    base: Annotated[str, Field(min_length=1)] = TINY
    preset: Literal["skillmix", "alpaca", "wizardlm", "tiny"] | None = None
    learning_rate: Annotated[float, Field(ge=0)] | None = None
    epochs: Count | None = None
    batch_examples: Count | None = None
    max_length: Annotated[int, Field(ge=8)] | None = None
    schedule: Schedule | None = None
    warmup: Annotated[float, Field(ge=0)] | None = None
    weight_decay: Annotated[float, Field(ge=0)] | None = None
    decayed: Decayed | None = None
    clip: Annotated[float, Field(ge=0)] | None = None
    seed: Annotated[int, Field(ge=0, lt=2**63)] | None = None
    drop_last: bool | None = None
    template: str | None = None
    lora_rank: Annotated[int, Field(ge=0)] | None = None
    lora_alpha: Annotated[int, Field(ge=0)] | None = None
    lora_dropout: Annotated[float, Field(ge=0, lt=1)] | None = None
    held_out: Annotated[float, Field(ge=0)] | None = None
    held_out_file: str | None = None
    precision: Precision | None = None
    micro_tokens: Count | None = None
    checkpointing: bool | None = None
    device: str | None = None
    parallel: Parallel | None = None
    state_steps: Annotated[int, Field(ge=0)] | None = None
    state_seconds: Annotated[float, Field(ge=0)] | None = None
    keep: Keep | None = None
    saved_dtype: SavedDtype | None = None

    @model_validator(mode="after")
    def _possible(self) -> StudentTable:
        try:
            _ = self.settings
        except ConfigError as error:
            raise ValueError(str(error)) from None
        return self

    @property
    def settings(self) -> TrainSettings:
        """The preset with what was given in its place."""
        given = self.model_dump(exclude={"base", "preset"}, exclude_none=True)
        name = self.preset or (TINY if self.base == TINY else "skillmix")
        return replace(preset(name), **given)
