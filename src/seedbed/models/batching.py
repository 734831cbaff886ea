"""Which requests run together: those of like length, as many as the memory holds."""

from __future__ import annotations

from collections.abc import Sequence


def batch(lengths: Sequence[int], *, tokens: int, rows: int) -> list[int]:
    """The places of the next batch: the first item, and those nearest to it in length.

    A batch costs its number of rows times the longest of them, padding included. The first item is
    always in it, be it longer than the budget, so that nothing waits for ever.

    Args:
        lengths: tokens of each item at its longest, in the order in which they came.
        tokens: the most tokens of a batch, padding included.
        rows: the most items of a batch.

    Returns:
        Places in `lengths`, the longest item first; empty if there are no items.
    """
    if not lengths:
        return []
    order = sorted(range(len(lengths)), key=lambda place: (-lengths[place], place))
    start = end = order.index(0)
    # Shorter ones fit in beside it at no more than its own cost; longer ones make all dearer.
    while end + 1 < len(order) and _fits(lengths[order[start]], end + 2 - start, tokens, rows):
        end += 1
    while start > 0 and _fits(lengths[order[start - 1]], end - start + 2, tokens, rows):
        start -= 1
    return order[start : end + 1]


def _fits(longest: int, count: int, tokens: int, rows: int) -> bool:
    return count <= rows and longest * count <= tokens
