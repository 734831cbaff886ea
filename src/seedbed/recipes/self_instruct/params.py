"""What shapes a run of Self-Instruct. Every point where the paper, its code, Alpaca and today's
chat models differ is a setting here; `presets.py` gives the four sets of values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from seedbed.records import Sampling

PACKAGE = "seedbed.recipes.self_instruct"
"""Where the prompts lie."""

ListForm = Literal["continued", "labelled", "listed", "tasks"]
"""How demonstrations are shown and new tasks come back.

`continued`: "1. …" to "9.", and the text goes on (the code). `labelled`: "Task 1: …" to "Task 9:"
(the paper). `listed`: a numbered list comes back whole (chat). `tasks`: Alpaca's blocks of
instruction, input and output.
"""

Truncation = Literal["drop_all", "drop_last"]
"""What a completion loses that was cut at its token limit."""

Conflict = Literal["drop_all", "drop_conflicting", "keep"]
"""What becomes of instances of one task with the same input and different outputs.

`drop_all`: the task loses all of its instances, as in the code. `drop_conflicting`: those that
contradict each other. `keep`: nothing, for tasks that have many right answers.
"""

InstructionRules = Literal["self_instruct", "alpaca", "open"]
InstanceRules = Literal["self_instruct", "sound"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bootstrap:
    """Step 1: new instructions from those there are.

    `demonstrations` are shown with each ask, up to `from_machine` of them machine-written. `new`
    is how many instructions one ask can bring: what the prompt asks for, or the stop strings let
    through. `capitalize` is the code's `str.capitalize()`, which lower-cases "SQL" and "NASA".
    `threshold` is the largest ROUGE-L F1 with the pool that is still novel.
    """

    prompt: str
    form: ListForm
    demonstrations: int
    from_machine: int
    new: int
    sampling: Sampling
    truncated: Truncation
    capitalize: bool
    rules: InstructionRules
    threshold: float
    tokenizer: Literal["rouge", "unicode"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Instances:
    """Steps 2 and 3: is the task a classification, and up to `most` inputs with their outputs.

    `form` is "plain" for the code's "Example 1 / Input: / Output:", "headed" for Markdown headings.
    """

    classify: str
    input_first: str
    output_first: str
    form: Literal["plain", "headed"]
    most: int
    classify_sampling: Sampling
    input_first_sampling: Sampling
    output_first_sampling: Sampling
    rules: InstanceRules
    conflict: Conflict


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`count` is of instructions that enter the pool, as in the paper; each leads to up to
    `instances.most` examples, or to none.

    `instances` is None where one prompt brings whole tasks (Alpaca).

    `lag`: an ask sees the pool without what the `lag - 1` asks before it bring, so that so many are
    under way at once; 1 is strictly sequential. It shapes the data. `window`: instructions whose
    instances are under way at once; no answer depends on it. `rounds`: how often what is missing is
    asked for. `classification_only`: bootstrap from classification seeds, asking for their like.
    `scores`: record the ten most similar texts and the mean similarity of what is accepted.
    """

    bootstrap: Bootstrap
    instances: Instances | None
    count: int = 1000
    seed: int = 0
    lag: int = 16
    window: int = 256
    rounds: int = 100
    classification_only: bool = False
    scores: bool = False
