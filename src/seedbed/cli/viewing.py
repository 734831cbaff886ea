"""`seedbed view`: a run in the browser."""

from __future__ import annotations

import argparse
import asyncio
import signal
from pathlib import Path


def add_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("run", metavar="RUN", help="a run's folder, finished or going on")
    command.add_argument(
        "--port", type=int, default=0, metavar="N", help="default: any that is free"
    )
    command.add_argument("--no-browser", action="store_true", help="only print the address")


def view(options: argparse.Namespace) -> int:
    """Serve until Ctrl-C."""
    from seedbed.folder import find_run
    from seedbed.view.server import serving

    folder = find_run(Path(options.run))

    async def work() -> None:
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, ended.set)
        async with serving(folder, port=options.port) as address:
            print(
                f"{folder.path} at\n  {address}\n(on this machine only; Ctrl-C ends it)", flush=True
            )
            if not options.no_browser:
                await asyncio.to_thread(_open, address)
            await ended.wait()

    asyncio.run(work())
    return 0


def _open(address: str) -> None:
    import webbrowser

    webbrowser.open(address)
