"""A Hugging Face model in process: a checkpoint's folder or a hub id, asked like any other model.

Concurrent calls are collected and run in batches of like length, in a thread of their own, so that
the event loop goes on. Sampling is what the request says and nothing else: the checkpoint's
`generation_config` can only add tokens that end an answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal

from seedbed.errors import Stopped
from seedbed.models.batching import Waiting
from seedbed.models.local_files import find_checkpoint, missing_extra
from seedbed.records import Completion, Request

if TYPE_CHECKING:
    from seedbed.models.loading import Loaded
    from seedbed.models.rows import Row

Device = Literal["auto", "cuda", "mps", "cpu"]
Dtype = Literal["auto", "float32", "bfloat16"]

_GATHER = 0.005
"""Seconds without a new request after which those that wait are run."""


_SHARE = 8
"""Requests join a batch once there is one of them for every so many that are under way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalSettings:
    """How a model runs in process; nothing here is meant to change an answer but by rounding.

    Args:
        device: "auto" takes CUDA, then Apple's MPS, then the CPU.
        dtype: "auto" takes bfloat16 on a GPU that has it, and on a CPU that has it if the model is
            large and was saved so; else float32.
        rows: the most requests in one batch.
        cache_gib: memory for keys and values of a batch at its longest; 0 takes half of what is
            free on a GPU, else 2 GiB.
    """

    device: Device = "auto"
    dtype: Dtype = "auto"
    rows: int = 64
    cache_gib: float = 0.0


@dataclass(slots=True, eq=False)
class _Job:
    row: Row
    answer: asyncio.Future[Completion]


class LocalModel:
    """A checkpoint that answers in this process, used inside `async with`.

    Args:
        source: a folder in Hugging Face's layout, or a hub id; "hf/" before it is allowed.
        settings: where and how it runs.
        home: what a relative path is relative to.

    Raises:
        ConfigError: there is no such checkpoint. Entering the context raises it where torch is
            missing, the weights cannot be loaded, or the chat template is missing or is not the
            one that the checkpoint was tuned with.
    """

    def __init__(
        self,
        source: str | Path,
        /,
        *,
        settings: LocalSettings | None = None,
        home: Path = Path(),
    ) -> None:
        self._checkpoint = find_checkpoint(source, home=home)
        self._settings = settings or LocalSettings()
        self.name = self._checkpoint.name
        self._waiting: Waiting[_Job] = Waiting(_longest, _wanted)
        self._running: list[_Job] = []
        self._came = asyncio.Event()
        self._loaded: Loaded | None = None
        self._server: asyncio.Task[None] | None = None
        self._thread: ThreadPoolExecutor | None = None

    async def __aenter__(self) -> LocalModel:
        try:
            from seedbed.models.loading import load
        except ImportError as error:
            raise missing_extra() from error
        loop = asyncio.get_running_loop()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="seedbed-local")
        try:
            self._loaded = await loop.run_in_executor(
                self._thread, load, self._checkpoint.folder, self._settings
            )
        except BaseException:
            self._thread.shutdown()
            raise
        self._server = asyncio.create_task(self._serve(self._thread, self._loaded))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Give up what still runs, within one token, and free the memory."""
        self.stop()
        for job in self._running:
            job.row.abandoned = True
        if self._server is not None:
            self._server.cancel()
            await asyncio.gather(self._server, return_exceptions=True)
        if self._thread is not None:
            await asyncio.to_thread(self._thread.shutdown)
        _refuse(self._running)
        if self._loaded is not None:
            self._loaded.free()
        self._loaded = self._server = self._thread = None

    @property
    def said(self) -> str:
        """Nothing: answers come all the time."""
        return ""

    def stop(self) -> None:
        """Begin nothing more; the batch that runs comes to its end."""
        _refuse(self._waiting.clear())

    async def complete(self, request: Request, /) -> Completion:
        """Answer one request, together with those that wait beside it.

        `schema` is not enforced.

        Raises:
            RequestRejected: the prompt does not fit, or the chat template refuses it.
            Stopped: the model was closed before the answer was written.
        """
        if self._loaded is None:
            raise RuntimeError("LocalModel is used outside of `async with`")
        row = self._loaded.row(request)
        job = _Job(row, asyncio.get_running_loop().create_future())
        self._waiting.add(job)
        self._came.set()
        try:
            return await job.answer
        finally:
            row.abandoned = row.reason is None

    async def _serve(self, thread: ThreadPoolExecutor, loaded: Loaded) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._gathered()
            if not (jobs := self._waiting.take(loaded.room)):
                continue
            self._running = jobs
            work = loop.run_in_executor(thread, self._run, loaded, loop)
            await asyncio.wait([work])
            if (problem := work.exception()) is not None:
                for job in self._running:
                    if not job.answer.done():
                        job.answer.set_exception(problem)
            self._running = []

    def _run(self, loaded: Loaded, loop: asyncio.AbstractEventLoop) -> None:
        """One batch and all that joins it on its way; in the thread."""
        answers = {job.row: job.answer for job in self._running}

        def done(row: Row) -> None:
            loop.call_soon_threadsafe(_answer, answers[row], row.completion())

        def more(going: Sequence[Row]) -> list[Row]:
            # A few are not worth the copy that their joining takes.
            if _SHARE * len(self._waiting) < len(going):
                return []
            longest = max(row.longest for row in going)
            jobs = self._waiting.take(loaded.room, beside=len(going), longest=longest)
            self._running.extend(jobs)
            answers.update((job.row, job.answer) for job in jobs)
            return [job.row for job in jobs]

        loaded.decoder.decode([job.row for job in self._running], done, more)

    async def _gathered(self) -> None:
        """Wait for requests, and on until no more of them come at once."""
        if not self._waiting:
            self._came.clear()
            await self._came.wait()
        count = 0
        while count != len(self._waiting):
            count = len(self._waiting)
            await asyncio.sleep(_GATHER)


def _longest(job: _Job) -> int:
    return job.row.longest


def _wanted(job: _Job) -> bool:
    return not job.row.abandoned


def _answer(answer: asyncio.Future[Completion], completion: Completion) -> None:
    if not answer.done():
        answer.set_result(completion)


def _refuse(jobs: Iterable[_Job]) -> None:
    for job in jobs:
        if not job.answer.done():
            job.answer.set_exception(Stopped("the run is ending; this request was not answered"))
