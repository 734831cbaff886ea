"""Near-duplicates inside a set: MinHash finds the candidates, exact Jaccard decides.

Two texts are compared as sets of runs of consecutive words (Broder 1997), so word order counts and
length differences do too. Candidates come from locality-sensitive hashing by `rensa`, which needs
nothing else installed, ships type-free but small wheels (0.5 MB), and signs 9,229 Alpaca examples
in hundredths of a second; `datasketch` finds the same pairs a hundred times slower and brings
scipy. Every candidate is then measured exactly, so nothing is dropped by an estimate; a pair can
only be missed, and how rarely is a parameter.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol

from seedbed.curate.rouge import unicode_words
from seedbed.errors import ConfigError
from seedbed.records import Drop, Example, Selector

_PERMUTATIONS = 128
_SEED = 42


class _Signature(Protocol):
    def update(self, items: Iterable[str]) -> None: ...


class _Buckets(Protocol):
    def insert(self, key: int, signature: _Signature) -> None: ...

    def query(self, signature: _Signature) -> list[int]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicate:
    """Text `index` is a near-duplicate of the earlier text `of`, which is kept."""

    index: int
    of: int
    jaccard: float

    def drop(self, threshold: float) -> Drop:
        return Drop(
            reason="near_duplicate",
            evidence={"of": self.of, "jaccard": self.jaccard, "threshold": threshold},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The index that is kept and, with their similarity to it, those that are not."""

    kept: int
    dropped: tuple[Duplicate, ...]


def word_runs(text: str, length: int = 3) -> frozenset[str]:
    """The runs of `length` consecutive words; a shorter text is one run.

    Words are folded to lower case and freed of punctuation. A text without any word is its own
    run, so that two texts of different signs are not one.
    """
    words = unicode_words(text)
    if not words:
        return frozenset({text.strip()})
    return frozenset(
        " ".join(words[i : i + length]) for i in range(max(1, len(words) - length + 1))
    )


def jaccard(first: frozenset[str], second: frozenset[str]) -> float:
    """Shared runs over all runs, between 0 and 1; 0 where both are empty."""
    shared = len(first & second)
    return shared / (len(first) + len(second) - shared) if shared else 0.0


def near_duplicates(
    texts: Sequence[str], *, threshold: float = 0.8, run: int = 3, miss: float = 0.001
) -> tuple[Duplicate, ...]:
    """Each text that is as similar as `threshold`, or more, to an earlier text that is kept.

    The first of a group is kept and compared with; what resembles only a dropped text stays, so
    that a chain of small changes does not drop what is different from all that is left. `of` is
    the most similar kept text, the earliest among equals.

    Args:
        threshold: Jaccard similarity of the word runs, above 0 and at most 1.
        run: words per run.
        miss: the highest chance of overlooking a pair that is exactly at the threshold; pairs
            above it are overlooked more rarely, identical ones never.

    Raises:
        ConfigError: a number is out of range, or `rensa` is not installed.
    """
    index = DuplicateIndex(threshold=threshold, run=run, miss=miss)
    found = []
    for number, text in enumerate(texts):
        duplicate = index.find(text, number)
        if duplicate is None:
            index.add(text, number)
        else:
            found.append(duplicate)
    return tuple(found)


class DuplicateIndex:
    """Texts that are kept, by their numbers; the parameters are those of `near_duplicates`.

    Raises:
        ConfigError: a number is out of range, or `rensa` is not installed.
    """

    def __init__(self, *, threshold: float = 0.8, run: int = 3, miss: float = 0.001) -> None:
        _check(threshold=threshold, run=run, miss=miss)
        self._threshold = threshold
        self._run = run
        self._sign, self._buckets = _hashing(threshold, miss)
        self._texts: dict[int, str] = {}  # their runs take ten times as much, and few are asked for
        self._last: tuple[str, frozenset[str], _Signature] | None = None

    def find(self, text: str, number: int) -> Duplicate | None:
        """Which of the texts the text `number` is a near-duplicate of."""
        runs, signature = self._read(text)
        measured = [
            (jaccard(runs, word_runs(self._texts[other], self._run)), -other)
            for other in self._buckets.query(signature)
        ]
        similarity, other = max(measured, default=(0.0, 0))
        if similarity < self._threshold:
            return None
        return Duplicate(index=number, of=-other, jaccard=similarity)

    def check(self, text: str) -> Drop | None:
        """The objection to a text, or None; the texts stay as they are."""
        duplicate = self.find(text, -1)
        return None if duplicate is None else duplicate.drop(self._threshold)

    def add(self, text: str, number: int) -> None:
        """Keep a text under a number of its own."""
        self._texts[number] = text
        self._buckets.insert(number, self._read(text)[1])

    def _read(self, text: str) -> tuple[frozenset[str], _Signature]:
        """The text's runs and their signature; as a rule it is asked about and then added."""
        if self._last is None or self._last[0] != text:
            runs = word_runs(text, self._run)
            self._last = text, runs, self._sign(runs)
        return self._last[1:]


