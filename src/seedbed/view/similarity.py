"""How near each instruction of a run is to the others: exact ROUGE-L F1, over all pairs.

It is the measure of Self-Instruct's novelty filter (arXiv 2212.10560, section 2.2), by the same
index. On 100,000 instructions it takes minutes, so it is done behind the page, in spells.
"""

from __future__ import annotations

import sqlite3
import time
from collections import defaultdict

from seedbed.curate.novelty import NoveltyIndex

TOKENIZER = "unicode"


class Similarity:
    """Fills in the column `similarity` of the examples: the score of the nearest other instruction.

    While a run goes on, "other" means those that are there already; `forget` makes all of them be
    computed again once it has ended.
    """

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._index = NoveltyIndex(threshold=1.0, tokenizer=TOKENIZER)
        self._instructions: list[tuple[str, str]] = []
        self._names: defaultdict[str, list[str]] = defaultdict(list)
        self._known: set[str] = set()
        self._added = 0
        self.done = 0

    def add(self, name: str, text: str) -> None:
        """Take in an instruction; it counts once, however many examples have it."""
        if name not in self._known:
            self._known.add(name)
            self._instructions.append((name, text))

    def forget(self) -> None:
        self.done = 0

    def step(self, until: float) -> bool:
        """Work until then; False where nothing is left to do."""
        if self.done == len(self._instructions):
            return False
        scores = []
        while time.monotonic() < until and self._add_next():
            pass
        while time.monotonic() < until and self.done < len(self._instructions):
            name, text = self._instructions[self.done]
            nearest = self._others(name, text, 1)
            scores.append((nearest[0][1] if nearest else 0.0, name))
            self.done += 1
        self._database.execute("begin")
        self._database.executemany(
            "update items set similarity = ? where instruction_id = ? and dropped = 0", scores
        )
        self._database.execute("commit")
        return True

    def nearest(self, name: str, text: str, count: int) -> list[tuple[str, float]]:
        """The ids of the nearest instructions other than this one, best first, with their F1."""
        while self._add_next():
            pass
        return self._others(name, text, count)

    def _add_next(self) -> bool:
        if self._added == len(self._instructions):
            return False
        name, text = self._instructions[self._added]
        self._index.add(text)
        self._names[text].append(name)
        self._added += 1
        return True

    def _others(self, name: str, text: str, count: int) -> list[tuple[str, float]]:
        found: dict[str, float] = {}
        for other, score in self._index.nearest(text, count + 1):
            # A text that is there several times is found several times.
            left = (each for each in self._names[other] if each != name and each not in found)
            if (each := next(left, None)) is not None:
                found[each] = score
        return list(found.items())[:count]
