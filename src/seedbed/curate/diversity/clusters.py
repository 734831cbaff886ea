"""Spherical k-means: groups of unit vectors that point the same way."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from seedbed.curate.diversity.vectors import similarities

if TYPE_CHECKING:
    from numpy import intp
    from numpy.typing import NDArray

    from seedbed.curate.diversity.vectors import Matrix

    Labels = NDArray[intp]

ITERATIONS = 25
"""At most; a few hundred short texts settle in about ten."""


def clusters(rows: Matrix, count: int, random: Random) -> list[list[int]]:
    """Partition the rows into at most `count` groups, none of them empty, largest first.

    Starts from rows that are chosen far from each other (k-means++; Arthur and Vassilvitskii 2007),
    then moves each group's centre to its mean direction until no row changes its group. The same
    rows and the same `random` lead to the same groups.

    Args:
        rows: shape (n, d), unit vectors; rows of zeros belong to no direction and go anywhere.
        count: groups wanted, at least 1.
        random: chooses the starting rows.
    """
    import numpy as np

    if len(rows) <= count:
        return [[place] for place in range(len(rows))]
    centres = rows[_starts(rows, count, random)]
    labels = np.full(len(rows), -1, dtype=np.intp)
    for _ in range(ITERATIONS):
        nearest = similarities(rows, centres)
        found = nearest.argmax(axis=1)
        _fill_empty(found, nearest.max(axis=1), count)
        if (found == labels).all():
            break
        labels = found
        centres = _centres(rows, labels, count)
    groups = [np.flatnonzero(labels == group).tolist() for group in range(count)]
    return sorted((group for group in groups if group), key=lambda group: (-len(group), group[0]))


def _starts(rows: Matrix, count: int, random: Random) -> list[int]:
    """Rows drawn with a chance that grows with their distance from those already drawn."""
    import numpy as np

    chosen = [random.randrange(len(rows))]
    far = 1 - similarities(rows, rows[chosen])[:, 0]
    while len(chosen) < count:
        weights = np.maximum(far, 0.0)
        weights[chosen] = 0.0
        if not weights.any():
            left = [place for place in range(len(rows)) if place not in set(chosen)]
            chosen += random.sample(left, count - len(chosen))
            break
        chosen.append(random.choices(range(len(rows)), weights=weights.tolist())[0])
        far = np.minimum(far, 1 - similarities(rows, rows[chosen[-1:]])[:, 0])
    return chosen


def _fill_empty(labels: Labels, nearness: Matrix, count: int) -> None:
    """Give each empty group the row that is farthest from its centre, of a group of several."""
    import numpy as np

    sizes = np.bincount(labels, minlength=count)
    for empty in np.flatnonzero(sizes == 0):
        spare = np.flatnonzero(sizes[labels] > 1)
        lonely = spare[nearness[spare].argmin()]
        sizes[labels[lonely]] -= 1
        sizes[empty] += 1
        labels[lonely] = empty
        nearness[lonely] = 1.0


def _centres(rows: Matrix, labels: Labels, count: int) -> Matrix:
    import numpy as np

    sums = np.zeros((count, rows.shape[1]))
    np.add.at(sums, labels, rows)
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    centres: Matrix = sums / np.where(lengths > 0, lengths, 1.0)
    return centres
