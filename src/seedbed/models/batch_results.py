"""What a batch brings back: for each request an answer, an error, or nothing."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field

from seedbed.errors import Garbled, ModelError, Overloaded, RateLimited, RequestRejected
from seedbed.models.answers import completion_of
from seedbed.models.batch_api import Batch
from seedbed.models.statuses import failure, message
from seedbed.records import JSON, Completion, Request


@dataclass(slots=True, eq=False)
class Job:
    key: str
    request: Request
    answer: asyncio.Future[Completion]


@dataclass(slots=True, eq=False)
class OpenBatch:
    """A batch at the server: the line of each key in its file, who waits for it here, how it was
    when last seen, and once it is over its result lines by key."""

    id: str
    places: dict[str, int]
    jobs: list[Job] = field(default_factory=list)
    seen: Batch | None = None
    results: dict[str, JSON] | None = None
    watched: bool = False


def fail(job: Job, error: BaseException) -> None:
    if not job.answer.done():
        job.answer.set_exception(error)


def read_result(batch: OpenBatch, job: Job) -> Completion:
    """What a batch that is over says to one of its requests.

    Raises:
        RequestRejected, AccessDenied, Transient, …: it says no, or nothing.
    """
    assert batch.seen is not None, "only a batch that was looked at is read"
    place = f"batch {batch.id}"
    line = (batch.results or {}).get(job.key)
    if line is None:
        raise _absent(batch.seen, batch.places[job.key], place)
    response = line.get("response")
    if not isinstance(response, dict):
        raise Overloaded(f"{place}: {message(line) or 'a line without an answer'}")
    status, body = response.get("status_code"), json.dumps(response.get("body")).encode()
    if status != 200:
        code = status if type(status) is int else 500
        raise failure(code, {}, body, place=place, now=0.0)
    return completion_of(body, job.request, place=place)


def _absent(seen: Batch, number: int, place: str) -> ModelError:
    """Why there is no line for the request on this line of the batch's file."""
    for line, code, words in seen.problems:
        if line == number:
            return RequestRejected(f"{place}: {words}")
        if not line and "limit" in code:
            return RateLimited(f"{place}: {words}", retry_after=60.0)
    if seen.status == "completed":
        return Garbled(f"{place}: it has no line for this request")
    told = "; ".join(words for _, _, words in seen.problems[:1])
    return Overloaded(f"{place}: it {seen.status}{': ' + told if told else ''}")
