"""A training in a process of its own, for tests that kill it or start several.

Usage: python -m tests.training.runner BASE COUNT FOLDER SETTINGS_JSON [FOLDER SETTINGS_JSON …]

`stop_at` among the settings ends a training after that step.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import torch.distributed as dist
from tests.training.students import make_examples

from seedbed.training import TrainSettings, finetune


def count_down(steps: int) -> Iterator[int]:
    yield from range(steps, 0, -1)


if __name__ == "__main__":
    base, count, *trainings = sys.argv[1:]
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:  # one group for all: joining twice may fail
        dist.init_process_group("gloo")
    for folder, settings in zip(trainings[::2], trainings[1::2], strict=True):
        choices = json.loads(settings)
        steps = count_down(choices.pop("stop_at", 10**9))
        finetune(
            make_examples(int(count)),
            base=Path(base),
            folder=Path(folder),
            settings=TrainSettings(**choices),
            stop=lambda: next(steps) == 1,  # noqa: B023
        )
    if dist.is_initialized():
        dist.destroy_process_group()
