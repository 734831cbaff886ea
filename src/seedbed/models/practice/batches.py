"""The batch protocol from the server's side: files, batches, and what can go wrong with them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import count

from aiohttp import web

from seedbed.models.practice.wire import error_body
from seedbed.records import JSON

Answer = Callable[[bytes], Awaitable[tuple[int, JSON]]]
"""The body of a chat request to the status and the body of its answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchFaults:
    """How batches go.

    seconds: how long one takes. expire_after: the first `expiring` batches end as expired after so
    many of their requests. failing: so many first batches fail as a whole, at their validation.
    lost_lines: the last so many results of each of the first two batches are in no file.
    broken_lines: the first so many results of a batch come as errors (HTTP 500) the first time
    that they are asked for.
    """

    seconds: float = 0.0
    expiring: int = 0
    expire_after: int = 0
    failing: int = 0
    lost_lines: int = 0
    broken_lines: int = 0


NO_BATCH_FAULTS = BatchFaults()


@dataclass(slots=True, kw_only=True)
class _Made:
    id: str
    metadata: JSON
    file: str
    status: str = "validating"
    output: str | None = None
    errors: str | None = None
    problems: list[JSON] = field(default_factory=list)
    counts: dict[str, int] = field(
        default_factory=lambda: {"total": 0, "completed": 0, "failed": 0}
    )

    def body(self) -> dict[str, JSON]:
        return {
            "id": self.id,
            "object": "batch",
            "endpoint": "/v1/chat/completions",
            "status": self.status,
            "input_file_id": self.file,
            "output_file_id": self.output,
            "error_file_id": self.errors,
            "errors": {"object": "list", "data": self.problems} if self.problems else None,
            "request_counts": self.counts,
            "metadata": self.metadata,
        }


class PracticeBatches:
    """Files and batches in memory; each request of a batch is answered as if it came alone."""

    def __init__(
        self,
        answer: Answer,
        faults: BatchFaults = NO_BATCH_FAULTS,
        *,
        denied: Callable[[web.Request], web.Response | None],
    ) -> None:
        self._answer = answer
        self._denied = denied
        self._faults = faults
        self._files: dict[str, bytes] = {}
        self._batches: dict[str, _Made] = {}
        self._numbers = count(1)
        self._broken: set[str] = set()
        self._work: set[asyncio.Task[None]] = set()

    def routes(self, app: web.Application) -> None:
        app.router.add_post("/v1/files", self.upload)
        app.router.add_get("/v1/files/{id}/content", self.content)
        app.router.add_post("/v1/batches", self.create)
        app.router.add_get("/v1/batches", self.listed)
        app.router.add_get("/v1/batches/{id}", self.look)
        app.router.add_post("/v1/batches/{id}/cancel", self.cancel)

    async def upload(self, request: web.Request) -> web.Response:
        if refused := self._denied(request):
            return refused
        form = await request.post()
        sent = form.get("file")
        if form.get("purpose") != "batch" or not isinstance(sent, web.FileField):
            return _problem(400, "expected purpose=batch and a file")
        name = self._put(sent.file.read())
        return web.json_response({"id": name, "object": "file", "purpose": "batch"})

    async def content(self, request: web.Request) -> web.Response:
        if refused := self._denied(request):
            return refused
        found = self._files.get(request.match_info["id"])
        return _problem(404, "No such file.") if found is None else web.Response(body=found)

    async def create(self, request: web.Request) -> web.Response:
        if refused := self._denied(request):
            return refused
        asked = await request.json()
        if asked.get("input_file_id") not in self._files:
            return _problem(400, "input_file_id: no such file")
        number = next(self._numbers)
        made = _Made(
            id=f"batch_{number}", metadata=asked.get("metadata"), file=asked["input_file_id"]
        )
        self._batches[made.id] = made
        task = asyncio.create_task(self._run(made, number))
        self._work.add(task)
        task.add_done_callback(self._work.discard)
        return web.json_response(made.body())

    async def listed(self, request: web.Request) -> web.Response:
        if refused := self._denied(request):
            return refused
        newest = [made.body() for made in reversed(self._batches.values())]
        return web.json_response({"object": "list", "data": newest[:100], "has_more": False})

    async def look(self, request: web.Request) -> web.Response:
        if refused := self._denied(request):
            return refused
        made = self._batches.get(request.match_info["id"])
        return _problem(404, "No such batch.") if made is None else web.json_response(made.body())

    async def cancel(self, request: web.Request) -> web.Response:
        if refused := self._denied(request):
            return refused
        made = self._batches.get(request.match_info["id"])
        if made is None:
            return _problem(404, "No such batch.")
        made.status = "cancelled" if made.status in ("validating", "in_progress") else made.status
        return web.json_response(made.body())

    def _put(self, content: bytes) -> str:
        name = f"file-{next(self._numbers)}"
        self._files[name] = content
        return name

    async def _run(self, made: _Made, number: int) -> None:
        faults = self._faults
        lines = [json.loads(line) for line in self._files[made.file].splitlines()]
        made.counts["total"] = len(lines)
        if len(self._batches) <= faults.failing:
            made.status = "failed"
            words = "Enqueued token limit reached."
            made.problems = [{"code": "token_limit_exceeded", "message": words, "line": None}]
            return
        made.status = "in_progress"
        await asyncio.sleep(faults.seconds)
        expires = len(self._batches) <= faults.failing + faults.expiring
        results: list[dict[str, JSON]] = []
        errors: list[dict[str, JSON]] = []
        for place, line in enumerate(lines):
            if made.status == "cancelled" or (expires and place >= faults.expire_after):
                late = {"code": "batch_expired", "message": "This request could not be executed."}
                errors.append({"custom_id": line["custom_id"], "response": None, "error": late})
                continue
            row = await self._result(line, broken=place < faults.broken_lines)
            (results if row["response"]["status_code"] == 200 else errors).append(row)
            made.counts["completed" if row["response"]["status_code"] == 200 else "failed"] += 1
        if faults.lost_lines and len(self._batches) <= 2:
            results = results[: -faults.lost_lines]
        made.output = self._put(_lines(results)) if results else None
        made.errors = self._put(_lines(errors)) if errors else None
        if made.status != "cancelled":
            made.status = "expired" if expires else "completed"

    async def _result(self, line: dict[str, JSON], *, broken: bool) -> dict[str, JSON]:
        key = line["custom_id"]
        if broken and key not in self._broken:
            self._broken.add(key)
            status, body = 500, error_body("Internal error.", "server_error")
        else:
            status, body = await self._answer(json.dumps(line["body"]).encode())
        response = {"status_code": status, "request_id": f"req-{key[:8]}", "body": body}
        return {"custom_id": key, "response": response, "error": None}


def _lines(rows: list[dict[str, JSON]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def _problem(status: int, words: str) -> web.Response:
    return web.json_response(error_body(words, "invalid_request_error"), status=status)
