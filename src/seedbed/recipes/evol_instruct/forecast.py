"""How many calls and tokens a run will take, from its seeds, prompts and settings.

The prompts and the seeds are known; what is not are the lengths and shares below, each with its
source.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from seedbed.forecast import Range, Stage, cached, tokens_in
from seedbed.prompts import Prompts
from seedbed.recipes.evol_instruct.params import COMPLICATE, IN_DEPTH, Params
from seedbed.recipes.evol_instruct.seeds import seeds_of
from seedbed.records import Example, Instruction

JUDGE = "equality judge"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lengths:
    """Expected tokens of what is written.

    `added` by one rewriting: the prompt allows 10 to 20 words, and models take more (Instruction
    Fusion counts 14 tokens grown to 325 in four rounds). `material` that `complicate_input` brings
    is our estimate, `response` is from Alpaca's and from today's chat models' answers.
    """

    added: Range = Range(15, 60)
    material: Range = Range(60, 200)
    response: Range = Range(150, 700)
    verdict: Range = Range(1, 8)


TEACHER = Lengths()

PRACTICE = Lengths(
    added=Range(4, 20),
    material=Range(10, 60),
    response=Range(15, 90),
    verdict=Range(2, 3),
)

SOUND = Range(0.7, 1.0)
"""Share of rewritings that pass the free rules, and so are judged."""

GAINS = Range(0.5, 1.0)
"""Share of the judged that are not equal: about half for Alpaca in round 1 (nlpxucan/WizardLM,
issue 220), nearly all for today's models."""

ANSWERED = Range(0.9, 1.0)
"""Share of responses that are kept; evol-teacher rejected 4 %."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedSizes:
    """How many seeds there are, how many have a response, and the tokens of all of them."""

    count: int
    answered: int
    tokens: Range


def seed_sizes(given: Iterable[Example | Instruction], params: Params) -> SeedSizes:
    """The size of a run's seeds, each text counted once."""
    seeds = [seed for seed in seeds_of(given, joint=params.joint) if not seed.repeated]
    tokens = sum((tokens_in(seed.root.text) for seed in seeds), Range(0, 0))
    answered = sum(isinstance(seed.given, Example) for seed in seeds)
    return SeedSizes(count=len(seeds), answered=answered, tokens=tokens)


def forecast_evolution(
    prompts: Prompts, params: Params, lengths: Lengths, *, seeds: SeedSizes
) -> dict[str, list[Stage]]:
    """Rewritings, verdicts and responses. With a `count`, only as many seeds as it may take."""
    begun = _begun(params, seeds)
    each = seeds.tokens * (1 / max(seeds.count, 1))
    instruction = each + lengths.added * ((params.rounds + 1) / 2) * Range(0.5, 1.0)
    complicated = params.operations.count(COMPLICATE) / len(params.operations)
    instruction = instruction + lengths.material * complicated
    tried = begun * params.rounds
    judged = tried * (SOUND if params.elimination.leaked else Range(1, 1))
    asked = judged * GAINS if params.elimination.equality else judged
    originals = begun if params.originals == "answer" else Range(0, 0)
    prompt = _prompt(prompts, params)
    stages = {
        "rewrite": [
            Stage(
                "rewrite",
                tried,
                tried * (prompt + instruction),
                tried * instruction,
                cached(tried, prompt),
            )
        ],
        "answer": [
            Stage(
                "answer",
                asked + originals,
                asked * instruction + originals * each,
                (asked + originals) * lengths.response,
            )
        ],
    }
    if params.elimination.equality:
        equal = tokens_in(prompts.templates["equal"])
        text = equal + instruction * 2
        verdicts = judged * lengths.verdict
        stages[JUDGE] = [Stage("equal", judged, judged * text, verdicts, cached(judged, equal))]
    return stages


def expected_examples(params: Params, seeds: SeedSizes) -> Range:
    """How many examples the run is likely to make."""
    made = Range(seeds.count, seeds.count) * params.rounds * _share(params)
    originals = {"leave_out": 0, "keep": seeds.answered, "answer": seeds.count}[params.originals]
    most = made + Range(originals, originals)
    return (
        most
        if params.count is None
        else Range(*(min(params.count, end) for end in (most.low, most.high)))
    )


def _begun(params: Params, seeds: SeedSizes) -> Range:
    """Seeds that are taken up, the fewest and the most."""
    if params.count is None:
        return Range(seeds.count, seeds.count)
    fewest = params.seeds_for(params.count) or 0
    originals = params.originals != "leave_out"
    kept = params.rounds * _share(params).low + originals
    return Range(min(fewest, seeds.count), min(-(-params.count // max(kept, 0.01)), seeds.count))


def _share(params: Params) -> Range:
    """The share of evolutions that end in an example."""
    rules = params.elimination
    share = (SOUND if rules.leaked else Range(1, 1)) * (GAINS if rules.equality else Range(1, 1))
    return share * (ANSWERED if rules.no_content else Range(1, 1))


def _prompt(prompts: Prompts, params: Params) -> Range:
    """The average over the operations, each as likely as any other."""
    sizes = []
    for operation in params.operations:
        size = tokens_in(prompts.templates["rewrite" if operation in IN_DEPTH else operation])
        sizes.append(
            size + tokens_in(prompts.templates[operation]) if operation in IN_DEPTH else size
        )
    return sum(sizes, Range(0, 0)) * (1 / len(sizes))
