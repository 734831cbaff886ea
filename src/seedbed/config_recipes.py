"""The recipes' own tables of a run's config: skills, mixes, Self-Instruct, Evol-Instruct."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from seedbed.config_tables import Count, Share, SourceTable, Table


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
