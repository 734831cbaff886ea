"""A provider's batch API as a model: requests wait for each other, go up together, and come back
within a day at half the price.

What is sent is written into the journal before anything else is done with it: a run that was
killed finds its batches there, asks how they are, and pays nothing twice. A batch that was made in
the very moment of the crash, before its id could be written down, is found by its mark in the
server's own list.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from types import TracebackType

from seedbed.errors import (
    ModelError,
    Stopped,
    Transient,
)
from seedbed.journal import Journal
from seedbed.models.batch_api import OVER, BatchApi
from seedbed.models.batch_results import Job, OpenBatch, fail, read_result
from seedbed.models.journaled import KIND
from seedbed.records import JSON, Completion, Request, digest

BATCH = "batch"
"""The journal's kind: question [model, keys of its requests, repeat], answer the batch's id."""

_PATIENCE = 60
"""Failures in a row of looking after a batch, some minutes apart in the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchSettings:
    """How batches are made.

    Args:
        requests: the most requests in one batch (OpenAI allows 50,000).
        gather: seconds without a new request after which those that wait are sent.
        poll: seconds between the first two looks at a batch; each further wait is half as long
            again, up to `longest_poll`.
        window: what the provider is given, in its own words.
    """

    requests: int = 10_000
    gather: float = 2.0
    poll: float = 5.0
    longest_poll: float = 60.0
    window: str = "24h"


