"""A training in a process of its own, for tests that kill it or start several.

Usage: python -m tests.training.runner BASE COUNT FOLDER SETTINGS_JSON [FOLDER SETTINGS_JSON …]
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.training.students import make_examples

from seedbed.training import TrainSettings, finetune

if __name__ == "__main__":
    base, count, *trainings = sys.argv[1:]
    for folder, settings in zip(trainings[::2], trainings[1::2], strict=True):
        finetune(
            make_examples(int(count)),
            base=Path(base),
            folder=Path(folder),
            settings=TrainSettings(**json.loads(settings)),
        )
