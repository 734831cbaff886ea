"""Numbers for words, in the order in which they were first seen."""

from __future__ import annotations

from collections.abc import Iterable


class Vocabulary:
    """Numbers words, and the second, third, … occurrence of a word in one text.

    One counter serves both, so that a higher number always means first seen later. Nothing is
    ever renumbered.
    """

    def __init__(self) -> None:
        self._words: dict[str, int] = {}
        self._repeats: dict[tuple[int, int], int] = {}

    def tokens(self, words: Iterable[str]) -> list[int]:
        """The number of each word, in the text's order; unseen words are numbered."""
        numbers = []
        known, following = self._words, len(self._words) + len(self._repeats)
        for word in words:
            number = known.get(word)
            if number is None:
                number = known[word] = following
                following += 1
            numbers.append(number)
        return numbers

    def features(self, tokens: list[int]) -> list[int]:
        """The text as a set: each (token, occurrence) by its own number, the newest first.

        Two texts share exactly as many features as tokens, counted with multiplicity.
        """
        if len(set(tokens)) == len(tokens):
            return sorted(tokens, reverse=True)
        features = []
        seen: dict[int, int] = {}
        for token in tokens:
            occurrence = seen[token] = seen.get(token, 0) + 1
            features.append(token if occurrence == 1 else self._repeat(token, occurrence))
        features.sort(reverse=True)
        return features

    def _repeat(self, token: int, occurrence: int) -> int:
        key = (token, occurrence)
        number = self._repeats.get(key)
        if number is None:
            number = self._repeats[key] = len(self._words) + len(self._repeats)
        return number
