"""Ctrl-C, once and twice."""

from __future__ import annotations

import asyncio
import signal
import sys


def stop_on_signals(stop: asyncio.Event) -> None:
    """The first Ctrl-C or SIGTERM lets calls in flight settle, the second leaves them in doubt."""
    loop = asyncio.get_running_loop()
    main = asyncio.current_task()

    def handle() -> None:
        if stop.is_set() and main is not None:
            main.cancel()
            return
        stop.set()
        print(
            "\nstopping: calls in flight are paid for, so they may still settle; "
            "once more to leave at once",
            file=sys.stderr,
        )

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, handle)
