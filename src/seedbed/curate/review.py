"""Putting filters, repairs and judges into one last word on an example."""

from __future__ import annotations

from collections.abc import Callable

from seedbed.records import Drop, Example, Filter, Review


def all_of(*reviews: Review) -> Review:
    """Ask each in turn; the first objection decides, repairs add up. Put the free ones first."""

    async def review(example: Example) -> Example | Drop:
        verdict: Example | Drop = example
        for ask in reviews:
            if isinstance(verdict, Drop):
                break
            verdict = await ask(verdict)
        return verdict

    return review


def filtered(*filters: Filter) -> Review:
    """A review made of filters."""

    async def review(example: Example) -> Example | Drop:
        objections = (check(example) for check in filters)
        return next((found for found in objections if found is not None), example)

    return review


def mended(repair: Callable[[Example], Example | Drop]) -> Review:
    """A review made of a pure function that may repair."""

    async def review(example: Example) -> Example | Drop:
        return repair(example)

    return review
