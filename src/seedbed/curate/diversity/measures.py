"""How diverse a batch is: mean similarity, Vendi score, entropy over clusters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from random import Random
from typing import TYPE_CHECKING

from seedbed.curate.diversity.vectors import similarities

if TYPE_CHECKING:
    from seedbed.curate.diversity.vectors import Matrix


@dataclass(frozen=True, slots=True, kw_only=True)
class Diversity:
    """Measures of one batch of n texts, or their means over several.

    similarity: mean cosine over all pairs; lower is more diverse.
    vendi: exp of the entropy of the eigenvalues of K/n, K the cosines (Friedman and Dieng,
        arXiv 2210.02410): the effective number of different texts, 1 to n.
    entropy: of the batch's shares in the clusters, over the log of as many clusters as it could
        reach: 1 where it is spread evenly, 0 where it comes from one.
    """

    similarity: float
    vendi: float
    entropy: float

    def to_json(self) -> dict[str, float]:
        names = ("similarity", "vendi", "entropy")
        return {name: round(value, 6) for name, value in zip(names, self._values(), strict=True)}

    def _values(self) -> tuple[float, float, float]:
        return self.similarity, self.vendi, self.entropy


def measured(rows: Matrix, labels: Sequence[int], *, clusters: int) -> Diversity:
    """The measures of a batch.

    Args:
        rows: shape (n, d), its unit vectors.
        labels: the cluster of each.
        clusters: how many clusters there are.
    """
    cosines = similarities(rows, rows)
    return Diversity(
        similarity=mean_similarity(cosines),
        vendi=vendi(cosines),
        entropy=evenness(labels, clusters=clusters),
    )


def mean_similarity(cosines: Matrix) -> float:
    """Mean over the pairs of different rows; 0 where there are fewer than two."""
    size = len(cosines)
    if size < 2:
        return 0.0
    off_diagonal = float(cosines.sum() - cosines.trace())
    return off_diagonal / (size * (size - 1))


def vendi(cosines: Matrix) -> float:
    """exp(-Σ λ ln λ) over the eigenvalues of K/n, with K's diagonal taken as 1.

    Rows of TF-IDF may be shorter than 1 by their own words, which they share with none but
    themselves; the diagonal says that a text is one whole text.
    """
    import numpy as np

    size = len(cosines)
    if not size:
        return 0.0
    kernel = cosines.copy()
    np.fill_diagonal(kernel, 1.0)
    values = np.clip(np.linalg.eigvalsh(kernel / size), 0.0, None)
    values = values[values > 0] / values.sum()
    return float(np.exp(-(values * np.log(values)).sum()))


def evenness(labels: Sequence[int], *, clusters: int) -> float:
    """Entropy of the labels' shares over its largest possible value; 1 where that is 0."""
    reachable = min(clusters, len(labels))
    if reachable < 2:
        return 1.0
    shares = [labels.count(label) / len(labels) for label in sorted(set(labels))]
    return -sum(share * log(share) for share in shares) / log(reachable)


def measured_at_random(
    rows: Matrix, labels: Sequence[int], *, size: int, draws: int, random: Random
) -> Diversity:
    """The mean measures of batches of `size`, drawn at random from the same texts."""
    clusters = len(set(labels))
    found = []
    for _ in range(draws):
        chosen = random.sample(range(len(rows)), size)
        found.append(measured(rows[chosen], [labels[place] for place in chosen], clusters=clusters))
    return mean_of(found)


def mean_of(found: Sequence[Diversity]) -> Diversity:
    """The mean of each measure over at least one."""
    return Diversity(
        similarity=sum(one.similarity for one in found) / len(found),
        vendi=sum(one.vendi for one in found) / len(found),
        entropy=sum(one.entropy for one in found) / len(found),
    )
