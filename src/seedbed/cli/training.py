"""`seedbed train`: from a run, a config or any dataset to a tuned student."""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from seedbed.errors import ConfigError, DatasetError
from seedbed.records import JSON, Example

if TYPE_CHECKING:
    from seedbed.config_student import StudentTable
    from seedbed.training.outcome import StepFunction

_OPTIONS = (
    ("preset", str, "NAME", "skillmix (the default), alpaca, wizardlm or tiny"),
    ("epochs", int, "N", "passes over the examples"),
    ("learning-rate", float, "RATE", "the peak of the schedule"),
    ("batch-examples", int, "N", "examples in one optimizer step"),
    ("max-length", int, "TOKENS", "prompt and response; longer ones are cut"),
    ("template", str, "NAME", "alpaca, chatml, llama3, wizardlm, plain, or own (the model's)"),
    ("held-out", float, "N", "examples, or a share, on which the best epoch is chosen"),
    ("lora-rank", int, "RANK", "tune an adapter of this rank; 0 tunes all weights"),
    ("precision", str, "NAME", "auto, fp32, bf16, bf16_split or pure_bf16"),
    ("micro-tokens", int, "N", "in one forward pass; less needs less memory"),
    ("device", str, "NAME", "auto, cpu, cuda, …"),
    ("parallel", str, "WAY", "with torchrun: ddp or fsdp"),
    ("seed", int, "N", "of orders, held-out choice and new weights"),
)
"""The settings with an option of their own; --set takes any."""


def add_options(command: argparse.ArgumentParser) -> None:
    """The options of `seedbed train`."""
    command.add_argument(
        "source", metavar="CONFIG|RUN|DATASET", help="a config, a run's folder, or any dataset"
    )
    command.add_argument(
        "--base", metavar="MODEL", help="a folder, a hub id, or tiny (made from the run's texts)"
    )
    for name, kind, metavar, text in _OPTIONS:
        command.add_argument(f"--{name}", type=kind, metavar=metavar, help=text)
    command.add_argument(
        "--checkpointing", action="store_true", default=None, help="less memory, more time"
    )
    command.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="any key of [student]"
    )
    command.add_argument(
        "--signals",
        nargs="*",
        default=None,
        metavar="NAME",
        help="write what training says of each example to signals.jsonl: these signals, or with no "
        "name those that cost little (see docs/signals.md)",
    )
    command.add_argument(
        "--signal-share",
        type=float,
        default=1.0,
        metavar="SHARE",
        help="read the signals that cost a forward pass on so much of each batch (default: 1)",
    )
    command.add_argument(
        "--out",
        metavar="FOLDER",
        help="default: training/ in the run's folder, NAME-training beside a dataset",
    )
    command.add_argument("--json", action="store_true", help="print JSON, for machines")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """What a command line names: the data, where the training goes, and what the config says.

    `home` is the folder where the config's relative paths start.
    """

    data: Path | str
    folder: Path
    home: Path
    student: Mapping[str, Any]


def run(options: argparse.Namespace) -> tuple[str, JSON, bool]:
    """Tune; the report for people and for machines, and whether training came to its end.

    Raises:
        SeedbedError: see `finetune`; or an extra is not installed.
    """
    _check_installed()
    source = _source(options)
    table = _table(options, source)
    examples = _examples(source.data)
    from seedbed.cli.training_watch import report, training_watch
    from seedbed.training import finetune
    from seedbed.training.precision import PURE_BF16

    if table.settings.precision == "pure_bf16":
        print(f"seedbed: {PURE_BF16}", file=sys.stderr)
    shown = not options.json and int(os.environ.get("RANK", "0")) == 0
    with training_watch(silent=not shown) as watch, _stop_on_signals() as stop:
        done = finetune(
            examples,
            base=_base(table.base, source, examples, seed=table.settings.seed),
            folder=source.folder,
            settings=table.settings,
            watch=watch,
            stop=stop,
            step=_step(options, source.folder, examples),
        )
    return report(done, again=_again()) if shown else "", done.manifest, done.status == "done"


def _step(options: argparse.Namespace, folder: Path, examples: Sequence[Example]) -> StepFunction:
    """A plain step, or one that also reads signals: those named, or with no name the cheap ones."""
    from seedbed.training.feedback import CHEAP
    from seedbed.training.feedback.recording import Recording
    from seedbed.training.loop import train_step

    if options.signals is None:
        return train_step
    names = options.signals or CHEAP
    return Recording(folder, signals=names, examples=examples, share=options.signal_share)


