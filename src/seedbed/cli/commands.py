"""What each command does: call the package, print what it returns."""

from __future__ import annotations

import argparse
import asyncio
import json
import shlex
from collections.abc import Callable, Mapping
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from seedbed.cli import FINETUNING, TRAINERS
from seedbed.cli.checking import check
from seedbed.cli.choosing import choose
from seedbed.cli.reporting import report
from seedbed.cli.stopping import stop_on_signals
from seedbed.cli.viewing import view
from seedbed.errors import ConfigError
from seedbed.records import JSON

if TYPE_CHECKING:
    from seedbed.plan import RunPlan

INTERRUPTED = 130
SHORT = 7


def init(options: argparse.Namespace) -> int:
    from seedbed.files import write_text

    path = Path(options.path)
    if path.exists() and not options.force:
        raise ConfigError(f"{path}: already there", hint="Choose another name, or add --force.")
    text = (files("seedbed") / "template.toml").read_text(encoding="utf-8")
    write_text(path, text)
    print(f"{path} is written. Next:\n  seedbed plan {path}\n  seedbed run {path}")
    return 0


def plan(options: argparse.Namespace) -> int:
    from seedbed.cli.cost_tables import cost_table, forecast_table
    from seedbed.endpoint import check
    from seedbed.wiring import forecast_of

    made = _planned(options)
    check(made, keys=False)
    if options.json:
        return _print_json(made.forecast_json(forecast_of(made)))
    print(forecast_table(made))
    if (manifest := made.folder.read_manifest()) and manifest["stages"]:
        print(f"\nThe run in {made.folder.path} so far:\n\n{cost_table(manifest)}")
    return 0


def run(options: argparse.Namespace) -> int:
    return _grow(options, skills_only=False)


def skills(options: argparse.Namespace) -> int:
    return _grow(options, skills_only=True)


def _grow(options: argparse.Namespace, *, skills_only: bool) -> int:
    from seedbed.cli.tables import ending
    from seedbed.cli.watching import watching
    from seedbed.run import grow

    made = _planned(options)

    async def work() -> int:
        stop = asyncio.Event()
        stop_on_signals(stop)
        with watching(silent=options.json) as watch:
            outcome = await grow(made, watch=watch, stop=stop, skills_only=skills_only)
        if options.json:
            _print_json(outcome.manifest)
        else:
            print(ending(outcome, again=_command(options)))
        return {"short": SHORT, "interrupted": INTERRUPTED}.get(outcome.status, 0)

    return asyncio.run(work())


def _planned(options: argparse.Namespace) -> RunPlan:
    from seedbed.plan import plan_run

    return plan_run(Path(options.config), folder=Path(options.out) if options.out else None)


def _command(options: argparse.Namespace) -> str:
    """What to type to run, or to go on with, what the options name."""
    out = ["--out", options.out] if options.out else []
    return shlex.join(["seedbed", "run", options.config, *out])


def show(options: argparse.Namespace) -> int:
    from seedbed.cli.steered_tables import steering_story
    from seedbed.cli.tables import run_story
    from seedbed.folder import find_run

    folder = find_run(Path(options.run))
    if options.json:
        return _print_json(folder.read_manifest())
    print(run_story(folder, samples=options.samples))
    if steered := steering_story(folder.read_manifest()):
        print(f"\n{steered}")
    return 0


def cost(options: argparse.Namespace) -> int:
    from seedbed.cli.cost_tables import cost_table
    from seedbed.folder import find_run

    manifest = find_run(Path(options.run)).read_manifest()
    if options.json:
        return _print_json({key: manifest[key] for key in ("spend", "stages", "forecast")})
    print(cost_table(manifest))
    return 0


def export(options: argparse.Namespace) -> int:
    from seedbed.cli.trainers import write_for_trainer
    from seedbed.decisions import Applied, Decisions, decided, read_decisions
    from seedbed.export import default_name, write_examples
    from seedbed.files import write_jsonl
    from seedbed.folder import find_run
    from seedbed.projections import read_examples
    from seedbed.recipes.self_instruct.format import finetuning_rows

    folder = find_run(Path(options.run))
    if options.out and folder.holds(Path(options.out)):
        raise ConfigError(
            f"--out {options.out}: a file of the run itself, which the export would replace",
            hint="Choose another name, or leave --out away.",
        )
    applied = Applied()
    decisions = Decisions() if options.ignore_decisions else read_decisions(folder.decisions)
    examples = decided(read_examples(folder.examples), decisions, applied)
    if options.format == FINETUNING:
        path = Path(options.out) if options.out else folder.path / "finetuning.jsonl"
        count = write_jsonl(path, finetuning_rows(examples, seed=folder.read_manifest()["seed"]))
    elif options.format in TRAINERS:
        path, count = write_for_trainer(options, folder, examples)
    else:
        path = Path(options.out) if options.out else folder.path / default_name(options.format)
        count = write_examples(examples, path, shape=options.format)
    by_hand = asdict(applied)
    if options.json:
        return _print_json(
            {"path": str(path), "format": options.format, "examples": count, "by_hand": by_hand}
        )
    print(f"{count:,} examples in {path}")
    if any(by_hand.values()):
        told = ", ".join(f"{number:,} {name}" for name, number in by_hand.items())
        print(f"  by hand: {told}")
    return 0


def curate(options: argparse.Namespace) -> int:
    from seedbed.cli.curating import run

    report, facts = run(options)
    if options.json:
        return _print_json(facts)
    print(report)
    return 0


def evaluate(options: argparse.Namespace) -> int:
    from seedbed.cli.evaluating import run
    from seedbed.cli.measuring import run_measuring

    if options.annotations is None:
        return run_measuring(options)
    report, facts = run(options)
    if options.json:
        return _print_json(facts)
    print(report)
    return 0


def train(options: argparse.Namespace) -> int:
    from seedbed.cli.training import run

    report, facts, ended = run(options)
    if options.json:
        _print_json(facts)
    elif report:
        print(report)
    return 0 if ended else INTERRUPTED


def ablate(options: argparse.Namespace) -> int:
    from seedbed.cli.ablating import run

    report, facts = run(options)
    if options.json:
        return _print_json(facts)
    print(report)
    return 0


def compare(options: argparse.Namespace) -> int:
    from seedbed.cli.comparing import run

    report, facts = run(options)
    if options.json:
        return _print_json(facts)
    print(report)
    return 0


def serve_practice(options: argparse.Namespace) -> int:
    from seedbed.cli.serving import run

    run(options)
    return 0


def _print_json(content: JSON) -> int:
    print(json.dumps(content, ensure_ascii=False, indent=1))
    return 0


COMMANDS: Mapping[str, Callable[[argparse.Namespace], int]] = {
    "init": init,
    "plan": plan,
    "run": run,
    "skills": skills,
    "show": show,
    "cost": cost,
    "export": export,
    "view": view,
    "report": report,
    "curate": curate,
    "check": check,
    "eval": evaluate,
    "train": train,
    "choose": choose,
    "ablate": ablate,
    "compare": compare,
    "serve-practice": serve_practice,
}
