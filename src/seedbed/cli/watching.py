"""How a run is shown while it goes on: a live line in a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from seedbed.cli.tables import visible
from seedbed.session import Progress

PLAIN_SECONDS = 10.0
"""Between two lines where the output is no terminal."""

WINDOW_SECONDS = 30.0
"""The rate is of the last so many seconds."""


class Rate:
    """Paid calls per second of late, and what that means for the time left."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int, int]] = deque()

    def see(self, progress: Progress) -> None:
        self._seen.append((progress.seconds, progress.paid, progress.calls))
        while self._seen[0][0] < progress.seconds - WINDOW_SECONDS:
            self._seen.popleft()

    @property
    def per_second(self) -> float:
        (start, paid, _), (end, paid_now, _) = self._seen[0], self._seen[-1]
        return (paid_now - paid) / (end - start) if end > start else 0.0

    def left(self, progress: Progress) -> float | None:
        """Seconds, or None where nothing can be said yet."""
        (start, _, calls), (end, _, calls_now) = self._seen[0], self._seen[-1]
        pace = (calls_now - calls) / (end - start) if end > start else 0.0
        missing = progress.calls_expected - progress.calls
        if progress.wanted is not None:
            missing = max(missing, progress.wanted - progress.reached)
        return missing / pace if pace else None


def line(progress: Progress, rate: Rate) -> str:
    """One line that says it all."""
    spend = progress.spend
    parts = [
        f"{progress.kept:,} kept" if progress.wanted is None else _share(progress),
        f"{progress.dropped:,} dropped",
        f"{progress.in_flight} in flight (up to {progress.level})",
        f"{rate.per_second:.1f} calls/s",
        f"{spend.tokens:,} tokens",
        money(progress),
    ]
    if progress.trouble:
        parts.append(visible(progress.trouble))
    elif (left := rate.left(progress)) is not None and left > 0:
        parts.append(f"about {duration(left)} left")
    return f"{progress.stage}: " + " · ".join(parts)


def _share(progress: Progress) -> str:
    if progress.reached == progress.kept:
        return f"{progress.kept:,}/{progress.wanted:,} kept"
    return f"{progress.reached:,}/{progress.wanted:,} instructions · {progress.kept:,} kept"


def money(progress: Progress) -> str:
    cap = progress.cap_dollars
    if not progress.priced:
        return "no price known"
    return f"${progress.spend.dollars:.2f}" + (f" of ${cap:.2f}" if cap is not None else "")


def duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


@contextmanager
def watching(*, silent: bool) -> Iterator[Callable[[Progress], None]]:
    """A function that shows progress on standard error, in the way that suits it."""
    if silent:
        yield lambda progress: None
    elif sys.stderr.isatty():
        with _live() as show:
            yield show
    else:
        yield _plain()


def _plain() -> Callable[[Progress], None]:
    rate = Rate()
    last = 0.0

    def show(progress: Progress) -> None:
        nonlocal last
        rate.see(progress)
        if progress.seconds - last >= PLAIN_SECONDS:
            last = progress.seconds
            print(line(progress, rate), file=sys.stderr, flush=True)

    return show


@contextmanager
def _live() -> Iterator[Callable[[Progress], None]]:
    from rich.console import Console
    from rich.live import Live
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    rate = Rate()

    with Live(console=Console(stderr=True), refresh_per_second=8, transient=True) as live:

        def show(progress: Progress) -> None:
            rate.see(progress)
            done = progress.reached / progress.wanted if progress.wanted else 0.0
            if not done and progress.calls_expected:
                done = min(progress.calls / progress.calls_expected, 0.99)
            grid = Table.grid(padding=(0, 1), expand=True)
            grid.add_row(ProgressBar(total=1.0, completed=done))
            grid.add_row(Text(line(progress, rate)))
            live.update(grid)

        yield show
