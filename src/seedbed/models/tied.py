"""A program that ends when whoever started it ends, however that comes about.

A GPU's memory is held by the program on it, and one that outlives a killed run, or a killed actor
of a cluster, holds it until somebody notices. So between the two stands this file, run as a script:
it waits for its standard input to be closed, which the system does for the dead, too.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress

GRACE = 10.0
"""Seconds between asking all of a program's processes to end and killing them."""

_LINES = 400
"""What is kept of the program's output: the last so many lines."""

_CHUNK = 65_536


class TiedProcess:
    """A program, its last lines, and whether it has ended.

    Signals from the terminal do not reach it: it ends by `stop`, or with this process.

    Args:
        command: the program and its arguments.
        environ: all of its environment.

    Raises:
        OSError: `start` raises it where no process can be made.
    """

    def __init__(self, command: Sequence[str], environ: Mapping[str, str]) -> None:
        self._command = [sys.executable, __file__, *command]
        self._environ = environ
        self._lines: deque[str] = deque(maxlen=_LINES)
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start it, once."""
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            env=self._environ,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        self._reader = asyncio.create_task(self._read(self._process))

    @property
    def lines(self) -> list[str]:
        """The last lines of what it wrote."""
        return list(self._lines)

    @property
    def ended(self) -> bool:
        """Whether it has ended with all its processes: nobody can write any more."""
        return self._reader is not None and self._reader.done()

    async def wait(self) -> None:
        """Until it has ended."""
        if self._reader is not None:
            await asyncio.shield(self._reader)

    async def stop(self) -> None:
        """End it, with all processes that it has started."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
        await self.wait()

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        rest = b""
        while chunk := await process.stdout.read(_CHUNK):
            *whole, rest = (rest + chunk).replace(b"\r", b"\n").split(b"\n")
            self._lines += [line.decode("utf-8", "replace") for line in whole]
            rest = rest[-_CHUNK:]
        if rest:
            self._lines.append(rest.decode("utf-8", "replace"))
        await process.wait()


def main(command: Sequence[str]) -> None:
    """Run the program until it ends or standard input is closed.

    In a process that has no parent here: who kills an actor of a cluster kills its children too,
    and this one is to outlive them for as long as it takes to end what it watches.
    """
    if os.fork():
        return
    try:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error}\n")
        return
    threading.Thread(target=_end_with_input, args=(child,), daemon=True).start()
    child.wait()
    _send(child, signal.SIGKILL)  # what it has left behind


def _end_with_input(child: subprocess.Popen[bytes]) -> None:
    while os.read(sys.stdin.fileno(), _CHUNK):
        pass
    _send(child, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        child.wait(GRACE)
    _send(child, signal.SIGKILL)


def _send(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, number)


if __name__ == "__main__":
    main(sys.argv[1:])
