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
        self._output = _Output()
        self._transport: asyncio.SubprocessTransport | None = None

    async def start(self) -> None:
        """Start it, once."""
        self._transport, _ = await asyncio.get_running_loop().subprocess_exec(
            lambda: self._output,
            *self._command,
            env=self._environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    @property
    def lines(self) -> list[str]:
        """The last lines of what it wrote."""
        return list(self._output.lines)

    @property
    def ended(self) -> bool:
        """Whether it has ended with all its processes: nobody can write any more."""
        return self._output.ended.is_set()

    async def wait(self) -> None:
        """Until it has ended."""
        if self._transport is not None:
            await self._output.ended.wait()

    async def stop(self) -> None:
        """End it, with all processes that it has started; cancelled, it ends unseen."""
        if self._transport is None:
            return
        if (tie := self._transport.get_pipe_transport(0)) is not None:
            tie.close()
        try:
            await self.wait()
        finally:
            self._transport.close()


class _Output(asyncio.SubprocessProtocol):
    """The last lines of a program, and whether more can come."""

    def __init__(self) -> None:
        self.lines: deque[str] = deque(maxlen=_LINES)
        self.ended = asyncio.Event()
        self._rest = b""
        self._transport: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        *whole, rest = (self._rest + data).replace(b"\r", b"\n").split(b"\n")
        self.lines += [line.decode("utf-8", "replace") for line in whole]
        self._rest = rest[-_CHUNK:]

    def connection_lost(self, error: Exception | None) -> None:
        if self._rest:
            self.lines.append(self._rest.decode("utf-8", "replace"))
        if self._transport is not None:
            self._transport.close()  # it has lost all, and would still complain of being open
        self.ended.set()


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
