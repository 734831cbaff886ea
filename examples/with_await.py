"""A run from Python, where an event loop is running already (a notebook, a server)."""

from __future__ import annotations

import asyncio
import sys

import seedbed


async def main() -> None:
    outcome = await seedbed.grow((sys.argv[1:] or ["examples/demo.toml"])[0])
    print(outcome.status, outcome.manifest["counts"], outcome.plan.folder.examples)


if __name__ == "__main__":
    asyncio.run(main())
