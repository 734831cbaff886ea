"""OpenAI's batch protocol: a file of requests goes up, a batch is made of it, files come down.

POST /files    POST /batches    GET /batches/{id}    GET /batches    GET /files/{id}/content
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import aiohttp

from seedbed.errors import AccessDenied, Garbled, ModelError, TimedOut, Unreachable
from seedbed.models.credential import Credential
from seedbed.models.settings import ChatSettings
from seedbed.models.statuses import failure
from seedbed.records import JSON

OVER = frozenset({"completed", "failed", "expired", "cancelled"})
"""What a batch does not come back from."""

MARK = "seedbed"
"""The batch's metadata field that holds our own key, so that a batch whose id was lost is found."""

_LISTED = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A batch as the server describes it; `done` of `total` requests are answered or failed.

    `problems` are what was wrong with its file, each with the number of its line (from 1; 0 for
    none) and its code.
    """

    id: str
    status: str
    mark: str = ""
    output: str = ""
    errors: str = ""
    done: int = 0
    total: int = 0
    problems: tuple[tuple[int, str, str], ...] = ()


class BatchApi:
    """A server's batch endpoints, used inside `async with`.

    Args:
        settings: where the server is.
        credential: with the key, if the server wants one.
    """

    def __init__(
        self,
        settings: ChatSettings,
        *,
        credential: Credential,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._base = settings.url.removesuffix("/chat/completions")
        self._place = settings.host
        self._credential = credential
        self._timeout = aiohttp.ClientTimeout(
            total=settings.timeout, sock_connect=settings.connect_timeout
        )
        self._wall = wall
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> BatchApi:
        self._session = aiohttp.ClientSession(
            timeout=self._timeout, cookie_jar=aiohttp.DummyCookieJar()
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._session:
            await self._session.close()
            self._session = None

    async def upload(self, lines: Sequence[bytes]) -> str:
        """Send the requests, one a line; the id of the file."""
        content = b"\n".join(lines) + b"\n"
        return self._id(await self._json("POST", "/files", lambda: {"data": _form(content)}))

    async def create(self, file: str, *, mark: str, window: str) -> Batch:
        """Make a batch of a file; from here on it costs."""
        body = {
            "input_file_id": file,
            "endpoint": "/v1/chat/completions",
            "completion_window": window,
            "metadata": {MARK: mark},
        }
        return self._batch(await self._json("POST", "/batches", lambda: {"json": body}))

    async def look(self, name: str) -> Batch:
        return self._batch(await self._json("GET", f"/batches/{name}"))

    async def find(self, mark: str) -> Batch | None:
        """A batch of ours among the newest, whose id was lost in a crash."""
        content = await self._json("GET", f"/batches?limit={_LISTED}")
        rows = content.get("data") if isinstance(content, dict) else None
        batches = [self._batch(row) for row in rows or []]
        return next((batch for batch in batches if batch.mark == mark), None)

    async def lines(self, file: str) -> list[dict[str, JSON]]:
        """The lines of a result file; those that are no JSON objects are left out."""
        found: list[dict[str, JSON]] = []
        for line in (await self._ask("GET", f"/files/{file}/content")).splitlines():
            try:
                content = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(content, dict):
                found.append(content)
        return found

    async def _json(
        self, method: str, path: str, sent: Callable[[], dict[str, Any]] = dict
    ) -> JSON:
        body = await self._ask(method, path, sent)
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            raise Garbled(f"{self._place}{path}: an answer that is no JSON") from None

    async def _ask(
        self, method: str, path: str, sent: Callable[[], dict[str, Any]] = dict
    ) -> bytes:
        """Ask, and again with another key if this one is refused; `sent` makes what goes along."""
        key = self._credential.key
        try:
            return await self._ask_once(method, path, sent())
        except AccessDenied:
            if not await self._credential.renewed(key):
                raise
        return await self._ask_once(method, path, sent())

    async def _ask_once(self, method: str, path: str, sent: dict[str, Any]) -> bytes:
        if self._session is None:
            raise RuntimeError("BatchApi is used outside of `async with`")
        problem: ModelError
        try:
            async with self._session.request(
                method,
                self._base + path,
                headers=self._credential.headers,
                allow_redirects=False,
                **sent,
            ) as response:
                body = await response.read()
                if response.status == 200:
                    return body
                problem = failure(
                    response.status,
                    response.headers,
                    body,
                    place=self._place,
                    now=self._wall(),
                    keyed=bool(self._credential.key),
                )
        # Translated outside of the block: aiohttp's exceptions hold the headers with the key.
        except TimeoutError:
            problem = TimedOut(f"{self._place}{path}: no answer in time")
        except (aiohttp.ClientError, OSError) as error:
            problem = Unreachable(f"{self._place}{path}: {type(error).__name__}")
        raise problem

    def _id(self, content: JSON) -> str:
        found = content.get("id") if isinstance(content, dict) else None
        if not isinstance(found, str) or not found:
            raise Garbled(f"{self._place}: expected something with an id")
        return found

    def _batch(self, content: JSON) -> Batch:
        name = self._id(content)
        counts, metadata = content.get("request_counts"), content.get("metadata")
        counts = counts if isinstance(counts, dict) else {}
        return Batch(
            id=name,
            status=str(content.get("status")),
            mark=str(metadata.get(MARK, "")) if isinstance(metadata, dict) else "",
            output=content.get("output_file_id") or "",
            errors=content.get("error_file_id") or "",
            done=_count(counts.get("completed")) + _count(counts.get("failed")),
            total=_count(counts.get("total")),
            problems=_problems(content.get("errors")),
        )


def _form(content: bytes) -> aiohttp.FormData:
    """A file of requests; aiohttp sends a form once only."""
    form = aiohttp.FormData()
    form.add_field("purpose", "batch")
    form.add_field("file", content, filename="batch.jsonl", content_type="application/jsonl")
    return form


def _count(value: JSON) -> int:
    return value if type(value) is int and value >= 0 else 0


def _problems(content: JSON) -> tuple[tuple[int, str, str], ...]:
    rows = content.get("data") if isinstance(content, dict) else None
    return tuple(
        (_count(row.get("line")), str(row.get("code")), str(row.get("message")))
        for row in rows or []
        if isinstance(row, dict)
    )
