"""The table of a run's TOML that says what is compared: arms that differ in one thing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from seedbed.config_tables import Count, Share, Table

Factor = Literal["shirkers", "k", "size", "mixes", "recipes", "sedi", "directed"]
Match = Literal["examples", "calls", "dollars"]

FACTORS: tuple[Factor, ...] = ("shirkers", "k", "size", "mixes", "recipes", "sedi", "directed")
MATCHES: tuple[Match, ...] = ("examples", "calls", "dollars")


class ShirkersTable(Table):
    """Responses of low effort in place of the teacher's; see the recipe `shirkers`."""

    kind: Literal["brevity", "junk"]
    fraction: Share


class ArmTable(Table):
    """One arm: the run's config with some keys set otherwise, and what is done to its examples.

    `set` names keys with their table: `set = { "skillmix.k" = 1 }`. `share` trains on the first
    so large a part of the examples.
    """

    name: Annotated[str, Field(min_length=1, max_length=80)]
    set: Mapping[str, Any] = Field(default_factory=dict)
    share: Annotated[float, Field(gt=0, le=1)] = 1.0
    shirkers: ShirkersTable | None = None

    @field_validator("name")
    @classmethod
    def _on_one_line(cls, name: str) -> str:
        if not re.search(r"[A-Za-z0-9]", name) or "\n" in name:
            raise ValueError("expected one line with a letter or digit in it")
        return name


class WarmUpTable(Table):
    """What a tiny student is before its arm: all arms start from the same one.

    A random student spends most of a small dataset on learning to copy, which every base model can
    do. So it first reads `examples` of single skills, made by the run's own teacher with another
    seed, for `epochs`. 0 epochs leave it random. `skills` is a skills file for it, where the
    config names none.
    """

    examples: Annotated[int, Field(ge=50)] = 4000
    epochs: Annotated[int, Field(ge=0)] = 9
    batch_examples: Count = 8
    learning_rate: Annotated[float, Field(gt=0)] = 5e-3
    skills: str = ""


class AblateTable(Table):
    """What `seedbed ablate` compares: built-in factors, or arms of one's own, the first of which
    the others are held against.

    `skills` are the practice skills that the held-out items need; those of the data unless given.
    """

    factors: list[Factor] = Field(default_factory=list)
    arms: list[ArmTable] = Field(default_factory=list)
    seeds: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)] = Field(
        default_factory=lambda: [0, 1, 2]
    )
    match: Annotated[list[Match], Field(min_length=1)] = Field(default=["examples"])
    k: Annotated[list[Annotated[int, Field(ge=1, le=5)]], Field(min_length=1)] = Field(
        default_factory=lambda: [1, 2]
    )
    items: Count = 200
    skills: list[str] = Field(default_factory=list)
    max_tokens: Count = 160
    warm_up: WarmUpTable = WarmUpTable()