def _check_installed() -> None:
    needed = ("torch", "transformers", "safetensors")
    if missing := [name for name in needed if find_spec(name) is None]:
        raise ConfigError(
            f"training needs {', '.join(missing)}, which is not installed",
            hint="pip install torch==2.13.0, then pip install 'seedbed[train]'.",
        )


def _source(options: argparse.Namespace) -> _Source:
    given = Path(options.source)
    out = Path(options.out) if options.out else None
    if given.suffix == ".toml":
        from seedbed.plan import plan_run

        plan = plan_run(given)
        student = plan.config.student.model_dump(exclude_unset=True)
        if student.get("held_out_file"):
            student["held_out_file"] = str(plan.path(student["held_out_file"]))
        folder = plan.folder.path
        return _Source(
            data=folder, folder=out or folder / "training", home=plan.home, student=student
        )
    if given.is_dir():
        written = given / "config.toml"
        found = _written_student(written) if written.exists() else {}
        return _Source(data=given, folder=out or given / "training", home=Path(), student=found)
    default = given.with_name(f"{given.name.split('.')[0]}-training")
    return _Source(data=options.source, folder=out or default, home=Path(), student={})


def _written_student(path: Path) -> Mapping[str, Any]:
    """The [student] table of the config that a run keeps."""
    from seedbed.config import parse_config, read_config

    config = parse_config(read_config(path), place=str(path))
    return config.student.model_dump(exclude_unset=True)


def _table(options: argparse.Namespace, source: _Source) -> StudentTable:
    """The student of the config, and in its place what the command line says.

    Raises:
        ConfigError: no base, an unknown key, an impossible value.
    """
    from seedbed.config import student_table

    names = [name.replace("-", "_") for name, *_ in _OPTIONS]
    given = {name: getattr(options, name) for name in ("base", *names, "checkpointing")}
    content = dict(source.student) | {k: v for k, v in given.items() if v is not None}
    content |= dict(_pair(text) for text in options.set)
    if "base" not in content:
        raise ConfigError(
            "which student? No --base, and no [student] base in the config",
            hint="--base FOLDER, --base HUB/ID, or --base tiny for a small one made on the spot.",
        )
    return student_table(content, place="the student")


def _pair(text: str) -> tuple[str, Any]:
    """A key and its value as TOML has it; what is no TOML is a text."""
    key, equals, value = text.partition("=")
    if not equals:
        raise ConfigError(f"--set {text}: expected KEY=VALUE")
    try:
        return key.strip(), tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return key.strip(), value


def _examples(data: Path | str) -> list[Example]:
    """The examples of a run as people left them, or of any dataset, telling what is read of that.

    Raises:
        DatasetError: there are none, or they cannot be read.
    """
    from seedbed.datasets import read_dataset
    from seedbed.decisions import Applied, decided, read_decisions
    from seedbed.folder import RunFolder
    from seedbed.projections import read_examples

    folder = RunFolder(Path(data))
    if folder.path.is_dir() and folder.manifest.exists():
        decisions = read_decisions(folder.decisions)
        found = list(decided(read_examples(folder.examples), decisions, Applied()))
        if not found:
            raise DatasetError(
                f"{data}: the run has no examples", hint="`seedbed run` makes them, and goes on."
            )
        return found
    dataset = read_dataset(data)
    examples = list(dataset)
    print(dataset.report, file=sys.stderr)
    return examples


def _base(base: str, source: _Source, examples: list[Example], *, seed: int) -> str | Path:
    """The base as `finetune` wants it; the tiny one is made, once, in the training's folder."""
    from seedbed.config_student import TINY
    from seedbed.training.tiny import make_tiny

    if base != TINY:
        written = source.home / base
        return written if written.is_dir() else base
    place = source.folder / "base"
    if not (place / "config.json").exists():
        texts = [text for example in examples for text in (example.asked, example.response)]
        make_tiny(texts, place, seed=seed)
    return place


@contextmanager
def _stop_on_signals() -> Iterator[Callable[[], bool]]:
    """Asked after each step; the first Ctrl-C or SIGTERM saves, the second leaves at once."""
    asked = False

    def take(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True
        text = "\nstopping after this step, to save the state; once more to leave at once"
        print(text, file=sys.stderr, flush=True)

    before = {number: signal.signal(number, take) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _again() -> str:
    return shlex.join(["seedbed", *sys.argv[1:]])
