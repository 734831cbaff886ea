"""How many calls and tokens a run will take, from its prompts, seeds and settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from seedbed.forecast import Range, Stage, cached, tokens_in
from seedbed.prompts import Prompts
from seedbed.recipes.self_instruct.params import Instances, Params
from seedbed.recipes.self_instruct.pool import demonstrable, prompt_of
from seedbed.recipes.self_instruct.seeds import Seed


@dataclass(frozen=True, slots=True, kw_only=True)
class Lengths:
    """Expected tokens of what the teacher writes.

    The low ends are near the paper's means (section 3: instructions of 15.9 words, inputs of 12.7,
    outputs of 18.9); the high ends are our estimates for today's chat models. `written` is the
    number of instances of one task: 1.57 in the released data, more where a model is asked for
    them.
    """

    instruction: Range = Range(20, 60)
    input: Range = Range(0, 120)
    response: Range = Range(25, 350)
    written: Range = Range(1.0, 3.0)


TEACHER = Lengths()

PRACTICE = Lengths(
    instruction=Range(20, 60),
    input=Range(0, 40),
    response=Range(30, 110),
    written=Range(1.0, 3.0),
)

ACCEPTED = Range(0.5, 0.97)
"""Share of an ask's possible instructions that enter the pool. Alpaca Libre's records have 51 %."""


def forecast(
    prompts: Prompts, params: Params, lengths: Lengths, *, seeds: Sequence[Seed]
) -> list[Stage]:
    """The asks for new tasks and, but for Alpaca, two calls for each that is accepted."""
    stages = [_bootstrap(prompts, params, lengths, demonstrable(seeds, params))]
    if params.instances is not None:
        stages += _instances(prompts, params.count, params.instances, lengths)
    return stages


def between(fewest: Sequence[Stage], most: Sequence[Stage]) -> list[Stage]:
    """From the low ends of one forecast to the high ends of another of the same stages."""
    return [
        Stage(
            low.name,
            Range(low.calls.low, high.calls.high),
            Range(low.prompt_tokens.low, high.prompt_tokens.high),
            Range(low.completion_tokens.low, high.completion_tokens.high),
            Range(low.cached_tokens.low, high.cached_tokens.high),
        )
        for low, high in zip(fewest, most, strict=True)
    ]


def _bootstrap(prompts: Prompts, params: Params, lengths: Lengths, seeds: Sequence[Seed]) -> Stage:
    step = params.bootstrap
    most = params.count / step.new
    asks = Range(max(1, most / ACCEPTED.high), max(1, most / ACCEPTED.low))
    shown = _mean([_shown(seed, params) for seed in seeds])
    human = min(step.demonstrations, len(seeds))
    template = tokens_in(prompts.templates[prompt_of(params)])
    prompt = template + shown * human
    whole = lengths.instruction
    if params.instances is None:
        whole = whole + lengths.input + lengths.response + Range(20, 30)
    written = asks * step.new * (whole + Range(3, 5))
    return Stage("new tasks", asks, asks * prompt, written, cached(asks, template))


def _shown(seed: Seed, params: Params) -> Range:
    """A seed as a demonstration; a machine-written one is taken to be as long."""
    text = seed.instruction.text
    if params.instances is None and seed.examples:
        text = "\n".join((text, seed.examples[0].input, seed.examples[0].response))
    return tokens_in(text) + Range(3, 20 if params.instances is None else 5)


def _mean(ranges: Sequence[Range]) -> Range:
    count = len(ranges)
    return Range(sum(one.low for one in ranges) / count, sum(one.high for one in ranges) / count)


def _instances(prompts: Prompts, count: int, step: Instances, lengths: Lengths) -> list[Stage]:
    calls = Range(count, count)
    templates = [
        tokens_in(prompts.templates[name]) for name in (step.input_first, step.output_first)
    ]
    asked = Range(min(one.low for one in templates), max(one.high for one in templates))
    written = Range(lengths.written.low, min(lengths.written.high, step.most))
    kind = tokens_in(prompts.templates[step.classify])
    return [
        Stage(
            "classification?",
            calls,
            calls * (kind + lengths.instruction),
            calls * Range(1, 3),
            cached(calls, kind),
        ),
        Stage(
            "instances",
            calls,
            calls * (asked + lengths.instruction),
            calls * written * (lengths.input + lengths.response + Range(5, 15)),
            cached(calls, asked),
        ),
    ]
