"""A GGUF file in process: llama.cpp's own server on loopback, from a prebuilt wheel (`xllamacpp`).

The server batches concurrent requests by itself and obeys JSON schemas; it is asked like any other
server, with a key that only this process knows, since anybody on the machine can reach loopback.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from fnmatch import fnmatch
from importlib.util import find_spec
from pathlib import Path
from secrets import token_hex
from types import TracebackType
from typing import Any

from seedbed.errors import ConfigError
from seedbed.models.chat import ChatModel
from seedbed.models.local_files import content_digest
from seedbed.models.settings import ChatSettings
from seedbed.records import Completion, Request

PREFIX = "gguf/"
_MAGIC = b"GGUF"
_KEY = "SEEDBED_GGUF_KEY"
_HINT = (
    'Name a file, "gguf/model.gguf", or a file of a repository on the hub, '
    '"gguf/org/name:*Q4_K_M.gguf".'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GgufSettings:
    """How the server runs.

    Args:
        parallel: requests at once.
        context: the most tokens of prompt and answer together; memory is taken for `parallel`
            times as many.
        gpu: whether layers go to a GPU, where the wheel can use one.
        timeout: seconds for one answer.
    """

    parallel: int = 4
    context: int = 8192
    gpu: bool = True
    timeout: float = 600.0


class GgufModel:
    """A GGUF file that answers in this process, used inside `async with`.

    Args:
        source: a path, or `org/name:glob` on the hub; "gguf/" before it is allowed.
        settings: how it runs.
        home: what a relative path is relative to.

    Raises:
        ConfigError: there is no such file, or it is no GGUF. Entering the context raises it where
            `xllamacpp` is missing or cannot load the file.
    """

    def __init__(
        self, source: str, /, *, settings: GgufSettings | None = None, home: Path = Path()
    ) -> None:
        self._path = find_gguf(source, home=home)
        self._settings = settings or GgufSettings()
        self.name = name_of(self._path)
        self._stack = AsyncExitStack()
        self._server: Any = None
        self._chat: ChatModel | None = None

    async def __aenter__(self) -> GgufModel:
        key = token_hex(32)
        self._server = await asyncio.to_thread(_serve, self._path, self._settings, key)
        settings = ChatSettings(
            model=self.name,
            base_url=f"{self._server.listening_address}/v1",
            api_key_env=_KEY,
            json_schema=True,
            seed_from_draw=True,
            timeout=self._settings.timeout,
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
        await self._stack.aclose()
        held, self._server, self._chat = [self._server], None, None
        await asyncio.to_thread(held.clear)  # it ends its threads then, which takes a moment

    async def complete(self, request: Request, /) -> Completion:
        """Answer one request, as `ChatModel` does."""
        if self._chat is None:
            raise RuntimeError("GgufModel is used outside of `async with`")
        return await self._chat.complete(request)


def find_gguf(source: str, *, home: Path = Path()) -> Path:
    """The file that a text names, fetched from the hub if it has to be.

    Raises:
        ConfigError: there is none, or it is no GGUF.
    """
    text = source.removeprefix(PREFIX)
    path = home / Path(text).expanduser()
    if not path.is_file():
        if ":" not in text:
            raise ConfigError(f"{text}: no such file", hint=_HINT)
        path = _from_hub(*text.split(":", 1))
    try:
        with path.open("rb") as file:
            magic = file.read(len(_MAGIC))
    except OSError as error:
        raise ConfigError(f"{text}: cannot be read: {error}") from error
    # llama.cpp itself may take the process down with a file that is none.
    if magic != _MAGIC:
        raise ConfigError(f"{text}: not a GGUF file", hint=_HINT)
    return path


def name_of(path: Path) -> str:
    """What the journal calls the file: its name, and 8 digits of its content's digest."""
    return f"{PREFIX}{path.stem}@{content_digest(path)[:8]}"


def check_installed() -> None:
    """Whether the wheel is there.

    Raises:
        ConfigError: it is not.
    """
    if not find_spec("xllamacpp"):
        raise ConfigError(
            "a GGUF file in process needs llama.cpp, which is not installed",
            hint="pip install 'seedbed[gguf]'; or start llama-server and give its `base_url`.",
        )


def _from_hub(repository: str, pattern: str) -> Path:
    from huggingface_hub import hf_hub_download, list_repo_files
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    try:
        files = [name for name in list_repo_files(repository) if fnmatch(name, pattern)]
        if len(files) != 1:
            raise ConfigError(
                f"{repository}: {len(files)} files are like {pattern!r}; expected one", hint=_HINT
            )
        return Path(hf_hub_download(repository, files[0]))
    except (HFValidationError, HfHubHTTPError, OSError) as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ConfigError(f"{repository}: the hub does not give it: {first}", hint=_HINT) from error


def _serve(path: Path, settings: GgufSettings, key: str) -> Any:
    """llama.cpp's server, listening on a free port of loopback.

    Raises:
        ConfigError: it is not installed, or does not load the file.
    """
    check_installed()
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [key]
    params.n_parallel = settings.parallel
    params.n_ctx = settings.parallel * settings.context
    params.n_gpu_layers = params.n_gpu_layers if settings.gpu else 0
    params.verbosity = 1  # errors only: the terminal is the progress line's
    try:
        return xllamacpp.Server(params)
    except (RuntimeError, ValueError) as error:
        raise ConfigError(
            f"{path.name}: llama.cpp cannot load it: {error}",
            hint="Is the file whole, and of an architecture that this version knows?",
        ) from error
