"""`seedbed ablate`: arms that differ in one thing, from data to a measured student."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from seedbed.records import JSON

if TYPE_CHECKING:
    from seedbed.ablate.study import Study
    from seedbed.ablate.table import Compared

FACTORS = ("shirkers", "k", "size", "mixes", "recipes", "sedi", "directed")


def add_options(command: argparse.ArgumentParser) -> None:
    """The options of `seedbed ablate`."""
    command.add_argument("config", metavar="CONFIG", help="a run's TOML file; see [ablate] in it")
    command.add_argument(
        "--factor",
        action="append",
        default=[],
        choices=FACTORS,
        help="what differs between the arms (repeatable), in place of the config's",
    )
    command.add_argument(
        "--seeds", type=int, nargs="+", default=[], metavar="N", help="in place of the config's"
    )
    command.add_argument("--out", metavar="FOLDER", help="default: runs/NAME-ablation")
    command.add_argument("--plan", action="store_true", help="tell what it will take, and stop")
    command.add_argument("--json", action="store_true", help="print JSON, for machines")


def run(options: argparse.Namespace) -> tuple[str, JSON]:
    """What to print, for people and for machines.

    Raises:
        SeedbedError: the config is wrong, or a piece of the work cannot go on.
    """
    from pathlib import Path

    from seedbed.ablate import plan_study

    study = plan_study(
        Path(options.config),
        folder=Path(options.out) if options.out else None,
        factors=options.factor,
        seeds=options.seeds,
    )
    if options.plan:
        return planned(study)
    found = asyncio.run(_work(study, silent=options.json))
    return _story(study, found), {
        f"{one.group}.{one.match}": [row.to_json() for row in one.rows] for one in found
    }


async def _work(study: Study, *, silent: bool) -> Sequence[Compared]:
    from seedbed.ablate import ablate
    from seedbed.cli.stopping import stop_on_signals

    stop = asyncio.Event()
    stop_on_signals(stop)
    return await ablate(study, say=(lambda line: None) if silent else _saying(), stop=stop)


def _saying() -> Callable[[str], None]:
    from seedbed.cli.watching import duration

    began = time.monotonic()

    def say(line: str) -> None:
        print(f"[{duration(time.monotonic() - began)}] {line}", file=sys.stderr, flush=True)

    return say


def _story(study: Study, found: Sequence[Compared]) -> str:
    from seedbed.ablate.writing import markdown

    places = ", ".join(
        name
        for name in ("ablation.json", "README.md", "plot.html")
        if (study.folder / name).exists()
    )
    return f"{markdown(found)}\n{study.folder}: {places}"


def planned(study: Study) -> tuple[str, JSON]:
    """What an ablation will take: each distinct run's forecast, and how many students."""
    from seedbed.ablate.forecasting import expected

    facts = expected(study)
    low, high = facts["calls"]
    dollars = facts["dollars"]
    money = (
        "at an unknown price" if dollars is None else f"${dollars[0]:,.2f} to ${dollars[1]:,.2f}"
    )
    return (
        f"{facts['runs']} runs, {facts['students']} students: {low:,.0f} to {high:,.0f} calls, "
        f"{money}.\nRuns that arms share are counted once; shirkers are counted as one call each.",
        facts,
    )
