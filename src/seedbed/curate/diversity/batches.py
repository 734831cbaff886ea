"""Batches of exactly B, drawn across clusters while the pool grows.

What was accepted waits. As soon as several batches' worth waits, it is clustered and one batch is
drawn across the clusters; then more is awaited. Clusters are made of what waits, not of all that
ever was: so a batch is drawn across what it can be drawn from. What is drawn depends on what was
added, in which order, and on the settings; never on timing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Generic, Literal, TypeVar

from seedbed.curate.diversity.clusters import clusters as clustered
from seedbed.curate.diversity.measures import Diversity, measured, measured_at_random
from seedbed.curate.diversity.vectors import Embed, TfIdf, similarities, unit_rows
from seedbed.errors import ConfigError
from seedbed.streams import rng

if TYPE_CHECKING:
    from seedbed.curate.diversity.vectors import Matrix

T = TypeVar("T")

Compose = Literal["diverse", "random", "arrival"]
"""How a batch is chosen from what waits: across clusters, at random, or the oldest first."""

Balance = Literal["proportional", "equal"]
"""What a cluster gives to a batch: by its size, or as much as any other.

By its size, every batch is a small likeness of what waits, and nothing piles up; equal shares make
the first batches more even and leave the large clusters for the last ones (measured in
`benchmarks/diversity.py`).
"""

Pick = Literal["spread", "random"]
"""Which text a cluster gives: the one least like the batch so far, or any."""

RANDOM_DRAWS = 8
"""Random batches of the same waiting texts that each batch is compared with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Composition:
    """How batches are composed.

    Args:
        size: examples in a batch.
        compose, balance, pick: see their types.
        clusters: groups that what waits is parted into; as many as a batch has examples unless
            given.
        lookahead: batches' worth that has to wait before one is drawn: 1 leaves no choice, more
            gives more diverse batches of older texts.
        patience: draws that pass a text over before it is taken first, so that none waits forever.
        seed: of the random choices.
    """

    size: int = 64
    compose: Compose = "diverse"
    balance: Balance = "proportional"
    pick: Pick = "spread"
    clusters: int | None = None
    lookahead: int = 4
    patience: int = 16
    seed: int = 0

    def __post_init__(self) -> None:
        counts = {"size": self.size, "clusters": self.parts, "lookahead": self.lookahead}
        for name, value in (counts | {"patience": self.patience}).items():
            if value < 1:
                raise ConfigError(f"batches: {name} = {value}: expected 1 or more")

    @property
    def parts(self) -> int:
        return self.size if self.clusters is None else self.clusters


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch(Generic[T]):
    """One batch. `number` counts from 1; `clusters` are those of its items, among `of_clusters`.

    `diversity` is measured beside the mean of `at_random` batches of the same waiting texts.
    """

    number: int
    items: tuple[T, ...]
    clusters: tuple[int, ...]
    of_clusters: int
    diversity: Diversity
    at_random: Diversity


