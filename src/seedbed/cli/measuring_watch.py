"""How an evaluation is shown while it goes on: one line that stays, or a line now and then."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from seedbed.cli.tables import paid_line, visible
from seedbed.cli.watching import PLAIN_SECONDS
from seedbed.measuring import EvalProgress

WIDTH = 110


def line(progress: EvalProgress) -> str:
    """One line that says it all."""
    parts = [f"{progress.answered:,}/{progress.turns:,} answers"]
    if progress.judgments:
        parts.append(f"{progress.judged:,}/{progress.judgments:,} judgments")
    if progress.unread:
        parts.append(f"{progress.unread:,} not readable")
    cap = "" if progress.cap_dollars is None else f" of ${progress.cap_dollars:.2f}"
    paid = paid_line(progress.spend.dollars, priced=progress.priced)
    parts += [f"{progress.in_flight} in flight", f"{paid}{cap}"]
    if progress.trouble:
        parts.append(visible(progress.trouble))
    return f"{progress.benchmark}: " + " · ".join(parts)


@contextmanager
def watching(*, silent: bool) -> Iterator[Callable[[EvalProgress], None]]:
    """A function that shows progress on standard error, in the way that suits it."""
    if silent:
        yield lambda progress: None
        return
    live = sys.stderr.isatty()
    last = 0.0

    def show(progress: EvalProgress) -> None:
        nonlocal last
        if live:
            print(f"\r{line(progress)[:WIDTH]:<{WIDTH}}", end="", file=sys.stderr, flush=True)
        elif progress.seconds - last >= PLAIN_SECONDS:
            last = progress.seconds
            print(line(progress), file=sys.stderr, flush=True)

    try:
        yield show
    finally:
        if live:
            print(f"\r{'':<{WIDTH}}\r", end="", file=sys.stderr, flush=True)
