"""Small runs to look into, and a view of them: in process, or as the command over a socket."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.view import manifest

from seedbed.export import drop_to_json, example_to_json
from seedbed.files import write_jsonl, write_text
from seedbed.folder import RunFolder
from seedbed.records import Drop, Dropped, Example, Instruction, Origin
from seedbed.view.indexing import Indexer, IndexState


def example(text: str, response: str = "An answer.", **origin: Any) -> Example:
    made = Origin(**{"recipe": "skillmix", "step": "three_turn", **origin})
    return Example(instruction=Instruction(text=text, origin=made), response=response)


def folder_of(
    path: Path, examples: Iterable[Example], drops: Iterable[tuple[Dropped, Drop]] = ()
) -> RunFolder:
    """A finished run of these examples and drops, without a journal."""
    path.mkdir(parents=True, exist_ok=True)
    kept = write_jsonl(path / "examples.jsonl", map(example_to_json, examples))
    write_jsonl(path / "drops.jsonl", (drop_to_json(*drop) for drop in drops))
    write_text(path / "manifest.json", json.dumps(manifest(kept)))
    return RunFolder(path)


def settle(indexer: Indexer, *, live: bool = False) -> IndexState:
    """Work until there is nothing left to do."""
    while not (state := indexer.step(live=live)).idle:
        pass
    return state


Begin = Callable[[RunFolder], Indexer]
"""Begins to index a run; a fixture makes it (see `conftest.py`)."""


@contextmanager
def viewing(run: Path) -> Iterator[str]:
    """`seedbed view` as a person starts it; gives the address that it prints."""
    command = [sys.executable, "-m", "seedbed", "view", str(run), "--no-browser"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()
            _, errors = process.communicate(timeout=240)
            assert "Traceback" not in errors, errors


def apart(work: Callable[[], object]) -> None:
    """Do it in a thread: Playwright keeps an event loop of its own in this one."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        pool.submit(work).result()


def environment() -> Mapping[str, str]:
    return {**os.environ, "PYTHONWARNINGS": "default"}
