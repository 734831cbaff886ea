"""The key of an endpoint: a variable of the environment, or what a command prints.

Keys that expire after an hour (Azure, Vertex AI) come from a command; it is run again when the
server says that the key is no longer valid. A key is put into a request's headers and nowhere else.
"""

from __future__ import annotations

import asyncio
import os
import shlex
from collections.abc import Mapping

from seedbed.errors import AccessDenied, ConfigError
from seedbed.models.settings import ChatSettings

PATIENCE = 60.0
"""Seconds that the command may take."""


class Credential:
    """Who asks, and with which key.

    Args:
        settings: where the key comes from.
        environ: where its variable is looked up.

    Raises:
        ConfigError: the key's variable is missing, or what it holds cannot be a key.
    """

    def __init__(self, settings: ChatSettings, environ: Mapping[str, str] = os.environ) -> None:
        self._command = shlex.split(settings.api_key_command)
        self._renewed_for: str | None = None
        self._turn = asyncio.Lock()
        self.key = _from_environment(settings, environ)

    @property
    def headers(self) -> dict[str, str]:
        """For a request, and for nothing else."""
        key = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        return {"User-Agent": "seedbed"} | key

    async def prepare(self) -> None:
        """Have a key before the first request.

        Raises:
            AccessDenied: the command fails, or what it prints cannot be a key.
        """
        if self._command:
            await self.renewed("")

    async def renewed(self, refused: str) -> bool:
        """Whether there is another key now than the one that the server refused.

        However many requests were refused, the command is run once.

        Raises:
            AccessDenied: the command fails, or what it prints cannot be a key.
        """
        async with self._turn:
            if self._command and self.key == refused != self._renewed_for:
                self._renewed_for = refused
                self.key = await _printed(self._command)
        return self.key != refused


def _from_environment(settings: ChatSettings, environ: Mapping[str, str]) -> str:
    name = settings.api_key_env
    if name is None:
        return ""
    key = environ.get(name, "")
    if not key:
        raise ConfigError(
            f"the environment variable {name} is not set; the key for {settings.host} is read "
            "from it",
            hint=f"Type `export {name}=…` in the shell that starts the run, or set `api_key_env` "
            "to the variable that holds your key. A server without keys: leave `api_key_env` out.",
        )
    if not _possible(key):
        raise ConfigError(
            f"what the environment variable {name} holds cannot be a key: it has white space, a "
            "line break or a character outside ASCII",
            hint=f"Set {name} again; a quote or a line break was probably copied along.",
        )
    return key


async def _printed(command: list[str]) -> str:
    """What the command prints, which has to look like a key; it is shown nowhere."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError as error:
        raise _failed(command, f"cannot be run: {error.strerror}") from error
    try:
        output, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
    except TimeoutError:
        raise _failed(command, f"gave no answer within {PATIENCE:g} s") from None
    finally:
        if process.returncode is None:
            process.kill()
    if process.returncode:
        raise _failed(command, f"ended with exit code {process.returncode}")
    key = output.decode("utf-8", "replace").strip()
    if not key or not _possible(key):
        raise _failed(command, "printed nothing that can be a key: expected one word of ASCII")
    return key


def _failed(command: list[str], what: str) -> AccessDenied:
    return AccessDenied(
        f"api_key_command: `{command[0]}` {what}",
        hint="Try it in the shell that starts the run; everything that was answered is kept.",
    )


def _possible(key: str) -> bool:
    return key.isascii() and not any(char.isspace() or not char.isprintable() for char in key)