class Batches(Generic[T]):
    """Takes what is accepted and gives batches of it.

    Args:
        composition: how.
        text_of: what the clusters are made of.
        embed: texts to vectors; TF-IDF over all texts so far unless given.
    """

    def __init__(
        self, composition: Composition, *, text_of: Callable[[T], str], embed: Embed | None = None
    ) -> None:
        self._how = composition
        self._text_of = text_of
        self._embed = embed
        self._tfidf = TfIdf()
        self._waiting: list[tuple[T, int]] = []  # with the draw that was next when it came
        self._rows: dict[str, Matrix] = {}
        self._drawn = 0

    def add(self, item: T) -> None:
        self._tfidf.learn([self._text_of(item)])
        self._waiting.append((item, self._drawn))

    def due(self) -> Iterator[Batch[T]]:
        """The batches for which enough waits."""
        while len(self._waiting) >= self._how.size * self._how.lookahead:
            yield self._draw()

    def rest(self) -> Iterator[Batch[T]]:
        """The last batches, when no more is added; they have less and less to choose from."""
        while len(self._waiting) >= self._how.size:
            yield self._draw()

    def left(self) -> list[T]:
        """What waits, in the order in which it came; after `rest`, less than a batch."""
        return [item for item, _ in self._waiting]

    def _draw(self) -> Batch[T]:
        how, number = self._how, self._drawn + 1
        random = rng("diverse batch", how.seed, number)
        rows = self._vectors([self._text_of(item) for item, _ in self._waiting])
        groups = clustered(rows, how.parts, random)
        labels = [0] * len(rows)
        for label, group in enumerate(groups):
            for place in group:
                labels[place] = label
        chosen = sorted(self._choose(rows, groups, random))
        batch = Batch(
            number=number,
            items=tuple(self._waiting[place][0] for place in chosen),
            clusters=tuple(labels[place] for place in chosen),
            of_clusters=len(groups),
            diversity=measured(
                rows[chosen], [labels[place] for place in chosen], clusters=len(groups)
            ),
            at_random=measured_at_random(
                rows, labels, size=how.size, draws=RANDOM_DRAWS, random=random
            ),
        )
        gone = set(chosen)
        self._waiting = [pair for at, pair in enumerate(self._waiting) if at not in gone]
        self._drawn = number
        return batch

    def _choose(
        self, rows: Matrix, groups: Sequence[Sequence[int]], random: Random
    ) -> Sequence[int]:
        how = self._how
        if how.compose == "arrival":
            return range(how.size)
        if how.compose == "random":
            return random.sample(range(len(rows)), how.size)
        overdue = [
            place
            for place, (_, since) in enumerate(self._waiting)
            if self._drawn - since >= how.patience
        ]
        return across(rows, groups, how=how, first=overdue[: how.size], random=random)

    def _vectors(self, texts: Sequence[str]) -> Matrix:
        """The rows of the waiting texts; an embedding is asked once for each text."""
        import numpy as np

        if self._embed is None:
            return self._tfidf(texts)
        if unknown := [text for text in dict.fromkeys(texts) if text not in self._rows]:
            found = unit_rows(self._embed(unknown), texts=len(unknown))
            self._rows |= dict(zip(unknown, found, strict=True))
        self._rows = {text: self._rows[text] for text in texts}
        return np.stack([self._rows[text] for text in texts])


def across(
    rows: Matrix,
    groups: Sequence[Sequence[int]],
    *,
    how: Composition,
    first: Sequence[int],
    random: Random,
) -> list[int]:
    """Choose `how.size` rows across the groups, those of `first` before all others.

    The groups give one row after the other in turn, each turn in a random order, until each has
    given its quota. With `pick = "spread"` a group gives the row whose cosines with the batch so
    far have the least sum; of equals the oldest.
    """
    import numpy as np

    chosen = list(first)
    near = similarities(rows, rows[chosen]).sum(axis=1) if chosen else np.zeros(len(rows))
    left = [[place for place in group if place not in set(chosen)] for group in groups]
    quotas = _quotas([len(group) for group in left], how.size - len(chosen), how.balance)
    while any(quotas):
        for at in random.sample(range(len(left)), len(left)):
            if not quotas[at]:
                continue
            quotas[at] -= 1
            group = left[at]
            if how.pick == "spread":
                place = min(group, key=lambda place: (round(float(near[place]), 9), place))
            else:
                place = random.choice(group)
            group.remove(place)
            chosen.append(place)
            near += similarities(rows, rows[[place]])[:, 0]
    return chosen


def _quotas(sizes: Sequence[int], wanted: int, balance: Balance) -> list[int]:
    """How many rows each group gives: `wanted` together, and none more than it has."""
    quotas = [0] * len(sizes)
    if balance == "proportional":
        whole = sum(sizes)
        quotas = [wanted * size // whole for size in sizes] if whole else quotas
        rest = [(-(wanted * size % whole), at) for at, size in enumerate(sizes)] if whole else []
        for _, at in sorted(rest)[: wanted - sum(quotas)]:
            quotas[at] += 1
        return quotas
    while sum(quotas) < wanted:
        for at, size in enumerate(sizes):
            if quotas[at] < size and sum(quotas) < wanted:
                quotas[at] += 1
    return quotas
