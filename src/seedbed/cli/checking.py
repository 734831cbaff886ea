"""`seedbed check`: does this model do what it is told?"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seedbed.config_tables import ModelTable
    from seedbed.models.probes import Finding

UNUSABLE = 6
"""The exit code where a run with this model would stop."""


def add_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "what",
        nargs="?",
        metavar="MODEL",
        help="a config file; hf/ or vllm/ and a checkpoint; gguf/ and a file; practice",
    )
    command.add_argument(
        "--role", choices=("teacher", "judge"), default="teacher", help="which model of a config"
    )
    command.add_argument("--base-url", metavar="URL", help="an OpenAI-compatible server")
    command.add_argument("--model", metavar="NAME", help="the model's id at that server")
    command.add_argument("--api-key-env", metavar="NAME", help="the variable that holds its key")
    command.add_argument("--json", action="store_true", help="print JSON, for machines")


def check(options: argparse.Namespace) -> int:
    """Probe a model and tell what was found; nothing is kept."""
    from seedbed.checking import check_model, failing
    from seedbed.journal import Journal
    from seedbed.models.budgeted import Budget
    from seedbed.models.ledger import Caps

    table, home = _table(options)
    budget = Budget(Caps())
    with TemporaryDirectory() as folder, Journal(Path(folder) / "journal.db") as journal:
        findings = asyncio.run(check_model(table, journal=journal, budget=budget, home=home))
    usable = not failing(findings)
    spent = budget.ledger.spent
    if options.json:
        rows = [_row(finding) for finding in findings]
        found = {"model": table.shown, "usable": usable, "calls": spent.calls, "findings": rows}
        print(json.dumps(found, ensure_ascii=False, indent=1))
    else:
        print(_report(findings))
        print(f"\n  {spent.calls} calls, {spent.tokens:,} tokens.", end=" ")
        print("A run can be made with it." if usable else "A run with it would stop.")
    return 0 if usable else UNUSABLE


def _report(findings: Sequence[Finding]) -> str:
    """A line for each capability, and what follows where it is missing."""
    from seedbed.checking import FOLLOWS
    from seedbed.cli.tables import visible

    lines = []
    for finding in findings:
        lines.append(f"  {finding.capability:12} {finding.verdict:12} {visible(finding.saw)}")
        if finding.verdict not in ("pass", "unclear"):
            lines.append(f"  {'':12} {'':12} → {FOLLOWS[finding.capability]}")
    return "\n".join(lines)


def _row(finding: Finding) -> dict[str, str]:
    from seedbed.checking import FOLLOWS

    row = {"capability": finding.capability, "verdict": finding.verdict, "saw": finding.saw}
    return row if finding.verdict == "pass" else row | {"follows": FOLLOWS[finding.capability]}


def _table(options: argparse.Namespace) -> tuple[ModelTable, Path]:
    """The model that is meant, and the folder that its path is relative to.

    Raises:
        ConfigError: the options name no model, or the config's is wrong.
    """
    from seedbed.config import parse_model
    from seedbed.errors import ConfigError
    from seedbed.plan import plan_run

    what, url = options.what, options.base_url
    if url or (what and (what == "practice" or what.startswith(("hf/", "gguf/", "vllm/")))):
        given = {
            "model": options.model or what,
            "base_url": url,
            "api_key_env": options.api_key_env,
        }
        return parse_model({k: v for k, v in given.items() if v is not None}), Path()
    if not what:
        raise ConfigError(
            "check: no model is named",
            hint="Name a config file, or hf/ or vllm/ and a checkpoint; or give --base-url and "
            "--model.",
        )
    plan = plan_run(Path(what))
    table = plan.config.judge if options.role == "judge" else plan.config.teacher
    if table is None:
        raise ConfigError(f"{what}: it has no [judge]", hint="The teacher judges there.")
    return table, plan.home