class BatchModel:
    """Answers through batches, used inside `async with`; it announces what it sends by itself.

    Args:
        api: the server's batch endpoints.
        journal: where batch ids are kept.
        name: as the journal calls the model.
        body: what a request's line holds.
        settings: how batches are made.
    """

    def __init__(
        self,
        api: BatchApi,
        /,
        *,
        journal: Journal,
        name: str,
        body: Callable[[Request], bytes],
        settings: BatchSettings | None = None,
    ) -> None:
        self.name = name
        self._api = api
        self._journal = journal
        self._body = body
        self._settings = settings or BatchSettings()
        self._waiting: list[Job] = []
        self._came = asyncio.Event()
        self._open: dict[str, OpenBatch] = {}
        self._sent: dict[str, str] = {}
        self._times: dict[str, int] = {}
        self._stopped = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Task[None] | None = None

    async def __aenter__(self) -> BatchModel:
        await self._remember()
        self._server = asyncio.create_task(self._serve())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
        tasks = [*self._tasks, *([self._server] if self._server else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def said(self) -> str:
        """How the batches are, in a few words; empty where there is none."""
        held = [batch for batch in self._open.values() if batch.jobs]
        if not held:
            return ""
        requests = sum(len(batch.jobs) for batch in held)
        done = sum(batch.seen.done for batch in held if batch.seen)
        return f"waiting for {len(held)} batches of {requests:,} requests ({done:,} done there)"

    def stop(self) -> None:
        """Send nothing more, and wait for nothing: what is sent is found again by the next run."""
        self._stopped = True
        for job in self._waiting:
            fail(job, Stopped("the run is ending; this request was not sent"))
        self._waiting.clear()
        for batch in self._open.values():
            for job in batch.jobs:
                fail(job, Stopped("the run is ending; the next one waits on", maybe_paid=True))

    async def complete(self, request: Request, /) -> Completion:
        """Answer one request in a batch, or from one that an earlier session sent.

        Raises:
            Stopped: the run ends. What was sent may be paid, and is waited for by the next run.
            RequestRejected: the provider would not take this request.
            Transient: the batch expired, failed or lost this request; nothing was paid for it.
        """
        if self._stopped:
            raise Stopped("the run is ending; this request was not sent")
        question = [self.name, request.to_json()]
        job = Job(digest(KIND, question), request, asyncio.get_running_loop().create_future())
        if (known := self._sent.get(job.key)) is not None:
            self._watch(self._open[known], [job])
            try:
                return await job.answer
            except ModelError as error:
                if not error.maybe_paid:
                    await self._journal.withdraw(KIND, question)
                raise
        async with self._journal.announced(KIND, question):
            self._waiting.append(job)
            self._came.set()
            return await job.answer

    async def _remember(self) -> None:
        """Batches of earlier sessions; one that was in the making is looked for at the server."""
        for doubt in self._journal.in_doubt(BATCH):
            if doubt.question[0] != self.name:
                continue
            if found := await self._api.find(doubt.key):
                await self._journal.once(
                    BATCH, doubt.question, _known(found.id), announces=True, free=True
                )
            else:
                await self._journal.withdraw(BATCH, doubt.question)
        for entry in self._journal.entries(BATCH):
            if entry.question[0] == self.name:
                self._note(entry.answer, entry.question[1])

    def _note(self, name: str, keys: Sequence[str]) -> OpenBatch:
        """A batch that is at the server; later ones hold for a request that is in several."""
        batch = self._open[name] = OpenBatch(name, {key: line for line, key in enumerate(keys, 1)})
        for key in keys:
            self._sent[key] = name
            self._times[key] = self._times.get(key, 0) + 1
        return batch

    async def _serve(self) -> None:
        """Gather what waits, and send it."""
        while True:
            await self._came.wait()
            count = -1
            while count != len(self._waiting) < self._settings.requests:
                count = len(self._waiting)
                await asyncio.sleep(self._settings.gather)
            jobs = self._waiting[: self._settings.requests]
            del self._waiting[: len(jobs)]
            if not self._waiting:
                self._came.clear()
            if jobs := [job for job in jobs if not job.answer.done()]:
                self._start(self._send(jobs), jobs)

    async def _send(self, jobs: Sequence[Job]) -> None:
        keys = [job.key for job in jobs]
        question = [self.name, keys, max(self._times.get(key, 0) for key in keys)]
        mark = digest(BATCH, question)

        async def make() -> JSON:
            file = await self._api.upload([self._line(job) for job in jobs])
            return (await self._api.create(file, mark=mark, window=self._settings.window)).id

        batch = self._note(await self._journal.once(BATCH, question, make, free=True), keys)
        self._watch(batch, jobs)

    def _line(self, job: Job) -> bytes:
        line = {
            "custom_id": job.key,
            "method": "POST",
            "url": "/v1/chat/completions",
            "body": json.loads(self._body(job.request)),
        }
        return json.dumps(line).encode()

    def _watch(self, batch: OpenBatch, jobs: Sequence[Job]) -> None:
        """Wait for a batch with these jobs; one watcher serves all of them."""
        if batch.results is not None:
            for job in jobs:
                self._settle(job, batch)
            return
        batch.jobs.extend(jobs)
        if not batch.watched:
            batch.watched = True
            self._start(self._await(batch), batch.jobs)

    def _start(self, work: Coroutine[object, object, None], jobs: Sequence[Job]) -> None:
        """Work in a task of its own; what goes wrong with it goes wrong with the jobs."""
        task = asyncio.create_task(work)
        self._tasks.add(task)

        def ended(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            problem = None if task.cancelled() else task.exception()
            if problem is not None:
                for job in jobs:
                    fail(job, problem)

        task.add_done_callback(ended)

    async def _await(self, batch: OpenBatch) -> None:
        """Look until the batch is over, then hand out what it brought."""
        wait, failures = self._settings.poll, 0
        while batch.seen is None or batch.seen.status not in OVER:
            try:
                batch.seen = await self._api.look(batch.id)
                failures = 0
            except Transient:
                failures += 1
                if failures >= _PATIENCE:
                    batch.watched = False
                    raise
            if batch.seen is None or batch.seen.status not in OVER:
                await asyncio.sleep(wait)
                wait = min(1.5 * wait, self._settings.longest_poll)
        results: dict[str, JSON] = {}
        for file in filter(None, (batch.seen.output, batch.seen.errors)):
            results |= {str(line.get("custom_id")): line for line in await self._api.lines(file)}
        batch.results = results
        for job in batch.jobs:
            self._settle(job, batch)
        batch.jobs.clear()

    def _settle(self, job: Job, batch: OpenBatch) -> None:
        try:
            completion = read_result(batch, job)
        except ModelError as error:
            # Not from this batch again: the next try goes into a new one.
            self._sent.pop(job.key, None)
            fail(job, error)
        else:
            if not job.answer.done():
                job.answer.set_result(completion)


def _known(name: str) -> Callable[[], Awaitable[JSON]]:
    async def effect() -> JSON:
        return name

    return effect
