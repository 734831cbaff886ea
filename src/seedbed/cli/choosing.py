"""`seedbed choose TRAINING --judge MODEL`: the best epoch by win rate against the teacher."""

from __future__ import annotations

import argparse
import asyncio
import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from seedbed.cli.stopping import stop_on_signals
from seedbed.errors import ConfigError

if TYPE_CHECKING:
    from seedbed.measuring.choosing import ChoicePlan, Chosen
    from seedbed.measuring.picking import Epoch, Picked

INTERRUPTED = 130


def add_options(command: argparse.ArgumentParser) -> None:
    """The options of choosing."""
    command.add_argument("training", metavar="TRAINING", help="a training's or a run's folder")
    command.add_argument(
        "--judge", required=True, metavar="MODEL", help="who judges; or a TOML with [judge]"
    )
    command.add_argument("--judge-url", metavar="URL", help="default: OpenAI's")
    command.add_argument("--judge-key-env", metavar="NAME", help="default: OPENAI_API_KEY")
    command.add_argument("--dollars", type=float, metavar="N", help="most that may be spent")
    command.add_argument("--limit", type=int, metavar="N", help="only the first N examples")
    for name, kind in (("temperature", float), ("top-p", float), ("max-tokens", int)):
        command.add_argument(f"--{name}", type=kind, metavar="N", help="default: AlpacaEval's")
    command.add_argument("--both-orders", action="store_true", help="judge every pair twice")
    command.add_argument(
        "--highest",
        action="store_true",
        help="the plain highest win rate, as the paper has it; else, of the epochs that the data "
        "cannot tell from it, the one with the lowest held-out loss",
    )
    command.add_argument("--json", action="store_true", help="print JSON, for machines")


def choose(options: argparse.Namespace) -> int:
    """Judge, choose, show; the exit code."""
    plan = _plan(options)
    chosen = asyncio.run(_choose(plan, silent=options.json))
    if options.json and chosen.picked is not None:
        print(json.dumps(plan.training.read_manifest(), ensure_ascii=False, indent=1))
    elif not options.json:
        print(_report(plan, chosen))
    return 0 if chosen.picked is not None else INTERRUPTED


async def _choose(plan: ChoicePlan, *, silent: bool) -> Chosen:
    from seedbed.cli.measuring_watch import watching
    from seedbed.measuring.choosing import choose

    stop = asyncio.Event()
    stop_on_signals(stop)
    with watching(silent=silent) as watch:
        return await choose(plan, watch=watch, stop=stop)


def _plan(options: argparse.Namespace) -> ChoicePlan:
    from seedbed.cli.measuring import judge_of, positive
    from seedbed.config_tables import BudgetTable
    from seedbed.measuring import SamplingWish
    from seedbed.measuring.choosing import ChoicePlan
    from seedbed.training.training_folder import TrainingFolder

    judge = judge_of(options)
    if judge is None:
        raise ConfigError("choosing needs a judge", hint="--judge MODEL")
    if options.dollars is not None and options.dollars < 0:
        raise ConfigError(f"--dollars {options.dollars}: expected no less than 0")
    folder = Path(options.training)
    inside = folder / "training"
    return ChoicePlan(
        training=TrainingFolder(inside if (inside / "training.json").exists() else folder),
        judge=judge,
        budget=BudgetTable(dollars=options.dollars),
        limit=positive("--limit", options.limit),
        sampling=SamplingWish(
            temperature=options.temperature,
            top_p=options.top_p,
            max_tokens=positive("--max-tokens", options.max_tokens),
        ),
        both_orders=options.both_orders,
        highest=options.highest,
    )


def _report(plan: ChoicePlan, chosen: Chosen) -> str:
    from seedbed.cli.result_tables import note_line
    from seedbed.cli.tables import columns, paid_line
    from seedbed.plan import price_of

    head = ("epoch", "win rate", "95 % interval", "n", "held-out loss")
    parts = [columns([_row(epoch) for epoch in chosen.epochs], head=head)] if chosen.epochs else []
    picked, spend = chosen.picked, chosen.spend
    if picked is None:
        parts.append("  Stopped; what was asked is kept. To go on: " + shlex.join(sys.argv))
    else:
        notes = dict.fromkeys(note for one in chosen.epochs for note in one.measured.notes)
        parts.append("\n".join(map(note_line, (*notes, *_told(picked)))))
        best = plan.training.path / "checkpoints" / picked.best.row["checkpoint"]
        parts.append(f"  best: {best}")
    paid = paid_line(spend.dollars, priced=price_of(plan.judge) is not None)
    parts.append(f"  {spend.calls:,} calls, {spend.tokens:,} tokens, {paid} in all")
    return "\n\n".join(parts)


def _row(epoch: Epoch) -> tuple[str, ...]:
    one, loss = epoch.measured, epoch.row["held_out_loss"]
    interval = "" if one.low is None else f"{one.low:.2f} to {one.high:.2f}"
    of = f"{one.n}" if one.n == one.expected_n else f"{one.n} of {one.expected_n}"
    told = "" if loss is None else f"{loss:.4f}"
    return str(epoch.row["epoch"]), f"{one.value:.2f}", interval, of, told


def _told(picked: Picked) -> tuple[str, ...]:
    """What the choice rests on."""
    rule = f"Chosen: {picked.rule}."
    if not picked.alike:
        return (rule,)
    names = ", ".join(str(epoch.row["epoch"]) for epoch in picked.alike)
    return (f"The data cannot tell epoch {picked.highest.row['epoch']} from {names}.", rule)
