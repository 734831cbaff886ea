"""A diverse part of a dataset, of any size: chosen window by window.

Clusters of a whole dataset cost more than its examples do, and a choice over all of it needs all
of it in one place. So the dataset is parted into windows of so many consecutive examples, and each
gives its share: across clusters, and of each cluster what is least like the rest, as a batch of
SeDi-Instruct is drawn from what waits (`batches`). What is chosen of a window depends on its texts
and its number only. Likeness across windows is for `novelty` and `near_duplicates` to find before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from seedbed.curate.diversity.batches import Composition, across
from seedbed.curate.diversity.clusters import clusters
from seedbed.curate.diversity.vectors import TfIdf
from seedbed.errors import ConfigError
from seedbed.records import Drop
from seedbed.streams import rng

WINDOW = 256
"""Examples that are chosen from at once: as many as a batch of 64 is drawn from by default."""

CLUSTERS = 32


@dataclass(frozen=True, slots=True)
class Spread:
    """How many are `wanted` of how many.

    Raises:
        ConfigError: none is wanted.
    """

    wanted: int
    of: int

    def __post_init__(self) -> None:
        if self.wanted < 1:
            raise ConfigError(f"diverse: {self.wanted} examples, expected 1 or more")

    def share(self, window: int) -> int:
        """What a window gives, so that all of them give together what is wanted."""
        start, end = window * WINDOW, min((window + 1) * WINDOW, self.of)
        wanted = min(self.wanted, self.of)
        return wanted * end // self.of - wanted * start // self.of


def spread(texts: Sequence[str], how: Spread, *, first: int = 0) -> list[Drop | None]:
    """Which texts are left out; None stays.

    Args:
        texts: whole windows, and the last of them may be shorter.
        first: the number of the first window.
    """
    verdicts: list[Drop | None] = []
    for start in range(0, len(texts), WINDOW):
        window = texts[start : start + WINDOW]
        number = first + start // WINDOW
        chosen = set(_chosen(window, how.share(number), number))
        drop = Drop(
            reason="less_diverse",
            evidence={"window": number, "kept": len(chosen), "of": len(window)},
        )
        verdicts += [None if place in chosen else drop for place in range(len(window))]
    return verdicts


def _chosen(texts: Sequence[str], share: int, number: int) -> Sequence[int]:
    if share in (0, len(texts)):
        return range(share)
    tfidf = TfIdf()
    tfidf.learn(texts)
    rows, random = tfidf(texts), rng("diverse window", number)
    groups = clusters(rows, CLUSTERS, random)
    return across(rows, groups, how=Composition(size=share), first=(), random=random)
