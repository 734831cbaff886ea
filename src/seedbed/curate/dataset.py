"""All of curation over one dataset, also one that seedbed did not make."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from seedbed.curate.contamination import BenchmarkPrompt, contaminated
from seedbed.curate.duplicates import without_near_duplicates
from seedbed.curate.filters import (
    alpaca,
    first_objection,
    foreign_script,
    keyword,
    on_instruction,
    on_response,
    self_instruct,
    self_instruct_instances,
    sound,
    word_count,
)
from seedbed.curate.leaks import guard
from seedbed.curate.novelty import NoveltyIndex
from seedbed.records import Drop, Example, Filter

Rules = Literal["sound", "self_instruct", "alpaca"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CurateSettings:
    """What an example has to pass, in this order; what is None or empty is not asked.

    Args:
        rules: sets of filters: what is wrong with any example, and the rules of two papers.
        leaks: what is done about refinement commentary.
        words: the fewest and the most words of an instruction.
        response_words: those of a response.
        keywords: terms that an instruction must not hold, as whole words.
        scripts: the scripts that most letters of an instruction have to be in (LATIN, CJK, …).
        against: benchmark prompts that must not be in the data.
        novelty: the largest ROUGE-L F1 of an instruction with any kept before it.
        near_duplicates: the smallest Jaccard similarity of instruction and input at which the
            later example is left out.
    """

    rules: tuple[Rules, ...] = ("sound",)
    leaks: Literal["repair", "drop", "off"] = "off"
    words: tuple[int, int | None] = (0, None)
    response_words: tuple[int, int | None] = (0, None)
    keywords: tuple[str, ...] = ()
    scripts: tuple[str, ...] = ()
    against: tuple[BenchmarkPrompt, ...] = ()
    novelty: float | None = None
    near_duplicates: float | None = None

    def filters(self) -> tuple[Filter, ...]:
        """The per-example objections, the cheap ones first."""
        chosen: list[Filter] = []
        if "sound" in self.rules:
            chosen += sound()
        if "self_instruct" in self.rules:
            chosen += [*map(on_instruction, self_instruct()), *self_instruct_instances()]
        if "alpaca" in self.rules:
            chosen += map(on_instruction, alpaca())
        chosen.append(on_instruction(word_count(minimum=self.words[0], maximum=self.words[1])))
        low, high = self.response_words
        chosen.append(on_response(word_count(minimum=low, maximum=high)))
        if self.keywords:
            chosen.append(on_instruction(keyword(self.keywords)))
        if self.scripts:
            chosen.append(on_instruction(foreign_script(self.scripts)))
        if self.against:
            chosen.append(contaminated(self.against))
        return tuple(chosen)


@dataclass(slots=True, kw_only=True)
class Curated:
    """What is kept, in the dataset's order, and what is left out, with why."""

    kept: list[Example] = field(default_factory=list)
    drops: list[tuple[Example, Drop]] = field(default_factory=list)

    @property
    def reasons(self) -> Counter[str]:
        return Counter(drop.reason for _, drop in self.drops)

    @property
    def repairs(self) -> Counter[str]:
        return Counter(repair for example in self.kept for repair in example.repairs)


def curate(examples: Iterable[Example], settings: CurateSettings) -> Curated:
    """Decide on every example. The dataset is held in memory, since duplicates need all of it."""
    curated = Curated()
    for verdict in _judged(examples, settings):
        if isinstance(verdict, Example):
            curated.kept.append(verdict)
        else:
            curated.drops.append(verdict)
    if settings.near_duplicates is not None:
        select = without_near_duplicates(
            threshold=settings.near_duplicates,
            report=lambda example, drop: curated.drops.append((example, drop)),
        )
        curated.kept = _at(curated.kept, select(curated.kept))
    return curated


def _judged(
    examples: Iterable[Example], settings: CurateSettings
) -> Iterator[Example | tuple[Example, Drop]]:
    """Each example, mended where it needs it, or with the first objection to it."""
    filters = settings.filters()
    if settings.novelty is not None:
        index = NoveltyIndex(threshold=settings.novelty, tokenizer="unicode")
        filters = (*filters, on_instruction(index.admit))
    for example in examples:
        mended = guard(example, mode=settings.leaks)
        objection = mended if isinstance(mended, Drop) else first_objection(mended, filters)
        if isinstance(objection, Drop):
            yield example, objection
        elif isinstance(mended, Example):
            yield mended


def _at(examples: Sequence[Example], indices: Sequence[int]) -> list[Example]:
    return [examples[index] for index in indices]
