"""How near a run's instructions are to each other, by the exact ROUGE-L of the novelty index.

Only its table of full scores is used: it is built in four seconds of 100,000 instructions, where
the index that finds candidates takes minutes of texts with few different words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from seedbed.curate.rouge import tokenizer
from seedbed.report.rows import Row
from seedbed.streams import rng

ALIKE = 0.7
"""Self-Instruct's limit, which the report measures every run by (arXiv 2212.10560, section 2.2)."""

MOST = 1_500
"""Instructions that are compared with all others, at most."""

PAIRS = 50_000_000
"""Comparisons, at most, where `LEAST` instructions do not already need more: some seconds' work."""

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
    from seedbed.curate.novelty_scores import ScoreTable
    from seedbed.curate.novelty_words import Vocabulary

    texts = [row.instruction for row in instructions]
    words, vocabulary, table = tokenizer("unicode"), Vocabulary(), ScoreTable()
    tokens = [vocabulary.tokens(words(text)) for text in texts]
    for each in tokens:
        table.add(each)
    nearest = []
    for place in chosen_of(len(texts), wanted(len(texts)), "nearest") if len(texts) > 1 else ():
        # Of three that are the same, the first two are found: so the text itself may be neither.
        found = [pair for pair in table.nearest(tokens[place], 2) if pair[0] != place]
        other, score = found[0]
        nearest.append(Near(instructions[place], texts[other], score))
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
