"""Judging a student's outputs against the baseline's, one call per instruction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import nan

from seedbed.evaluate.alpaca_eval.annotations import Annotated
from seedbed.evaluate.alpaca_eval.data import Baseline
from seedbed.evaluate.alpaca_eval.protocol import (
    JudgePrompt,
    has_chances,
    read_preference,
    sampling,
    swapped_back,
)
from seedbed.evaluate.judge import Judge, Judgment, agreement, forecast_judging, switched
from seedbed.forecast import Range, Stage, tokens_in
from seedbed.records import JSON, Request, Sampling

EQUAL = 1.5
"""The preference of two identical outputs, for which nobody is asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """How the judge is asked.

    `both_orders` asks each question twice, the outputs swapped, and takes the mean: twice the
    price, and the preferences are not those of the published protocol. `seed` is of the order;
    the published one is 0.
    """

    prompt: JudgePrompt
    sampling: Sampling = sampling()
    both_orders: bool = False
    seed: int = 0

    @property
    def settings(self) -> dict[str, JSON]:
        """What a measurement depends on: two with other values are not comparable."""
        return {
            "judge_prompt": self.prompt.digest,
            "both_orders": self.both_orders,
            "order_seed": self.seed,
            "judge_temperature": self.sampling.temperature,
            "judge_max_tokens": self.sampling.max_tokens,
        }

    def notes(self) -> tuple[str, ...]:
        swapped = "Each pair was judged in both orders, and the two preferences averaged."
        return (*self.prompt.notes(), *((swapped,) if self.both_orders else ()))


@dataclass(frozen=True, slots=True)
class _Pair:
    """One instruction's outputs. `swap` shows the student's first."""

    place: int
    instruction: str
    baseline: str
    student: str
    swap: bool

    def request(self, protocol: Protocol) -> Request:
        first, second = self.baseline, self.student
        if self.swap:
            first, second = second, first
        return protocol.prompt.request(self.instruction, first, second, protocol.sampling)


def requests(outputs: Mapping[str, str], data: Baseline, protocol: Protocol) -> tuple[Request, ...]:
    """What the judge will be asked, in order."""
    return tuple(pair.request(protocol) for pair in _pairs(outputs, data, protocol))


def forecast(outputs: Mapping[str, str], data: Baseline, protocol: Protocol) -> Stage:
    """What judging these outputs takes."""
    asked = requests(outputs, data, protocol)
    return forecast_judging("alpaca_eval", ((_tokens(each), 1) for each in asked))


async def annotate(
    outputs: Mapping[str, str],
    *,
    student: str,
    data: Baseline,
    judge: Judge,
    protocol: Protocol,
) -> Annotated:
    """Judge a student's outputs.

    Args:
        outputs: the student's, by instruction; those of other instructions are left alone, and
            instructions without one are not judged, so the result is of fewer than it should be.
        student: its name.

    Raises:
        ModelError: the judge could not answer.
    """
    annotated = Annotated(student=student, judge=judge.name, baseline=data.baseline)
    pairs = _pairs(outputs, data, protocol)
    protocol = await _understood(protocol, pairs, judge)
    asked = judge.ask_all((pair.request(protocol) for pair in pairs), read_preference)
    found: dict[int, list[float]] = {}
    waiting = iter(pairs)
    async for judgment in asked:
        pair = next(waiting)
        found.setdefault(pair.place, []).append(_seen(judgment, pair))
        lost = judgment.completion.finish_reason in ("refused", "rejected")
        annotated.from_text += not lost and not has_chances(judgment.completion)
    annotated.judgments = len(pairs)
    if protocol.both_orders:
        both = [tuple(each) for each in found.values()]
        read = [(first, second) for first, second in both if first == first and second == second]
        annotated.agreement = agreement(read)
    for place, instruction in enumerate(data.instructions):
        if instruction in outputs:
            preferences = found.get(place, [EQUAL])
            mean = sum(preferences) / len(preferences)
            annotated.add(place, mean, outputs[instruction], data.outputs[place])
    return annotated


async def _understood(protocol: Protocol, pairs: list[_Pair], judge: Judge) -> Protocol:
    """The protocol, without log-probabilities where the judge's server rejects asking for them."""
    if not pairs or await judge.accepts(pairs[0].request(protocol)):
        return protocol
    plain = replace(protocol, sampling=replace(protocol.sampling, top_logprobs=None))
    return plain if await judge.accepts(pairs[0].request(plain)) else protocol


def _pairs(outputs: Mapping[str, str], data: Baseline, protocol: Protocol) -> list[_Pair]:
    """Every comparison to be made: two per instruction where both orders are asked for."""
    return [
        _Pair(place, instruction, baseline, outputs[instruction], swap)
        for place, (instruction, baseline) in enumerate(
            zip(data.instructions, data.outputs, strict=True)
        )
        if instruction in outputs and outputs[instruction] != baseline
        for swap in _orders(instruction, protocol)
    ]


def _orders(instruction: str, protocol: Protocol) -> tuple[bool, ...]:
    first = switched(instruction, seed=protocol.seed)
    return (first, not first) if protocol.both_orders else (first,)


def _seen(judgment: Judgment[float], pair: _Pair) -> float:
    """The preference with the baseline first; NaN where it could not be read."""
    if judgment.value is None:
        return nan
    return swapped_back(judgment.value) if pair.swap else judgment.value


def _tokens(request: Request) -> Range:
    tokens = Range(0, 0)
    for message in request.messages:
        tokens += tokens_in(message.content)
    return tokens
