"""The steps of `partitions` as Ray Data jobs, on one machine or on many.

What goes through Ray are the numbers of the parts; the parts themselves are Parquet files in a
folder that all machines see. So the object store stays empty, whatever the dataset's size, and a
step whose machine is lost is taken again by another one.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from seedbed import errors
from seedbed.curate.many import Cost, Mapper, Work, measured
from seedbed.errors import SeedbedError
from seedbed.ray_cluster import connected, troubles, while_it_lives


@contextmanager
def ray_data() -> Iterator[Mapper]:
    """The cores of a Ray cluster (`ray_cluster.connected`)."""
    with connected():
        yield _mapper


def _mapper(work: Work, parts: Sequence[int]) -> Iterator[Cost]:
    import ray.data

    _quiet()

    def step(row: dict[str, Any]) -> dict[str, Any]:
        # Ray Data passes on the text of an error, and not the error.
        try:
            return {"error": "", "message": "", "hint": "", **measured(work, row["item"])._asdict()}
        except SeedbedError as error:
            told = {"error": type(error).__name__, "message": str(error), "hint": error.hint}
            return {**told, **Cost(0.0, 0.0)._asdict()}

    with troubles():
        numbers = ray.data.from_items(list(parts), override_num_blocks=len(parts))
        for row in while_it_lives(iter(numbers.map(step).iter_rows())):
            error, message, hint = (row.pop(key) for key in ("error", "message", "hint"))
            if error:
                raise getattr(errors, error)(message, hint=hint)
            yield Cost(**row)


def _quiet() -> None:
    """Progress is told by who called, and Ray Data's own settings warn of each other."""
    from ray.data import DataContext

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context = DataContext.get_current()
    context.enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)  # its errors are raised as well
