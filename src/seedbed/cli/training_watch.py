"""How a training is shown while it goes on, and what is said at its end."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from seedbed.cli.tables import columns, visible
from seedbed.cli.watching import PLAIN_SECONDS, duration
from seedbed.training import Trained, TrainProgress


def line(progress: TrainProgress) -> str:
    """One line that says it all."""
    parts = [
        f"epoch {progress.epoch}/{progress.epochs}",
        f"step {progress.step:,}/{progress.steps:,}",
        f"loss {progress.loss:.4f}",
        f"{progress.tokens_per_second:,.0f} tokens/s",
    ]
    if progress.held_out_loss is not None:
        parts.insert(3, f"held out {progress.held_out_loss:.4f}")
    if progress.seconds_left > 0:
        parts.append(f"about {duration(progress.seconds_left)} left")
    return " · ".join(parts)


@contextmanager
def training_watch(*, silent: bool) -> Iterator[Callable[[TrainProgress], None]]:
    """A function that shows progress on standard error: a live bar, or a line now and then."""
    if silent:
        yield lambda progress: None
    elif sys.stderr.isatty():
        with _live() as show:
            yield show
    else:
        yield _plain()


def _plain() -> Callable[[TrainProgress], None]:
    last = 0.0

    def show(progress: TrainProgress) -> None:
        nonlocal last
        if progress.step == progress.steps or time.monotonic() - last >= PLAIN_SECONDS:
            last = time.monotonic()
            print(line(progress), file=sys.stderr, flush=True)

    return show


@contextmanager
def _live() -> Iterator[Callable[[TrainProgress], None]]:
    from rich.console import Console
    from rich.live import Live
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    with Live(console=Console(stderr=True), refresh_per_second=8, transient=True) as live:

        def show(progress: TrainProgress) -> None:
            grid = Table.grid(padding=(0, 1), expand=True)
            grid.add_row(ProgressBar(total=progress.steps, completed=progress.step))
            grid.add_row(Text(line(progress)))
            live.update(grid)

        yield show


def report(done: Trained, *, again: str) -> str:
    """What came of a training, and what to type next."""
    manifest = done.manifest
    lines = [_data_line(manifest["data"]["train"]), *_left_out(manifest["data"]["train"])]
    # Where nothing was set aside no epoch was measured, and the last one is taken.
    measured = any(row["held_out_loss"] is not None for row in manifest["epochs"])
    taken = "best" if measured else "last"
    if manifest["epochs"]:
        rows = [
            (
                row["checkpoint"]
                + (f" ({taken})" if row["checkpoint"] == manifest["best"] else ""),
                f"{row['step']:,}",
                "–" if row["held_out_loss"] is None else f"{row['held_out_loss']:.4f}",
            )
            for row in manifest["epochs"]
        ]
        lines += ["", columns(rows, head=("checkpoint", "step", "held-out loss"))]
    took = f"  {manifest['tokens']:,} tokens in {duration(manifest['seconds'])}"
    lines += ["", f"{took}, {manifest['precision']} on {manifest['device']}"]
    if done.status == "interrupted":
        lines += [
            f"  stopped at step {manifest['step']:,} of {manifest['steps']:,}; the state is kept",
            f"  to go on:  {visible(again)}",
        ]
    else:
        lines += [f"  {taken}: {done.best}"]
    return "\n".join(lines)


def _data_line(counts: dict[str, int]) -> str:
    return (
        f"  {counts['examples']:,} examples, {counts['tokens']:,} tokens, "
        f"{counts['trained_tokens']:,} of them trained on"
    )


def _left_out(counts: dict[str, int]) -> list[str]:
    """What was cut or dropped; nothing where nothing was."""
    usual = {"examples", "tokens", "trained_tokens", "cut"}
    lines = [f"  {counts['cut']:,} responses cut to fit"] if counts["cut"] else []
    dropped = {reason: count for reason, count in counts.items() if reason not in usual}
    return lines + [f"  {count:,} dropped: {reason}" for reason, count in dropped.items()]
