"""A checkpoint that vLLM answers for: its own server, started here on loopback when first asked.

Why the server and not vLLM's Python classes: the arguments of `vllm serve` have stayed while the
classes changed from version to version, and vLLM pins the versions of much else, so that it often
lives in an environment of its own. All that is needed of it is the command `vllm`.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from secrets import token_hex
from types import TracebackType

import aiohttp

from seedbed.errors import ConfigError, ModelError, Stopped
from seedbed.models.chat import ChatModel
from seedbed.models.local_files import PREFIX as HF
from seedbed.models.local_files import Checkpoint, check_template, find_checkpoint, template_in
from seedbed.models.settings import ChatSettings
from seedbed.models.tied import TiedProcess
from seedbed.models.vllm_settings import VllmSettings
from seedbed.records import JSON, Completion, Request

PREFIX = "vllm/"
_KEY = "VLLM_API_KEY"
_POLL = 0.2
"""Seconds between two looks at whether it listens."""

_LOOK = aiohttp.ClientTimeout(total=5.0)
_LONGEST = 500
"""Characters of what vLLM says that are shown."""

_QUIET = {"VLLM_NO_USAGE_STATS": "1", "HF_HUB_OFFLINE": "1"}
"""It reports nothing to anybody, and looks nothing up: the files are here."""


class VllmModel:
    """A checkpoint behind a vLLM server of its own, used inside `async with`.

    The server starts with the first request, so that a run whose answers are all in the journal
    does not wait for it. Should it end on the way, it is started again, if it had answered before.

    Args:
        source: a folder in Hugging Face's layout, or a hub id; "vllm/" before it is allowed.
        settings: how it runs.
        home: what a relative path is relative to.

    Raises:
        ConfigError: there is no such checkpoint. Entering the context raises it where vLLM is not
            installed, or the chat template is missing or is not the one of the training.
    """

    def __init__(
        self, source: str | Path, /, *, settings: VllmSettings | None = None, home: Path = Path()
    ) -> None:
        checkpoint = find_checkpoint(str(source).removeprefix(PREFIX), home=home)
        self._settings = settings or VllmSettings()
        self._folder = checkpoint.folder
        self.name = name_of(checkpoint, self._settings.options)
        self._stack = AsyncExitStack()
        self._chat: ChatModel | None = None
        self._server: TiedProcess | None = None
        self._address = ""
        self._command: list[str] = []
        self._environ: dict[str, str] = {}
        self._starting: asyncio.Task[None] | None = None
        self._since = 0.0
        self._listens = False
        self._answered = False
        self._stopped = False

    async def __aenter__(self) -> VllmModel:
        check_template(self._folder, template_in(self._folder))
        serve = [check_installed(), "serve", str(self._folder.resolve())]
        key = token_hex(32)
        port = self._stack.enter_context(held_port())
        self._address = f"http://127.0.0.1:{port}/v1"
        place = ["--host", "127.0.0.1", "--port", str(port), "--served-model-name", self.name]
        self._command = [*serve, *place, *self._settings.arguments]
        self._environ = os.environ | _QUIET | {_KEY: key}
        settings = ChatSettings(
            model=self.name,
            base_url=self._address,
            api_key_env=_KEY,
            json_schema=True,
            seed_from_draw=True,
            timeout=self._settings.timeout,
            max_connections=10_000,
        )
        chat = ChatModel(settings, environ={_KEY: key})
        self._chat = await self._stack.enter_async_context(chat)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
        async with self._stack:  # also where this is cancelled, by one who wants to leave at once
            self._stack.push_async_callback(self._end)
            if self._starting is not None:
                await asyncio.gather(self._starting, return_exceptions=True)
        self._chat = None

    async def _end(self) -> None:
        if self._server is not None:
            await self._server.stop()

    @property
    def said(self) -> str:
        """That it is loading the model, and for how long; empty once it answers."""
        if self._starting is None or self._starting.done():
            return ""
        return f"vLLM is loading the model ({time.monotonic() - self._since:.0f} s)"

    def stop(self) -> None:
        """Do not begin to load it any more; what is being written comes to its end."""
        self._stopped = True
        if self._starting is not None:
            self._starting.cancel()

    async def complete(self, request: Request, /) -> Completion:
        """Answer one request, as `ChatModel` does.

        Raises:
            ConfigError: vLLM cannot load the model.
            ModelError: it ended before it answered anything, or could not be started again.
            Stopped: the run ended while the model was being loaded.
        """
        if self._chat is None:
            raise RuntimeError("VllmModel is used outside of `async with`")
        if not self._listens or self._server is None or self._server.ended:
            await self._started()
        completion = await self._chat.complete(request)
        self._answered = True
        return completion

    async def _started(self) -> None:
        if self._stopped:
            raise _stopped()
        if self._starting is None:
            if self._server is not None and not self._answered:
                raise ModelError(
                    f"{self.name}: vLLM ended before it had answered: {self._reason(self._server)}",
                    hint="Try `vllm serve` with the model by itself, and one request.",
                )
            self._since = time.monotonic()
            self._starting = asyncio.create_task(self._start())
        starting = self._starting
        await asyncio.wait([starting])
        if self._starting is starting:
            self._starting = None
        if starting.cancelled():
            raise _stopped()
        starting.result()

    async def _start(self) -> None:
        """Load the model, however long that takes.

        Raises:
            ConfigError: the server ended instead.
        """
        self._listens = self._answered = False
        self._server = server = TiedProcess(self._command, self._environ)
        try:
            await server.start()
        except OSError as error:
            self._server = None
            raise ModelError(
                f"{self.name}: vLLM cannot be started: {error.strerror or error}",
                hint="Is a limit of processes or open files reached (`ulimit -a`)? The same "
                "command goes on where this one stopped.",
            ) from error
        while not await self._lists_the_model():
            if server.ended:
                raise ConfigError(
                    f"{self.name}: vLLM cannot serve it: {self._reason(server)}",
                    hint="Try it by itself: " + " ".join(["vllm", *self._command[1:3]]),
                )
            await asyncio.sleep(_POLL)
        self._listens = True

    async def _lists_the_model(self) -> bool:
        """Whether it is there; whoever else has the port neither knows the key nor the name."""
        headers = {"Authorization": f"Bearer {self._environ[_KEY]}"}
        try:
            async with (
                aiohttp.ClientSession(timeout=_LOOK, headers=headers) as session,
                session.get(f"{self._address}/models") as response,
            ):
                return response.status == 200 and self.name in _listed(await response.text())
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False

    def _reason(self, server: TiedProcess) -> str:
        return _cause([line.replace(self._environ[_KEY], "[key]") for line in server.lines])


def name_of(checkpoint: Checkpoint, options: Sequence[str] = ()) -> str:
    """What the journal calls it: the folder and its fingerprint, and the options."""
    return " ".join([PREFIX + checkpoint.name.removeprefix(HF), *options])


def check_installed() -> str:
    """The path of the command `vllm`: beside this Python, else on the PATH.

    Raises:
        ConfigError: there is none.
    """
    places = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    if found := shutil.which("vllm", path=places):
        return found
    raise ConfigError(
        "the command `vllm` is not on the PATH",
        hint="Install vLLM, best in an environment of its own, and put its bin folder on the "
        "PATH; or serve the model elsewhere and give its `base_url`.",
    )


@contextmanager
def held_port() -> Iterator[int]:
    """A free port of loopback. It stays bound here, so that nobody is given it until the server
    listens on it, which may be hours later; who asks for it by number and means to share it can."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        yield int(held.getsockname()[1])


def _listed(text: str) -> list[str]:
    """The names in a server's list of models; none where it is no such list."""
    try:
        content: JSON = json.loads(text)
    except ValueError:
        return []
    models = content.get("data") if isinstance(content, dict) else None
    rows = models if isinstance(models, list) else []
    return [str(row.get("id")) for row in rows if isinstance(row, dict)]


def _stopped() -> Stopped:
    return Stopped("the run is ending; the model was still being loaded")


_CAUSE = re.compile(r"\b(\w*(?:Error|Exception)): (.+)")
_ELSEWHERE = re.compile(r"root cause|EngineDead|\b(?:INFO|WARNING)\b")
"""Lines that name an error and are not the reason."""


def _cause(lines: Sequence[str]) -> str:
    """Why it ended: the first error in what it wrote last, or its last line."""
    said = [line for line in lines if line.strip()]
    for line in said:
        if (cause := _CAUSE.search(line)) and not _ELSEWHERE.search(line):
            return f"{cause[1]}: {cause[2].strip()}"[:_LONGEST]
    return said[-1].strip()[:_LONGEST] if said else "it said nothing"
