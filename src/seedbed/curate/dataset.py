"""All of curation over one dataset, also one that seedbed did not make."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from seedbed.curate.contamination import BenchmarkPrompt, contaminated
from seedbed.curate.diversity.selection import Spread, spread
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
from seedbed.curate.in_order import InOrder, duplicates, novelty
from seedbed.curate.leaks import guard
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
        diverse: how many examples are kept at most, chosen for being unlike each other.
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
    diverse: int | None = None

    def selections(self) -> tuple[InOrder, ...]:
        """What an example is compared for with those before it, in this order.

        Raises:
            ConfigError: a threshold is out of range, or `rensa` is not installed.
        """
        novel = () if self.novelty is None else (novelty(self.novelty),)
        alike = () if self.near_duplicates is None else (duplicates(self.near_duplicates),)
        return (*novel, *alike)

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


class Curated(Protocol):
    """What is kept, in the dataset's order, and what is left out, with why, step after step.

    Each iteration begins anew.
    """

    @property
    def kept(self) -> Iterable[Example]: ...

    @property
    def drops(self) -> Iterable[tuple[Example, Drop]]: ...


@dataclass(slots=True, kw_only=True)
class InMemory:
    """A curated dataset that memory holds."""

    kept: list[Example] = field(default_factory=list)
    drops: list[tuple[Example, Drop]] = field(default_factory=list)

    @property
    def reasons(self) -> Counter[str]:
        return Counter(drop.reason for _, drop in self.drops)

    @property
    def repairs(self) -> Counter[str]:
        return Counter(repair for example in self.kept for repair in example.repairs)

    def leave_out(self, verdicts: Sequence[Drop | None]) -> None:
        """Drop from what is kept what has an objection."""
        judged = list(zip(self.kept, verdicts, strict=True))
        self.drops += [(example, drop) for example, drop in judged if drop is not None]
        self.kept = [example for example, drop in judged if drop is None]


def curate(examples: Iterable[Example], settings: CurateSettings) -> InMemory:
    """Decide on every example, in memory. `partitions` makes the same decisions in many parts."""
    curated = InMemory()
    selections, decide = settings.selections(), judge(settings)
    for example in examples:
        verdict = decide(example)
        if isinstance(verdict, Drop):
            curated.drops.append((example, verdict))
        else:
            curated.kept.append(verdict)
    for selection in selections:
        curated.leave_out(selection.decided([selection.text(each) for each in curated.kept]))
    if settings.diverse is not None:
        texts = [example.asked for example in curated.kept]
        curated.leave_out(spread(texts, Spread(wanted=settings.diverse, of=len(texts))))
    return curated


def judge(settings: CurateSettings) -> Callable[[Example], Example | Drop]:
    """What is decided about an example by itself: the example, mended where it needs it, or the
    first objection to it."""
    filters = settings.filters()

    def decide(example: Example) -> Example | Drop:
        mended = guard(example, mode=settings.leaks)
        return mended if isinstance(mended, Drop) else first_objection(mended, filters) or mended

    return decide
