"""Other people's datasets, read into our records."""

from __future__ import annotations

from seedbed.datasets.dataset import Dataset, read_dataset, read_instructions
from seedbed.datasets.report import ReadReport, Skipped
from seedbed.datasets.sample import sample
from seedbed.datasets.settings import ReadSettings

__all__ = [
    "Dataset",
    "ReadReport",
    "ReadSettings",
    "Skipped",
    "read_dataset",
    "read_instructions",
    "sample",
]