def groups(duplicates: Iterable[Duplicate]) -> tuple[Group, ...]:
    """The same by kept text, in the order of the kept texts."""
    members: dict[int, list[Duplicate]] = {}
    for duplicate in duplicates:
        members.setdefault(duplicate.of, []).append(duplicate)
    return tuple(
        Group(kept=kept, dropped=tuple(dropped)) for kept, dropped in sorted(members.items())
    )


def without_near_duplicates(
    *,
    threshold: float = 0.8,
    run: int = 3,
    miss: float = 0.001,
    text_of: Callable[[Example], str] | None = None,
    report: Callable[[Example, Drop], None] | None = None,
) -> Selector:
    """A selector that keeps the first example of each group of near-duplicates.

    Args:
        text_of: what is compared; by default the instruction with its input. Put the response
            there to find copied answers.
        report: called for each example that is left out.
    """

    def select(examples: Sequence[Example]) -> Sequence[int]:
        texts = [(text_of or _asked)(example) for example in examples]
        found = near_duplicates(texts, threshold=threshold, run=run, miss=miss)
        for duplicate in found:
            if report is not None:
                report(examples[duplicate.index], duplicate.drop(threshold))
        return _rest(len(examples), {duplicate.index for duplicate in found})

    return select


def _asked(example: Example) -> str:
    return f"{example.instruction.text}\n{example.input}"


def _rest(size: int, dropped: Collection[int]) -> list[int]:
    return [index for index in range(size) if index not in dropped]


def _check(*, threshold: float, run: int, miss: float) -> None:
    if not 0 < threshold <= 1:
        raise ConfigError(f"threshold: {threshold} is not a similarity above 0 and at most 1")
    if run < 1:
        raise ConfigError(f"run: {run} words are too few, expected 1 or more")
    if not 0 < miss < 1:
        raise ConfigError(f"miss: {miss} is not a probability between 0 and 1")


def bands(threshold: float, miss: float, *, permutations: int = _PERMUTATIONS) -> int:
    """The fewest bands that overlook a pair at the threshold with a chance of at most `miss`.

    Two texts of similarity s share a band of r rows with the chance s^r, and none of b bands with
    (1 - s^r)^b (Leskovec, Rajaraman, Ullman: Mining of Massive Datasets, section 3.4). Fewer bands
    mean fewer candidates to measure.

    Raises:
        ConfigError: not even bands of one row reach it.
    """
    count = 1
    while count <= permutations:
        if (1 - threshold ** (permutations // count)) ** count <= miss:
            return count
        count *= 2
    raise ConfigError(
        f"threshold: at {threshold} more than {miss:.2%} of the pairs would be overlooked",
        hint="Raise the threshold or `miss`.",
    )


def _hashing(
    threshold: float, miss: float
) -> tuple[Callable[[frozenset[str]], _Signature], _Buckets]:
    try:
        rensa = import_module("rensa")
    except ImportError as error:
        raise ConfigError(
            "near-duplicates need the package rensa, which is not installed",
            hint="pip install 'seedbed[duplicates]'",
        ) from error
    buckets: _Buckets = rensa.RMinHashLSH(
        threshold=threshold, num_perm=_PERMUTATIONS, num_bands=bands(threshold, miss)
    )

    def sign(runs: frozenset[str]) -> _Signature:
        signature: _Signature = rensa.RMinHash(num_perm=_PERMUTATIONS, seed=_SEED)
        signature.update(sorted(runs))  # sorted, because sets of strings differ between processes
        return signature

    return sign, buckets
