"""A run from Python, in ten lines."""

from __future__ import annotations

import asyncio
import sys

import seedbed

if __name__ == "__main__":
    outcome = asyncio.run(seedbed.grow((sys.argv[1:] or ["examples/demo.toml"])[0]))
    for example in seedbed.read_dataset(outcome.plan.folder.path):
        print(example.instruction.origin.skills, example.instruction.text)
