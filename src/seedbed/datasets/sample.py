"""A sample that depends on what a dataset holds, and on nothing else."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from typing import TypeVar

from seedbed.records import Example, Instruction, digest

T = TypeVar("T", bound=Example | Instruction)


def sample(records: Iterable[T], count: int, *, seed: int) -> list[T]:
    """Up to `count` different records, drawn uniformly and put in random order.

    Each record gets a number from its content and the seed, and the smallest numbers win: so the
    same records give the same sample in the same order, however they are sorted or fetched, a
    larger `count` only adds to it, and only the sample is held in memory. Records that are equal
    count once.
    """
    chosen: dict[int, T] = {}
    largest: list[int] = []  # a heap, negated: the worst of the chosen on top
    for record in records:
        number = int(digest("sample", seed, record.id), 16)
        if number in chosen or (len(largest) >= count and (not count or number > -largest[0])):
            continue
        chosen[number] = record
        heapq.heappush(largest, -number)
        if len(largest) > count:
            del chosen[-heapq.heappop(largest)]
    return [chosen[number] for number in sorted(chosen)]
