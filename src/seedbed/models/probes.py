"""Tiny calls that find out what a server silently ignores.

Servers accept parameters that they do not obey: `transformers serve` takes `temperature` and
answers greedily, so that a run makes one text a thousand times, and nothing says so. Each probe
asks a question or two whose answers would differ if the parameter were obeyed.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from seedbed.models.model import Model
from seedbed.records import Completion, Message, Request, Sampling

Verdict = Literal["pass", "ignored", "unsupported", "unclear"]
"""`unsupported`: the server says no (HTTP 400), which is honest. `unclear`: its answers do not
tell, for example because a reasoning model came to none."""

Capability = Literal[
    "sampling", "greedy", "max_tokens", "stop", "usage", "system", "logprobs", "json_schema",
    "seed", "n",
]  # fmt: skip

SENTENCE = (
    "Write one sentence of about fifteen words about anything at all. Choose the subject at random."
)
"""Open enough that two samples differ, and short."""

_TOKENS = 24
_FEW = 4
_SCHEMA = {
    "type": "object",
    "properties": {"sentence": {"type": "string"}},
    "required": ["sentence"],
    "additionalProperties": False,
}
_SYSTEM = "You are a gardener. Whatever you are asked, you speak of gardens and of nothing else."


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a probe saw of one capability."""

    capability: Capability
    verdict: Verdict
    saw: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """The model as the probes ask it; all of them are the same weights behind the same address.

    Args:
        plain: as a run asks it, but with JSON schemas sent.
        seeded: twice, under names of their own, sending a request's draw as `seed`; () where
            nobody would send one.
        several: asking for two choices at once, whose number is the completion's `note`; None
            where that cannot be asked for.
    """

    plain: Model
    seeded: tuple[Model, ...] = ()
    several: Model | None = None


def _request(
    draw: int = 0, *, system: str = "", schema: bool = False, **sampling: object
) -> Request:
    given: Mapping[str, object] = {"temperature": 0.0, "max_tokens": _TOKENS} | sampling
    first = (Message("system", system),) if system else ()
    return Request(
        messages=(*first, Message("user", SENTENCE)),
        sampling=_sampling(given),
        schema=_SCHEMA if schema else None,
        draw=draw,
    )


def _sampling(given: Mapping[str, object]) -> Sampling:
    make: Callable[..., Sampling] = Sampling
    return make(**given)


async def probe(doors: Doors, only: frozenset[Capability] | None = None) -> list[Finding]:
    """Ask, and say what was found; `only` some capabilities, or all.

    Hot before cold: a server that keeps the settings of its first request answers the cold
    questions at random then.
    """
    hot = [await doors.plain.complete(_request(draw, temperature=1.0)) for draw in range(3)]
    cold = [await doors.plain.complete(_request(draw)) for draw in range(2)]
    probes: Mapping[Capability, Callable[[], Awaitable[Finding]]] = {
        "sampling": lambda: _given(_sampling_found(hot)),
        "greedy": lambda: _given(_greedy_found(cold)),
        "max_tokens": lambda: _max_tokens(doors.plain),
        "stop": lambda: _stop(doors.plain, cold[0]),
        "usage": lambda: _given(_usage_found([*hot, *cold])),
        "system": lambda: _system(doors.plain, cold[0]),
        "logprobs": lambda: _logprobs(doors.plain),
        "json_schema": lambda: _json_schema(doors.plain),
        "seed": lambda: _seed(doors.seeded, varies=len({one.text for one in hot}) > 1),
        "n": lambda: _n(doors.several),
    }
    wanted = [name for name in probes if only is None or name in only]
    return list(await asyncio.gather(*(probes[name]() for name in wanted)))


async def _given(finding: Finding) -> Finding:
    return finding


def _sampling_found(hot: list[Completion]) -> Finding:
    texts = {completion.text for completion in hot}
    if refused := _refused("sampling", hot):
        return refused
    if not any(text.strip() for text in texts):
        return _unclear("sampling", "no text within the first tokens")
    if len(texts) == 1:
        return _ignored("sampling", f"{len(hot)} samples at temperature 1 are one text")
    return _pass("sampling", f"{len(texts)} of {len(hot)} samples at temperature 1 differ")


def _greedy_found(cold: list[Completion]) -> Finding:
    if refused := _refused("greedy", cold):
        return refused
    if not cold[0].text.strip():
        return _unclear("greedy", "no text within the first tokens")
    if cold[0].text != cold[1].text:
        return _ignored("greedy", "two answers at temperature 0 differ")
    return _pass("greedy", "two answers at temperature 0 are the same")


