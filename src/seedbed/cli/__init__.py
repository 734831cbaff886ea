"""The command line: it parses, calls, prints, and does not think."""

from __future__ import annotations

import argparse
import errno
import io
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version

from seedbed.cli.ablating import add_options as add_ablate_options
from seedbed.cli.checking import add_options as add_check_options
from seedbed.cli.choosing import add_options as add_choose_options
from seedbed.cli.comparing import add_options as add_compare_options
from seedbed.cli.evaluating import add_options as add_eval_options
from seedbed.cli.reporting import add_options as add_report_options
from seedbed.cli.training import add_options as add_train_options
from seedbed.cli.viewing import add_options as add_view_options

FORMATS = ("messages", "alpaca", "sharegpt", "openai", "parquet")
FINETUNING = "finetuning"
TRAINERS = ("trl", "llama_factory", "axolotl")

EPILOG = """\
a first run, offline and free:
  seedbed init first.toml
  seedbed plan first.toml
  seedbed run first.toml
  seedbed show runs/first

exit codes: 0 done · 1 unexpected · 2 config or arguments · 3 dataset · 4 files or journal
            5 budget · 6 model · 7 fewer examples than asked · 8 training · 9 cluster
            130 interrupted
"""


def parser() -> argparse.ArgumentParser:
    """All commands and their options; imports nothing that is slow."""
    top = argparse.ArgumentParser(
        prog="seedbed",
        description="Grow instruction-tuning data from skills; never pay twice for a call.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"seedbed {version('seedbed')}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    init = commands.add_parser("init", help="write a commented config to start from")
    init.add_argument("path", nargs="?", default="seedbed.toml", help="default: %(default)s")
    init.add_argument("--force", action="store_true", help="replace a file that is there")

    plan = commands.add_parser("plan", help="tell what a run will take, before spending anything")
    _config(plan)
    _out(plan)
    _json(plan)

    run = commands.add_parser("run", help="make the data, or go on where it stopped")
    _config(run)
    _out(run)
    _json(run)

    skills = commands.add_parser("skills", help="make skills.json only (stage one of a run)")
    _config(skills)
    _out(skills)
    _json(skills)

    show = commands.add_parser("show", help="what a run made: counts, drops, spend, samples")
    _folder(show)
    show.add_argument("--samples", type=int, default=3, metavar="N", help="default: %(default)s")
    _json(show)

    cost = commands.add_parser("cost", help="what a run took, forecast beside actual")
    _folder(cost)
    _json(cost)

    export = commands.add_parser("export", help="write a run's examples in another shape")
    _folder(export)
    export.add_argument(
        "--format",
        required=True,
        choices=(*FORMATS, FINETUNING, *TRAINERS),
        help="finetuning: prompt and completion, in Self-Instruct's layouts (its step 4); trl, "
        "llama_factory, axolotl: a folder with data and config, to tune there what `train` would",
    )
    export.add_argument("--out", metavar="PATH", help="default: beside the run's other files")
    export.add_argument("--base", metavar="MODEL", help="for a trainer; default: [student] base")
    export.add_argument("--preset", metavar="NAME", help="for a trainer; default: [student]")
    export.add_argument(
        "--ignore-decisions", action="store_true", help="write all, as if nobody had judged by hand"
    )
    _json(export)

    add_view_options(commands.add_parser("view", help="look into a run in the browser"))

    _curate(commands.add_parser("curate", help="check and clean any dataset: report, then write"))

    add_check_options(
        commands.add_parser("check", help="find what a model or its server silently ignores")
    )
    add_report_options(
        commands.add_parser("report", help="a page to read about a run, or about several")
    )
    add_eval_options(commands.add_parser("eval", help="measure a student"))
    add_train_options(commands.add_parser("train", help="tune a student on examples"))

    add_choose_options(
        commands.add_parser("choose", help="choose a training's best epoch by win rate")
    )
    add_ablate_options(
        commands.add_parser("ablate", help="arms that differ in one thing, measured")
    )
    add_compare_options(commands.add_parser("compare", help="whether measured students differ"))

    serve = commands.add_parser(
        "serve-practice", help="run the practice teacher as an OpenAI-compatible local server"
    )
    serve.add_argument("--host", default="127.0.0.1", help="default: %(default)s")
    serve.add_argument("--port", type=int, default=8399, help="default: %(default)s")
    serve.add_argument(
        "--trouble",
        action="append",
        default=[],
        metavar="KIND=SHARE",
        help="what the teacher gets wrong, e.g. malformed=0.05 or latency=0.2 (seconds)",
    )
    serve.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="KIND=SHARE",
        help="what the server gets wrong, e.g. rate_limited=0.05, failed=0.02, hang=0.01",
    )
    serve.add_argument("--requests-per-minute", type=float, metavar="N", help="answer 429 above it")
    serve.add_argument("--max-in-flight", type=int, metavar="N", help="answer 429 above it")
    serve.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    serve.add_argument("--api-key-env", metavar="NAME", help="ask for the key in this variable")
    return top


