"""Which requests run together: those of like length, as many as the memory holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Generic, TypeVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What a batch may hold: rows, and tokens with each row as long as the longest."""

    rows: int
    tokens: int

    def holds(self, count: int, longest: int) -> bool:
        return count <= self.rows and count * longest <= self.tokens


def batch(lengths: Sequence[int], room: Room, *, beside: int = 0, longest: int = 0) -> list[int]:
    """The places of what runs next: the first item, and those nearest to it in length.

    Args:
        lengths: tokens of each item at its longest, in the order in which they came.
        room: what the batch may hold.
        beside: how many items are in the batch already, and `longest` the longest of them.

    Returns:
        Places in `lengths`, the longest item first. The first item is among them, so that nothing
        waits for ever: in an empty batch whatever its length, beside others if it fits (else the
        list is empty, and the batch has to end first).
    """
    if not lengths:
        return []
    order = sorted(range(len(lengths)), key=lambda place: (-lengths[place], place))
    start = order.index(0)
    end = start + 1
    if beside and not room.holds(beside + 1, max(longest, lengths[0])):
        return []
    # Shorter ones fit in beside it at no more than its own cost; longer ones make all dearer.
    while end < len(order) and room.holds(
        beside + end + 1 - start, max(longest, lengths[order[start]])
    ):
        end += 1
    while start and room.holds(beside + end + 1 - start, max(longest, lengths[order[start - 1]])):
        start -= 1
    return order[start:end]


def groups(lengths: Sequence[int], *, tokens: int) -> list[list[int]]:
    """Places of items, the longest first, in groups of at most so many tokens with padding.

    An item that is longer than that is a group of its own.
    """
    order = sorted(range(len(lengths)), key=lambda place: -lengths[place])
    made: list[list[int]] = []
    for place in order:
        if made and lengths[made[-1][0]] * (len(made[-1]) + 1) <= tokens:
            made[-1].append(place)
        else:
            made.append([place])
    return made


T = TypeVar("T")


@dataclass(slots=True)
class Waiting(Generic[T]):
    """What waits for its turn; filled by one thread and emptied by another.

    `length` is of an item at its longest; `wanted` whether anybody still waits for it.
    """

    length: Callable[[T], int]
    wanted: Callable[[T], bool]
    _items: list[T] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def __len__(self) -> int:
        return len(self._items)

    def add(self, item: T) -> None:
        with self._lock:
            self._items.append(item)

    def take(self, room: Room, *, beside: int = 0, longest: int = 0) -> list[T]:
        """What runs next, as `batch` says."""
        with self._lock:
            self._items = [item for item in self._items if self.wanted(item)]
            lengths = [self.length(item) for item in self._items]
            places = batch(lengths, room, beside=beside, longest=longest)
            taken = [self._items[place] for place in places]
            left = sorted(set(range(len(self._items))) - set(places))
            self._items = [self._items[place] for place in left]
            return taken

    def clear(self) -> list[T]:
        """All of it, which waits no more."""
        with self._lock:
            items, self._items = self._items, []
            return items