async def _max_tokens(model: Model) -> Finding:
    answer = await model.complete(_request(max_tokens=_FEW))
    if refused := _refused("max_tokens", [answer]):
        return refused
    written = answer.usage.completion_tokens
    # No token of a natural text is longer than this on the average of a few.
    if (answer.usage.reported and written > _FEW) or len(answer.text) > 20 * _FEW:
        return _ignored("max_tokens", f"{written} tokens where {_FEW} were allowed")
    if answer.finish_reason != "length":
        return _unclear("max_tokens", f"ended by itself within {_FEW} tokens, or does not say")
    return _pass("max_tokens", f"cut after {written} of {_FEW} tokens, and says so")


async def _stop(model: Model, plain: Completion) -> Finding:
    # A letter that is surely there if the server answers as before, and likely there if not.
    letters = Counter(char for char in plain.text[1:] if char.isalnum())
    if not letters:
        return _unclear("stop", "no text to stop in")
    stop = letters.most_common(1)[0][0]
    answer = await model.complete(_request(stop=(stop,)))
    if refused := _refused("stop", [answer]):
        return refused
    # The text itself is cut there on arrival, whatever was sent.
    written, before = answer.usage.completion_tokens, plain.usage.completion_tokens
    if not (answer.usage.reported and plain.usage.reported):
        return _unclear("stop", "without usage nobody can tell how much was written")
    if answer.text and written >= before > 1:
        return _ignored("stop", f"wrote {written} tokens, on past the stop string {stop!r}")
    return _pass("stop", f"ended at the stop string {stop!r}, after {written} of {before} tokens")


def _usage_found(answers: list[Completion]) -> Finding:
    missing = sum(not answer.usage.reported for answer in answers)
    if refused := _refused("usage", answers):
        return refused
    if missing:
        return _ignored("usage", f"{missing} of {len(answers)} answers without believable usage")
    return _pass("usage", "every answer counts its tokens")


async def _system(model: Model, plain: Completion) -> Finding:
    answer = await model.complete(_request(system=_SYSTEM))
    if refused := _refused("system", [answer]):
        return refused
    more = answer.usage.prompt_tokens - plain.usage.prompt_tokens
    if answer.usage.reported and plain.usage.reported and more >= len(_SYSTEM.split()) // 2:
        return _pass("system", f"{more} tokens more in the prompt")
    if answer.text != plain.text:
        return _pass("system", "another answer than without it")
    return _ignored("system", "neither tokens nor answer changed with a system message")


async def _logprobs(model: Model) -> Finding:
    answer = await model.complete(_request(top_logprobs=2, max_tokens=_FEW))
    if refused := _refused("logprobs", [answer]):
        return refused
    if not answer.logprobs:
        return _ignored("logprobs", "asked for and not there")
    return _pass("logprobs", f"for {len(answer.logprobs)} tokens")


async def _json_schema(model: Model) -> Finding:
    answer = await model.complete(_request(schema=True, max_tokens=200))
    if refused := _refused("json_schema", [answer]):
        return refused
    try:
        content = json.loads(answer.text)
    except ValueError:
        if answer.finish_reason == "length" and answer.text.lstrip().startswith("{"):
            return _pass("json_schema", "JSON, cut at its length")
        return _ignored("json_schema", "the answer is no JSON")
    if not isinstance(content, dict) or not isinstance(content.get("sentence"), str):
        return _ignored("json_schema", "JSON of another shape than the schema's")
    return _pass("json_schema", "the answer fits the schema")


async def _seed(models: tuple[Model, ...], *, varies: bool) -> Finding:
    if not models or not varies:
        return _unclear("seed", "all samples are alike anyway" if models else "not sent")
    request = _request(draw=7, temperature=1.0)
    first, second = [await model.complete(request) for model in models[:2]]
    if refused := _refused("seed", [first, second]):
        return refused
    if first.text != second.text:
        return _ignored("seed", "one seed, two texts")
    return _pass("seed", "one seed, one text")


async def _n(model: Model | None) -> Finding:
    if model is None:
        return _unclear("n", "not sent")
    answer = await model.complete(_request(temperature=1.0))
    if refused := _refused("n", [answer]):
        return refused
    if answer.note != "2":
        return _ignored("n", f"n = 2 brought {answer.note or 'no'} choices")
    return _pass("n", "n = 2 brought 2 choices")


def _refused(capability: Capability, answers: list[Completion]) -> Finding | None:
    notes = [answer.note for answer in answers if answer.finish_reason == "rejected"]
    if not notes:
        return None
    return Finding(capability=capability, verdict="unsupported", saw=notes[0])


def _pass(capability: Capability, saw: str) -> Finding:
    return Finding(capability=capability, verdict="pass", saw=saw)


def _ignored(capability: Capability, saw: str) -> Finding:
    return Finding(capability=capability, verdict="ignored", saw=saw)


def _unclear(capability: Capability, saw: str) -> Finding:
    return Finding(capability=capability, verdict="unclear", saw=saw)
