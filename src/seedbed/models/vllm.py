"""A checkpoint that vLLM answers for: its own server, started here on loopback when first asked.

Why the server and not vLLM's Python classes: the arguments of `vllm serve` have stayed while the
classes changed from version to version, and vLLM pins the versions of much else, so that it often
lives in an environment of its own. All that is needed of it is the command `vllm`.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import socket
import sys
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
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
from seedbed.records import Completion, Request

PREFIX = "vllm/"
_KEY = "VLLM_API_KEY"
_POLL = 0.2
"""Seconds between two looks at whether it listens."""

_LOOK = aiohttp.ClientTimeout(total=5.0)
_LONGEST = 500
"""Characters of what vLLM says that are shown."""

_OURS = {
    *("--host", "--port", "--uds", "--api-key", "--served-model-name", "--model"),
    *("--max-num-seqs", "--max-model-len", "--dtype", "--tensor-parallel-size", "-tp"),
    *("--kv-cache-memory-bytes", "--generation-config"),
}
"""Arguments that other settings say, or that this needs as they are."""

_QUIET = {"VLLM_NO_USAGE_STATS": "1", "HF_HUB_OFFLINE": "1"}
"""It reports nothing to anybody, and looks nothing up: the files are here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VllmSettings:
    """How vLLM runs.

    Args:
        rows: requests that it writes at once; more wait in its queue.
        context: the most tokens of prompt and answer together; None: what the model allows.
        dtype: of the weights; "auto" leaves it to vLLM.
        gpus: over how many the model is spread (tensor parallelism).
        cache_gib: memory for keys and values, on each GPU; 0: what vLLM finds free.
        options: more arguments of `vllm serve`; part of the model's name, since they may change
            answers.
        timeout: seconds for one answer.

    Raises:
        ConfigError: an option that another setting says.
    """

    rows: int = 256
    context: int | None = None
    dtype: str = "auto"
    gpus: int = 1
    cache_gib: float = 0.0
    options: tuple[str, ...] = ()
    timeout: float = 600.0

    def __post_init__(self) -> None:
        for option in self.options:
            if (name := option.partition("=")[0].replace("_", "-")) in _OURS:
                raise ConfigError(
                    f"options: {name} is set by Seedbed",
                    hint="Use rows, context, dtype, gpus or cache_gib, or serve the model "
                    "yourself and give its `base_url`.",
                )

    @property
    def arguments(self) -> list[str]:
        """For `vllm serve`. Sampling is what a request says and nothing else."""
        told = ["--generation-config", "vllm", "--max-num-seqs", str(self.rows)]
        told += ["--max-model-len", str(self.context)] if self.context else []
        told += ["--dtype", self.dtype] if self.dtype != "auto" else []
        told += ["--tensor-parallel-size", str(self.gpus)] if self.gpus > 1 else []
        size = int(self.cache_gib * 2**30)
        told += ["--kv-cache-memory-bytes", str(size)] if size else []
        return [*told, *self.options]


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
        checkpoint = find_vllm(str(source), home=home)
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
        self._answered = False
        self._stopped = False

    async def __aenter__(self) -> VllmModel:
        check_template(self._folder, template_in(self._folder))
        key, port = token_hex(32), _free_port()
        self._address = f"http://127.0.0.1:{port}/v1"
        serve = [check_installed(), "serve", str(self._folder.resolve())]
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
        if self._starting is not None:
            await asyncio.gather(self._starting, return_exceptions=True)
        if self._server is not None:
            await self._server.stop()
        await self._stack.aclose()
        self._chat = self._server = None

    @property
    def said(self) -> str:
        """That it is loading the model, and for how long; empty once it answers."""
        if self._starting is None:
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
            ModelError: it ended before it answered anything.
            Stopped: the run ended while the model was being loaded.
        """
        if self._chat is None:
            raise RuntimeError("VllmModel is used outside of `async with`")
        if self._starting is not None or self._server is None or self._server.ended:
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
                    f"{self.name}: vLLM ended before it had answered: {_reason(self._server)}",
                    hint="Try `vllm serve` with the model by itself, and one request.",
                )
            self._since = time.monotonic()
            self._starting = asyncio.create_task(self._start())
        starting = self._starting
        try:
            await asyncio.shield(starting)
        except asyncio.CancelledError:
            if starting.cancelled():
                raise _stopped() from None
            raise
        finally:
            if starting.done():
                self._starting = None

    async def _start(self) -> None:
        """Load the model, however long that takes.

        Raises:
            ConfigError: the server ended instead.
        """
        self._answered = False
        self._server = server = TiedProcess(self._command, self._environ)
        await server.start()
        while not await self._listens():
            if server.ended:
                raise ConfigError(
                    f"{self.name}: vLLM cannot serve it: {_reason(server)}",
                    hint="Try it by itself: " + " ".join(["vllm", *self._command[1:3]]),
                )
            await asyncio.sleep(_POLL)

    async def _listens(self) -> bool:
        """Whether it is there; whoever else has the port neither knows the key nor the name."""
        headers = {"Authorization": f"Bearer {self._environ[_KEY]}"}
        try:
            async with (
                aiohttp.ClientSession(timeout=_LOOK, headers=headers) as session,
                session.get(f"{self._address}/models") as response,
            ):
                return response.status == 200 and self.name in await response.text()
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False


def find_vllm(source: str, *, home: Path = Path()) -> Checkpoint:
    """The checkpoint that a text names, as `find_checkpoint` finds it."""
    return find_checkpoint(source.removeprefix(PREFIX), home=home)


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


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _stopped() -> Stopped:
    return Stopped("the run is ending; the model was still being loaded")


_CAUSE = re.compile(r"\b(\w*(?:Error|Exception)): (.+)")
_ELSEWHERE = re.compile(r"root cause|EngineDead|\b(?:INFO|WARNING)\b", re.IGNORECASE)
"""Lines that name an error and are not the reason."""


def _reason(server: TiedProcess) -> str:
    """Why it ended: the first error in what it wrote last, or its last line."""
    lines = [line for line in server.lines if line.strip()]
    for line in lines:
        if (cause := _CAUSE.search(line)) and not _ELSEWHERE.search(line):
            return f"{cause[1]}: {cause[2].strip()}"[:_LONGEST]
    return lines[-1].strip()[:_LONGEST] if lines else "it said nothing"
