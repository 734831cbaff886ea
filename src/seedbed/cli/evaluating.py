"""`seedbed eval`: its options, and which of its parts a command line means."""

from __future__ import annotations

import argparse

from seedbed.cli import measuring
from seedbed.records import JSON


def add_options(command: argparse.ArgumentParser) -> None:
    """The options of `seedbed eval`."""
    command.add_argument(
        "student", metavar="STUDENT", help="what to measure; with --annotations: the benchmark"
    )
    command.add_argument("--data", metavar="FOLDER", help="the benchmark's files (else: the hub)")
    command.add_argument("--out", metavar="FOLDER", help="where results are written")
    command.add_argument("--json", action="store_true", help="print JSON, for machines")
    measuring.add_options(command)
    stored = command.add_argument_group(
        "stored judgments",
        "scored again, with no call: eval alpaca_eval --annotations FILE",
    )
    stored.add_argument(
        "--annotations",
        metavar="FILE",
        help="alpaca_eval: an annotations.json, or a table (CSV, JSONL, Parquet; also .gz)",
    )
    stored.add_argument(
        "--model", action="append", default=[], metavar="NAME", help="only these of a table"
    )
    stored.add_argument(
        "--penalty", type=float, metavar="C", help="alpaca_eval: no cross-validation for C"
    )
    stored.add_argument(
        "--draws", type=int, default=1000, metavar="N", help="of the intervals (default: 1000)"
    )


def run(options: argparse.Namespace) -> tuple[str, JSON]:
    """What to print of stored judgments, for people and for machines.

    Raises:
        SeedbedError: they cannot be scored.
    """
    from seedbed.cli.rescoring import run_rescoring

    return run_rescoring(options)
