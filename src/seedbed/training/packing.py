"""Which examples share a forward pass. Nothing is padded, and a batch stays the batch it is."""

from __future__ import annotations

from collections.abc import Sequence

from seedbed.streams import rng


def epoch_order(count: int, *, seed: int, epoch: int) -> list[int]:
    """The order of `count` examples in an epoch (from 1): another one in each."""
    order = list(range(count))
    rng("training order", seed, epoch).shuffle(order)
    return order


def batches(order: Sequence[int], *, size: int, drop_last: bool) -> list[Sequence[int]]:
    """Consecutive batches of `size`; the last may be smaller, and is left out with `drop_last`.

    A set that is smaller than one batch is one batch all the same.
    """
    found = [order[start : start + size] for start in range(0, len(order), size)]
    if drop_last and len(found) > 1 and len(found[-1]) < size:
        found.pop()
    return found


def pack(lengths: Sequence[int], *, room: int) -> list[list[int]]:
    """Indices in groups whose lengths add up to at most `room`: first-fit decreasing.

    A length above `room` is a group by itself. For the batches of tuning (tens of examples) this
    needs at most 11/9 of the fewest groups possible, plus one.
    """
    groups: list[list[int]] = []
    left: list[int] = []
    for index in sorted(range(len(lengths)), key=lambda index: -lengths[index]):
        home = next((i for i, free in enumerate(left) if free >= lengths[index]), None)
        if home is None:
            groups.append([index])
            left.append(room - lengths[index])
        else:
            groups[home].append(index)
            left[home] -= lengths[index]
    return groups


def share_out(lengths: Sequence[int], *, parts: int) -> list[list[int]]:
    """Indices in `parts` groups of nearly equal total length: longest first to the emptiest."""
    groups: list[list[int]] = [[] for _ in range(parts)]
    totals = [0] * parts
    for index in sorted(range(len(lengths)), key=lambda index: -lengths[index]):
        home = min(range(parts), key=lambda part: totals[part])
        groups[home].append(index)
        totals[home] += lengths[index]
    return [sorted(group) for group in groups]


def composed_of(composed: Sequence[Sequence[str]], ids: Sequence[str]) -> list[Sequence[int]]:
    """Batches given as ids, as places in `ids`; what is not there is left out."""
    at = {name: place for place, name in enumerate(ids)}
    found = ([at[name] for name in batch if name in at] for batch in composed)
    return [batch for batch in found if batch]
