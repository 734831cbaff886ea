"""The nouns. Every record is frozen, typed, and knows its own identity.

A record's type says how far it has come: an `Instruction` has been asked, an `Example` has
been answered. Something that was left out is a `Drop` with its reason, never a row of `None`.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Literal

JSON = Any
"""Whatever `json.dumps` takes: dict, list, str, int, float, bool, None."""

Role = Literal["system", "user", "assistant"]

FinishReason = Literal["stop", "length", "refused", "rejected"]
"""Why a completion ended.

`stop`: by itself. `length`: cut at `max_tokens`. `refused`: the provider's content filter or the
model's own refusal field. `rejected`: the server would not take this one request (HTTP 400 and
its like), so nothing was written and nothing was paid.
"""


def digest(*parts: JSON) -> str:
    """Name any JSON-able value by its content: 64 hexadecimal digits."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Message:
    role: Role
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How a completion is drawn. All of it is part of a request's identity.

    `top_logprobs` asks for that many alternatives per token (0 to 20); None asks for no
    log-probabilities at all.
    """

    temperature: float = 1.0
    top_p: float = 1.0
    max_tokens: int = 2048
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    stop: tuple[str, ...] = ()
    top_logprobs: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One question to one model.

    `draw` tells deliberate repeats apart: asking the same question twice on purpose means
    draw 0 and draw 1; asking it twice by accident costs nothing. `schema` is a JSON schema that
    the text has to fit, for servers that can enforce one.
    """

    messages: tuple[Message, ...]
    sampling: Sampling = Sampling()
    schema: Mapping[str, JSON] | None = None
    draw: int = 0

    def to_json(self) -> dict[str, JSON]:
        """The request's identity; written by hand because `asdict` costs ten times as much."""
        sampling = self.sampling
        return {
            "messages": [[message.role, message.content] for message in self.messages],
            "sampling": {
                "temperature": sampling.temperature,
                "top_p": sampling.top_p,
                "max_tokens": sampling.max_tokens,
                "frequency_penalty": sampling.frequency_penalty,
                "presence_penalty": sampling.presence_penalty,
                "stop": list(sampling.stop),
                "top_logprobs": sampling.top_logprobs,
            },
            "schema": self.schema,
            "draw": self.draw,
        }


@dataclass(frozen=True, slots=True)
class TokenLogprob:
    """A generated token, its natural-log probability, and the likeliest alternatives."""

    token: str
    logprob: float
    top: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens as the provider counted them.

    `cached_tokens` is the part of `prompt_tokens` that the provider's prompt cache served.
    `reported` is False where the server sent no believable usage and the numbers are a bound.
    `doubtful` counts earlier attempts at the same request that timed out or broke off, and so
    may have been charged as well. `picodollars` is what it cost when it was paid; None where no
    price was known.
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    reported: bool = True
    doubtful: int = 0
    picodollars: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """Raw text that a model returned.

    `note` holds the server's words where `finish_reason` is `refused` or `rejected`; `key` is the
    journal entry that remembers this completion, empty where there is no journal.
    """

    text: str
    finish_reason: FinishReason = "stop"
    usage: Usage = Usage()
    logprobs: tuple[TokenLogprob, ...] = ()
    note: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Skill:
    """A named ability, with the topic it was listed under (SDA), or the number of examples of the
    user's dataset that need it (SDD)."""

    name: str
    topic: str = ""
    uses: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryType:
    """A way in which people ask: a name, its definition, and example queries."""

    name: str
    definition: str = ""
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where an instruction came from; enough to find every call and every parent behind it.

    `step` is the recipe's own name for what was done ("three_turn", "deepen", …), `round` and
    `draw` say when and which repeat, `parents` are ids of instructions, `calls` are journal keys.
    """

    recipe: str = "seed"
    step: str = ""
    seed: int = 0
    round: int = 0
    draw: int = 0
    skills: tuple[str, ...] = ()
    query_type: str = ""
    parents: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """What the user asks, without the input that some instructions work on."""

    text: str
    origin: Origin = Origin()

    @property
    def id(self) -> str:
        origin = self.origin
        return digest(
            self.text, origin.recipe, origin.step, origin.round, origin.draw, origin.parents
        )[:16]


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A finished (instruction, response) pair, ready to train on.

    `input` is the material that the instruction works on, where it has any; `repairs` names what
    the filters mended in the response or the instruction.
    """

    instruction: Instruction
    response: str
    input: str = ""
    repairs: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        return digest(self.instruction.id, self.input, self.response)[:16]

    @property
    def asked(self) -> str:
        """What the user says: the instruction, and after a blank line its input, if any."""
        text = self.instruction.text
        return f"{text}\n\n{self.input}" if self.input else text


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What a model wrote that did not become an instruction, with where it would have come from."""

    text: str
    origin: Origin = Origin()


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """Why an item was left out: a stable snake_case reason, and the evidence for it."""

    reason: str
    evidence: Mapping[str, float | str] = field(default_factory=dict)


Dropped = Attempt | Instruction | Example
"""What can be left out; a `Drop` says why."""

DropSink = Callable[[Dropped, Drop], None]
"""Takes what a recipe leaves out, in the order in which the recipe decides."""

Filter = Callable[[Example], Drop | None]
"""An objection to one example, or None. Pure and free."""

Review = Callable[[Example], Awaitable[Example | Drop]]
"""The last word on an example: kept (perhaps repaired) or left out. May cost (a judge)."""

Selector = Callable[[Sequence[Example]], Sequence[int]]
"""A decision over a whole set: the indices to keep, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchSignals:
    """What one training step said of its batch.

    `step` counts from 1. `batch` holds the signals of the batch as a whole, `examples` those of
    each of its examples, in the batch's order; their names are those of `training.feedback`.
    """

    step: int
    batch: Mapping[str, float]
    examples: tuple[Mapping[str, float], ...]


Feedback = Callable[[Sequence[Example]], Awaitable[BatchSignals]]
"""Trains the student one step on a batch and returns what that showed. Costs, so it is kept."""

Probe = Callable[[Sequence[Example]], Awaitable[Sequence[float]]]
"""The student's mean loss per response token on each example, as it is now; trains nothing."""
