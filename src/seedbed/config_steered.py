"""The tables of the recipes that training steers: SeDi-Instruct and directed mixes.

How the student is tuned, its batch size among it, stands in its own table, `[student]`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from seedbed.config_recipes import SelfInstructTable
from seedbed.config_tables import Count, Share, Table
from seedbed.errors import ConfigError
from seedbed.training.feedback import known_signals


class SediTable(SelfInstructTable):
    """SeDi-Instruct: what it asks as Self-Instruct does, how it composes batches, how seeds move.

    The recipe's README tells of every setting what the paper says of it. `lag` is of batches here;
    `asks_ahead` is what Self-Instruct calls lag.
    """

    preset: Literal["chat", "paper", "repo", "alpaca"] = "alpaca"
    threshold: Share = 0.85
    lag: Count = 2
    asks_ahead: Count = 8
    machine_demonstrations: Annotated[int, Field(ge=0)] = 0
    batches: Literal["diverse", "random", "arrival"] = "diverse"
    balance: Literal["proportional", "equal"] = "proportional"
    pick: Literal["spread", "random"] = "spread"
    clusters: Count | None = None
    lookahead: Count = 4
    patience: Count = 16
    embedding: str = ""
    signal: Annotated[str, Field(min_length=1)] = "grad_norm"
    prefer: Literal["highest", "lowest", "random", "none"] = "highest"
    detrend: Literal["off", "step", "step_and_length"] = "off"
    every: Count = 10
    attractive_batches: Count = 3
    instructions_per_batch: Count = 4
    example_signal: str = ""
    retire: Annotated[int, Field(ge=0)] | None = None
    least_offspring: Count = 4
    least_seeds: Count = 20

    @model_validator(mode="after")
    def _signals(self) -> SediTable:
        for name in (self.signal, self.example_signal):
            try:
                known_signals([name] if name else [])
            except ConfigError as error:
                raise ValueError(f"{error}; {error.hint}") from None
        return self

    @property
    def listens(self) -> bool:
        """Whether anything that the student says is used, so that one has to be trained."""
        return self.prefer in ("highest", "lowest")


class DirectedTable(Table):
    """Directed mixes: Instruct-SkillMix whose skills are drawn by what the student lacks.

    What an example is and how it is asked for stands under `[skills]` and `[skillmix]`.
    """

    arms: Literal["topic", "skill"] = "topic"
    need: Literal["progress", "loss", "none"] = "progress"
    round: Count = 128
    lag: Count = 1
    rate: Annotated[float, Field(ge=0, le=100)] = 1.0
    memory: Annotated[float, Field(ge=0, lt=1)] = 0.5
    floor: Share = 0.2
    held_out_per_arm: Count = 3

    @property
    def listens(self) -> bool:
        """Whether anything that the student says is used, so that one has to be trained."""
        return self.need != "none"
