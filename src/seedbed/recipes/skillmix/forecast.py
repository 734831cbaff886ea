"""How many calls and tokens a run will take, from its prompts and settings, before any is made.

What is known is used (the prompts, the counts, the pool where it exists); what is not are the
lengths below, each with its source. The range is wide where we guess and narrow where we know.
"""

from __future__ import annotations

from dataclasses import dataclass

from seedbed.forecast import Range, Stage, cacheable, cached, tokens_in
from seedbed.prompts import Prompts
from seedbed.recipes.skillmix import TURNS, Params, definition
from seedbed.recipes.skillmix.extract import ExtractParams
from seedbed.recipes.skillmix.skillset import SkillSet
from seedbed.records import QueryType


@dataclass(frozen=True, slots=True, kw_only=True)
class Lengths:
    """Expected tokens of what the teacher writes.

    `conversation` is from the 1,000 released rows: 2,302 characters of response and 59 words of
    instruction on average. The others are our estimates.
    """

    conversation: Range = Range(450, 900)
    critique: Range = Range(250, 600)
    name: Range = Range(4, 8)
    query_type: Range = Range(50, 110)
    example: Range = Range(40, 300)


TEACHER = Lengths()

PRACTICE = Lengths(
    conversation=Range(60, 160),
    critique=Range(20, 120),
    name=Range(2, 6),
    query_type=Range(40, 90),
    example=Range(40, 300),
)

ACCEPTED = Range(1.0, 1.25)
"""Mixes asked per example kept: none dropped, or one in five."""


def forecast_extraction(
    prompts: Prompts, params: ExtractParams, lengths: Lengths, *, sampled: int | None
) -> list[Stage]:
    """Stage one; `sampled` is the number of dataset examples for SDD, None for SDA."""
    if sampled is not None:
        return _from_examples(prompts, params, lengths, sampled)
    names = Range(params.skills_per_topic, params.skills_per_topic) * lengths.name
    asks = Range(1, min(2, params.asks))
    known = names * Range(0, 0.5)
    topics = Range(params.topics, params.topics) * lengths.name
    types = Range(params.query_types, params.query_types) * lengths.query_type
    return [
        Stage("topics", asks, asks * _prompt(prompts, "topics"), topics),
        Stage(
            "skills",
            asks * params.topics,
            asks * params.topics * (_prompt(prompts, "skills") + known),
            names * params.topics,
            cached(asks * params.topics, _prompt(prompts, "skills")),
        ),
        Stage("query types", asks, asks * _prompt(prompts, "query_types"), types),
    ]


def _from_examples(
    prompts: Prompts, params: ExtractParams, lengths: Lengths, sampled: int
) -> list[Stage]:
    rows = Range(sampled, sampled)
    labels = Range(1, lengths.name.high * params.labels_per_example)
    families = lengths.name * params.families
    chunks = Range(0, _most_chunks(sampled * params.labels_per_example, params))
    size = max(params.labels_per_cluster, 2 * params.families)
    relabelled = rows * Range(0, 1.2)
    batches = -(-sampled // params.instructions_per_ask)
    asks = Range(0, min(params.asks, batches))
    batch = lengths.example * Range(0.1, 0.5) * min(sampled, params.instructions_per_ask)
    return [
        Stage(
            "label",
            rows,
            rows * (_prompt(prompts, "label") + lengths.example),
            rows * labels,
            cached(rows, _prompt(prompts, "label")),
        ),
        Stage(
            "cluster",
            chunks,
            chunks * (_prompt(prompts, "cluster") + lengths.name * size),
            chunks * families,
            cached(chunks, _prompt(prompts, "cluster")),
        ),
        Stage(
            "relabel",
            relabelled,
            relabelled * (_prompt(prompts, "relabel") + families + lengths.example * 0.5),
            relabelled * labels,
            cached(relabelled, _prompt(prompts, "relabel") + families),
        ),
        Stage(
            "query types",
            asks,
            asks * (_prompt(prompts, "infer_query_types") + batch),
            asks * lengths.query_type * params.query_types,
        ),
    ]


def _most_chunks(labels: int, params: ExtractParams) -> int:
    """Chunks of all passes of `cluster`, if no two labels are the same."""
    size, chunks = max(params.labels_per_cluster, 2 * params.families), 0
    while labels > params.families:
        chunks += -(-labels // size)
        labels = 0 if labels <= size else -(-labels // size) * params.families
    return chunks


def forecast_generation(
    prompts: Prompts, params: Params, lengths: Lengths, *, pool: SkillSet | None
) -> list[Stage]:
    """Stage two, turn by turn: each turn is sent with all turns before it."""
    kinds = pool.query_types if pool and pool.query_types else (_TYPICAL,)
    definitions = [tokens_in(definition(kind)) for kind in kinds]
    asked = Range(min(part.low for part in definitions), max(part.high for part in definitions))
    slots = {
        "skills": ", ".join(["a_typical_skill"] * params.k),
        "query_type": kinds[0].name,
        "definition": "",
    }
    mixes = ACCEPTED * params.count
    history = Range(0, 0)
    beginning = tokens_in(prompts.templates[TURNS[params.profile][0]])
    stages = []
    for turn in TURNS[params.profile]:
        text = prompts.fill(turn, **(slots if turn == "draft" else {}))
        history = history + tokens_in(text) + (asked if turn == "draft" else Range(0, 0))
        written = lengths.critique if turn == "critique" else lengths.conversation
        served = mixes * cacheable(beginning)
        stages.append(Stage(turn, mixes, mixes * history, mixes * written, served))
        # A conversation goes on from all that was asked before, which is in the cache by then.
        beginning = history
        history = history + written
    return stages


def forecast_presence(prompts: Prompts, params: Params, lengths: Lengths) -> Stage:
    """The optional judge: one call for each example that passed the free checks."""
    calls = ACCEPTED * params.count
    text = _prompt(prompts, "presence") + lengths.conversation
    served = cached(calls, _prompt(prompts, "presence"))
    return Stage("presence judge", calls, calls * text, calls * params.k * Range(5, 12), served)


_TYPICAL = QueryType(name="Help-Seeking", definition="A definition of some forty words. " * 8)


def _prompt(prompts: Prompts, name: str) -> Range:
    return tokens_in(prompts.templates[name])
