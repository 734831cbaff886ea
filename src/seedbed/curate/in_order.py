"""Selections in order: a text stays unless it is too much like one that stayed before it.

Exact novelty and near-duplicates are both of this kind, and both depend on the order. What makes
them fit for many machines is that the objection to a text is the closest of the texts that stayed
before it, and the closest of all is the closest of the closest of each part. So a part of the
dataset can be compared with each earlier part by itself, wherever and whenever that one is decided,
and only then decides its own order (`partitions`). Nothing is approximated by it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from seedbed.curate.duplicates import DuplicateIndex
from seedbed.curate.novelty import NoveltyIndex
from seedbed.records import Drop, Example


class Pool(Protocol):
    """Texts that stay."""

    def check(self, text: str) -> Drop | None:
        """The objection of the text that is closest, of equals the earliest; None if none is."""
        ...

    def add(self, text: str, number: int) -> None:
        """Hold a text; `number` is its place in the dataset."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class InOrder:
    """One selection. `likeness` is the evidence that says how close two texts are; `with_input`
    whether an instruction is compared with its input or without."""

    name: str
    likeness: str
    with_input: bool
    pool: Callable[[], Pool]

    def text(self, example: Example) -> str:
        text = example.instruction.text
        return f"{text}\n{example.input}" if self.with_input else text

    def closer(self, first: Drop | None, second: Drop | None) -> Drop | None:
        """The objection of the closer text; of equals that of `first`, which is the earlier."""
        if first is None or second is None:
            return first or second
        one, other = first.evidence[self.likeness], second.evidence[self.likeness]
        assert isinstance(one, float)
        assert isinstance(other, float)
        return second if other > one else first

    def compared(
        self, texts: Iterable[str], pool: Pool, *, before: Iterable[Drop | None]
    ) -> list[Drop | None]:
        """The closest objection to each text, of the pool or of what was compared `before`."""
        return [
            self.closer(drop, pool.check(text)) for text, drop in zip(texts, before, strict=True)
        ]

    def decided(
        self, texts: Sequence[str], *, before: Sequence[Drop | None] = (), first: int = 0
    ) -> list[Drop | None]:
        """What is left out and why, one text after the other; None stays.

        Args:
            texts: the dataset, or the next part of it.
            before: the objections of all earlier parts to each text; none where this is the first.
            first: the number of the first text.
        """
        pool, verdicts = self.pool(), []
        for place, text in enumerate(texts):
            drop = self.closer(before[place] if before else None, pool.check(text))
            if drop is None:
                pool.add(text, first + place)
            verdicts.append(drop)
        return verdicts


def novelty(threshold: float) -> InOrder:
    """An instruction stays if its ROUGE-L with every one before it is at most the threshold."""
    NoveltyIndex(threshold=threshold, tokenizer="unicode")  # a bad threshold is told at once
    return InOrder(
        name="novelty",
        likeness="score",
        with_input=False,
        pool=lambda: _Novelty(threshold),
    )


def duplicates(threshold: float) -> InOrder:
    """Instruction and input stay if they are less similar than that to all before them."""
    DuplicateIndex(threshold=threshold)
    return InOrder(
        name="near_duplicates",
        likeness="jaccard",
        with_input=True,
        pool=lambda: DuplicateIndex(threshold=threshold),
    )


class _Novelty:
    def __init__(self, threshold: float) -> None:
        self._index = NoveltyIndex(threshold=threshold, tokenizer="unicode")

    def check(self, text: str) -> Drop | None:
        drop = self._index.check(text)
        if drop is None:
            return None
        return replace(drop, evidence={**drop.evidence, "field": "instruction"})

    def add(self, text: str, number: int) -> None:
        self._index.add(text)