def _curate(command: argparse.ArgumentParser) -> None:
    command.add_argument("dataset", metavar="DATASET", help="a file, a run's folder, or hf:NAME")
    command.add_argument("--out", metavar="FOLDER", help="write what is kept, and the drops")
    command.add_argument("--format", choices=FORMATS, default="alpaca", help="of what is kept")
    command.add_argument(
        "--rules",
        nargs="*",
        choices=("sound", "self_instruct", "alpaca"),
        default=["sound"],
        help="sets of filters (default: sound, what is wrong with any example)",
    )
    command.add_argument("--leaks", choices=("repair", "drop", "off"), default="off")
    command.add_argument("--words", default="0:", metavar="LOW:HIGH", help="of an instruction")
    command.add_argument("--response-words", default="0:", metavar="LOW:HIGH")
    command.add_argument("--keyword", action="append", default=[], metavar="TERM")
    command.add_argument("--script", action="append", default=[], metavar="NAME", help="e.g. LATIN")
    command.add_argument("--novelty", type=float, metavar="F1", help="most ROUGE-L with any before")
    command.add_argument("--near-duplicates", type=float, metavar="JACCARD")
    command.add_argument(
        "--diverse", type=int, metavar="COUNT", help="keep at most so many, unlike each other"
    )
    command.add_argument(
        "--against",
        action="append",
        default=[],
        metavar="BENCHMARK=FILE",
        help="drop what holds prompts of alpaca_eval, mt_bench or ifeval",
    )
    command.add_argument("--read-as", default="auto", metavar="FORMAT", help="default: detected")
    for column in ("instruction", "input", "response"):
        command.add_argument(f"--{column}", default="", metavar="COLUMN", help="its unusual name")
    command.add_argument("--on-bad-line", choices=("stop", "skip"), default="stop")
    command.add_argument(
        "--engine",
        choices=("memory", "processes", "ray"),
        default="memory",
        help="who works: this process, all cores, or a cluster ($RAY_ADDRESS); "
        "the decisions are the same (default: %(default)s)",
    )
    command.add_argument(
        "--parts",
        type=int,
        default=200_000,
        metavar="ROWS",
        help="examples that one worker holds at once (default: %(default)s)",
    )
    _json(command)


def _config(command: argparse.ArgumentParser) -> None:
    command.add_argument("config", metavar="CONFIG", help="a TOML file (see `seedbed init`)")


def _folder(command: argparse.ArgumentParser) -> None:
    command.add_argument("run", metavar="RUN", help="a run's folder")


def _out(command: argparse.ArgumentParser) -> None:
    command.add_argument("--out", metavar="FOLDER", help="keep the run here instead")


def _json(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help="print JSON, for machines")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the return value is the process's exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    options = parser().parse_args(arguments)
    from asyncio import CancelledError

    from seedbed.cli.commands import COMMANDS
    from seedbed.errors import SeedbedError, StorageError

    try:
        code = COMMANDS[options.command](options)
        print(end="", flush=True)
        return code
    except SeedbedError as error:
        print(f"seedbed: {error}", file=sys.stderr)
        if error.hint:
            print(f"  → {error.hint}", file=sys.stderr)
        return error.exit_code
    except (KeyboardInterrupt, CancelledError):
        print("seedbed: interrupted; run the same command to go on", file=sys.stderr)
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT) or error.filename is not None:
            raise
        # Whoever writes a file says its name, so this was the output.
        print(f"seedbed: the output cannot be written: {error.strerror}", file=sys.stderr)
        print(
            "  → Only what it says is lost: what a command makes is in its files.", file=sys.stderr
        )
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # it is flushed once more
        return StorageError.exit_code
