"""Stage one: skills and query types, from the teacher alone (SDA) or from a dataset (SDD).

SDA ("seed-dataset agnostic") asks for topics, then for skills under each topic, then for query
types; the paper's prompts and counts were not released, so ours are named settings. SDD
("seed-dataset dependent") follows Didolkar et al. (arXiv 2405.12205), whom the paper cites for it:
label each example, cluster the labels into families, label again with the closed list.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from textwrap import shorten

from seedbed.models.model import Model
from seedbed.prompts import Prompts
from seedbed.recipes.skillmix.parse import parse_names, parse_query_types
from seedbed.recipes.skillmix.skillset import SkillSet, distinct, normalise
from seedbed.records import Example, Message, QueryType, Request, Sampling, Skill
from seedbed.streams import ordered

NOTHING_YET = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractParams:
    """How much to extract. The defaults of SDA give the size of the released pool: about 1,100
    skills and 16 query types.

    `keep_topics` puts the topics' names among the skills, as the paper's pool has them. `asks` is
    how often a list that came out too short is asked to go on. The last five belong to SDD.
    """

    topics: int = 45
    skills_per_topic: int = 25
    query_types: int = 16
    keep_topics: bool = True
    asks: int = 4
    sampling: Sampling = Sampling(temperature=1.0, max_tokens=4096)
    window: int = 512
    labels_per_example: int = 3
    families: int = 120
    labels_per_cluster: int = 400
    relabel_draws: int = 3
    instructions_per_ask: int = 40


Ask = Callable[..., Awaitable[str]]


def asker(model: Model, prompts: Prompts, sampling: Sampling) -> Ask:
    """One verb for all of this module: fill a prompt, ask, return the text.

    The last line of a list that was cut short may be half a name, so it is left out.
    """

    async def ask(name: str, *, draw: int = 0, **values: object) -> str:
        message = Message("user", prompts.fill(name, **values))
        completion = await model.complete(
            Request(messages=(message,), sampling=sampling, draw=draw)
        )
        cut = completion.finish_reason != "stop"
        return completion.text.rpartition("\n")[0] if cut else completion.text

    return ask


async def skills_from_teacher(*, model: Model, prompts: Prompts, params: ExtractParams) -> SkillSet:
    """SDA: topics → skills per topic → query types."""
    ask = asker(model, prompts, params.sampling)
    topics = await listed(ask, "topics", params.topics, params.asks)

    async def skills_of(topic: str) -> list[Skill]:
        names = await listed(ask, "skills", params.skills_per_topic, params.asks, topic=topic)
        head = [Skill(name=topic, topic=topic)] if params.keep_topics else []
        return head + [Skill(name=name, topic=topic) for name in names]

    skills = [
        skill async for group in ordered(skills_of, topics, limit=params.window) for skill in group
    ]
    return SkillSet(
        skills=distinct(skills),
        query_types=await query_types_from_teacher(ask, params),
        made_by={
            "method": "SDA",
            "teacher": model.name,
            "topics": topics,
            "named": len(skills),
            "prompts": prompts.digest,
        },
    )


async def listed(ask: Ask, prompt: str, count: int, asks: int, **values: object) -> list[str]:
    """Up to `count` distinct names, asking again for what is missing while that brings new ones.

    A first answer without any name (a refusal, say) is drawn again: it must not end a run.
    """
    names: dict[str, None] = {}
    for draw in range(asks):
        known = ", ".join(names) or NOTHING_YET
        text = await ask(prompt, draw=draw, count=count - len(names), known=known, **values)
        fresh = [name for name in parse_names(text) if name not in names]
        names.update(dict.fromkeys(fresh[: count - len(names)]))
        if len(names) == count or (names and not fresh):
            break
    return list(names)


async def query_types_from_teacher(ask: Ask, params: ExtractParams) -> tuple[QueryType, ...]:
    """Up to `params.query_types` types, asked for as `listed` does."""
    types: dict[str, QueryType] = {}
    for draw in range(params.asks):
        known = ", ".join(kind.name for kind in types.values()) or NOTHING_YET
        missing = params.query_types - len(types)
        text = await ask("query_types", draw=draw, count=missing, known=known)
        added = _take(parse_query_types(text), types, params.query_types)
        if len(types) == params.query_types or (types and not added):
            break
    return tuple(types.values())


def _take(found: Iterable[QueryType], types: dict[str, QueryType], most: int) -> int:
    """Add the types that are new, up to so many in all; the number of those added."""
    before = len(types)
    for kind in found:
        if len(types) < most:
            types.setdefault(normalise(kind.name), kind)
    return len(types) - before


async def skills_from_examples(
    examples: Sequence[Example], *, model: Model, prompts: Prompts, params: ExtractParams
) -> SkillSet:
    """SDD: label each example, cluster the labels, label again with the closed list.

    A family that no example needs in the end is left out; `uses` counts the examples of the others.
    """
    ask = asker(model, prompts, params.sampling)
    limit = params.labels_per_example

    async def label(example: Example) -> list[str]:
        text = await ask(
            "label",
            limit=limit,
            instruction=whole_instruction(example),
            response=example.response,
        )
        return parse_names(text)[:limit]

    async def relabel(example: Example) -> list[str]:
        for draw in range(params.relabel_draws):
            text = await ask(
                "relabel",
                draw=draw,
                limit=limit,
                families="\n".join(families),
                instruction=whole_instruction(example),
            )
            names = parse_names(text)
            if chosen := [name for name in names if name in families][:limit]:
                return chosen
            if not names:
                break
        return []

    labels = Counter[str]()
    labelled: list[Example] = []
    async for example, names in _with(label, examples, params.window):
        labels.update(names)
        labelled += [example] if names else []
    families = await cluster(ask, [name for name, _ in labels.most_common()], params)
    uses = Counter[str]()
    async for _, names in _with(relabel, labelled, params.window):
        uses.update(names)
    return SkillSet(
        skills=distinct(Skill(name=name, uses=uses[name]) for name in families if uses[name]),
        query_types=await infer_query_types(ask, labelled, params),
        made_by={
            "method": "SDD",
            "teacher": model.name,
            "examples": len(examples),
            "without_a_skill": len(examples) - len(labelled),
            "labels": len(labels),
            "families": len(families),
            "prompts": prompts.digest,
        },
    )


async def cluster(ask: Ask, labels: list[str], params: ExtractParams) -> list[str]:
    """Families for any number of labels: in chunks, then the families' own names, until one chunk.

    Few labels need no clustering, and a chunk that comes back without a family keeps its labels.
    Where a pass leaves nine in ten labels the next would hardly do better: then the first ones are
    taken as they are.
    """
    if len(labels) <= params.families:
        return labels
    size = max(params.labels_per_cluster, 2 * params.families)
    chunks = [labels[start : start + size] for start in range(0, len(labels), size)]

    async def group(chunk: list[str]) -> list[str]:
        for draw in range(params.relabel_draws):
            text = await ask("cluster", draw=draw, count=params.families, labels="\n".join(chunk))
            if names := parse_names(text)[: params.families]:
                return names
        return chunk

    groups = [names async for names in ordered(group, chunks, limit=params.window)]
    families = list(dict.fromkeys(name for names in groups for name in names))
    if len(chunks) == 1 or 10 * len(families) > 9 * len(labels):
        return families[: params.families]
    return await cluster(ask, families, params)


async def infer_query_types(
    ask: Ask, examples: Sequence[Example], params: ExtractParams
) -> tuple[QueryType, ...]:
    """Types that occur among the examples: asked of batches until enough distinct ones came.

    Few examples make one batch, which is asked again only where an answer had no type.
    """
    types: dict[str, QueryType] = {}
    size = params.instructions_per_ask
    for draw in range(params.asks if examples else 0):
        batch = examples[draw * size : (draw + 1) * size] or (examples[:size] if not types else ())
        if not batch or len(types) == params.query_types:
            break
        text = await ask(
            "infer_query_types",
            draw=draw,
            count=params.query_types - len(types),
            instructions="\n".join(f"- {beginning(example)}" for example in batch),
        )
        _take(parse_query_types(text), types, params.query_types)
    return tuple(types.values())


def beginning(example: Example) -> str:
    """An instruction on one line, of a length that forty of them fit into any context window."""
    return shorten(example.instruction.text, width=600, placeholder=" …")


def whole_instruction(example: Example) -> str:
    text = example.instruction.text
    return f"{text}\n\n{example.input}" if example.input else text


async def _with(
    work: Callable[[Example], Awaitable[list[str]]], examples: Iterable[Example], window: int
) -> AsyncIterator[tuple[Example, list[str]]]:
    async def pair(example: Example) -> tuple[Example, list[str]]:
        return example, await work(example)

    async for result in ordered(pair, examples, limit=window):
        yield result
