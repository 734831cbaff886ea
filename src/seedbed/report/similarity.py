"""How near a run's instructions are to each other, by the exact ROUGE-L of the novelty index."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from seedbed.curate.novelty import NoveltyIndex
from seedbed.report.rows import Row
from seedbed.streams import rng

ALIKE = 0.7
"""Self-Instruct's limit, which the report measures every run by (arXiv 2212.10560, section 2.2)."""

MOST = 1_500
"""Instructions that are compared with all others, at most."""

PAIRS = 5_000_000
"""Comparisons, at most, where `LEAST` instructions do not already need more: two seconds' work."""

LEAST = 200


@dataclass(frozen=True, slots=True)
class Near:
    """An instruction and the most similar other one of the run, with their ROUGE-L F1."""

    row: Row
    other: str
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Similarity:
    """`nearest` of `asked` instructions, each compared with all `pool` of them.

    `copies` are texts that several instructions share to the letter, the commonest first, with
    their number; these are counted over all instructions.
    """

    nearest: Sequence[Near]
    pool: int
    copies: Sequence[tuple[str, int]]

    @property
    def asked(self) -> int:
        return len(self.nearest)

    @property
    def sampled(self) -> bool:
        return self.asked < self.pool

    @property
    def alike(self) -> Sequence[Near]:
        """Those over the limit, the nearest first."""
        over = [near for near in self.nearest if near.score > ALIKE]
        return sorted(over, key=lambda near: (-near.score, near.row.id))

    @property
    def redundant(self) -> int:
        """Instructions that repeat another to the letter."""
        return sum(number - 1 for _, number in self.copies)


def measure(instructions: Sequence[Row]) -> Similarity:
    """Compare all instructions, or a fixed random part of them, with all others."""
    texts = [row.instruction for row in instructions]
    index = NoveltyIndex(tokenizer="unicode")
    index.add_all(texts)
    chosen = chosen_of(len(texts), wanted(len(texts)), "nearest")
    nearest = [_nearest(index, instructions[place]) for place in chosen if len(instructions) > 1]
    copies = [(text, number) for text, number in Counter(texts).most_common() if number > 1]
    return Similarity(nearest=nearest, pool=len(texts), copies=copies)


def wanted(size: int) -> int:
    """How many of so many instructions are compared with all."""
    return min(size, max(LEAST, min(MOST, PAIRS // max(size, 1))))


def chosen_of(size: int, number: int, purpose: str) -> Sequence[int]:
    """Places of a random part, the same at every report of the same run; all where it is whole."""
    if number >= size:
        return range(size)
    return sorted(rng("report", purpose, size).sample(range(size), number))


def _nearest(index: NoveltyIndex, row: Row) -> Near:
    found = index.nearest(row.instruction, 2)
    itself = next((place for place, (text, _) in enumerate(found) if text == row.instruction), -1)
    other, score = found[1 if itself == 0 else 0]
    return Near(row, other, score)
