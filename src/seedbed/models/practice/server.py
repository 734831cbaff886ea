"""The practice teacher behind a socket, as an OpenAI-compatible server.

    POST /v1/chat/completions    GET /v1/models    GET /stats    /v1/files and /v1/batches

Over HTTP a request has no `draw`: the first answer to a prompt is draw 0, the next one draw 1, and
so on, unless the client sends `seed` or `draw`. A draw whose answer did not arrive whole is given
out again, so trying again does not change what is answered.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass

from aiohttp import web
from pydantic import ValidationError

from seedbed.errors import ConfigError, Overloaded, RateLimited
from seedbed.models.practice.batches import NO_BATCH_FAULTS, BatchFaults, PracticeBatches
from seedbed.models.practice.faults import Faults
from seedbed.models.practice.teacher import NO_TROUBLE, PracticeTeacher
from seedbed.models.practice.traffic import Bucket, Draws, Stats
from seedbed.models.practice.trouble import Trouble
from seedbed.models.practice.wire import ChatRequest, completion_body, error_body
from seedbed.records import JSON, Usage

MODEL = "practice"

PAGE = "<!doctype html><title>Welcome</title><h1>This is a page, not an answer</h1>"

SPOILING = ("truncated_json", "cut_off", "empty_choices", "null_content")
"""The faults that break an answer after it was written."""


NO_FAULTS = Faults()


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions:
    """How the server behaves.

    `api_key`: what clients have to send, None for no check. `requests_per_minute`: a bucket of so
    many requests that fills up evenly. `max_in_flight`: more requests at once get a 429.
    `batches`: how the batch API behaves.
    """

    trouble: Trouble = NO_TROUBLE
    faults: Faults = NO_FAULTS
    seed: int = 0
    api_key: str | None = None
    requests_per_minute: float | None = None
    max_in_flight: int | None = None
    batches: BatchFaults = NO_BATCH_FAULTS


@dataclass(frozen=True, slots=True)
class RunningServer:
    """`base_url` is what a client is configured with; `stats` change while the server runs."""

    base_url: str
    stats: Stats


def problem(
    status: int, message: str, *, kind: str = "invalid_request_error", retry_after: float = 0
) -> web.Response:
    headers = {"Retry-After": f"{retry_after:g}"} if retry_after else {}
    return web.json_response(error_body(message, kind), status=status, headers=headers)


class PracticeServer:
    """The state of one server, and its handlers."""

    def __init__(self, options: ServerOptions) -> None:
        self.stats = Stats()
        self._options = options
        self._teacher = PracticeTeacher(options.trouble, seed=options.seed)
        self._draws = Draws()
        self._attempts: defaultdict[str, int] = defaultdict(int)
        self._answered: set[str] = set()
        per_minute = options.requests_per_minute
        self._bucket = None if per_minute is None else Bucket(per_minute)

    def app(self) -> web.Application:
        app = web.Application(client_max_size=16 * 2**20)
        app.router.add_post("/v1/chat/completions", self.chat)
        app.router.add_get("/v1/models", self.models)
        app.router.add_get("/stats", self.show_stats)
        PracticeBatches(self._batched, self._options.batches, denied=self._denied).routes(app)
        return app

    async def show_stats(self, _: web.Request) -> web.Response:
        return web.json_response(asdict(self.stats))

    async def models(self, request: web.Request) -> web.Response:
        entry = {"id": MODEL, "object": "model", "created": 0, "owned_by": "seedbed"}
        return self._denied(request) or web.json_response({"object": "list", "data": [entry]})

    async def chat(self, request: web.Request) -> web.StreamResponse:
        """Answer, and count: a request that ends in any other way than an answer has failed."""
        stats = self.stats
        stats.total += 1
        stats.in_flight += 1
        stats.peak = max(stats.peak, stats.in_flight)
        charged = False
        try:
            response, charged = await self._admitted(request)
        finally:
            stats.in_flight -= 1
            stats.failed += not charged
        if self._bucket and not response.prepared:
            response.headers.update(self._bucket.headers())
        return response

    async def _admitted(self, request: web.Request) -> tuple[web.StreamResponse, bool]:
        """A response, and whether an answer was written for it."""
        if refused := self._denied(request) or self._limited():
            return refused, False
        try:
            asked = ChatRequest.model_validate_json(await request.read())
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            return problem(400, f"{place or 'body'}: {first['msg']}"), False
        if asked.model not in (MODEL, self._teacher.name):
            return problem(404, f"The model `{asked.model}` does not exist; use `{MODEL}`."), False
        prompt = asked.prompt
        fault = self._options.faults.at(prompt, self._attempts[prompt])
        self._attempts[prompt] += 1
        if (broken := await self._fault(request, fault)) is not None:
            return broken, False
        response, charged = await self._answer(asked, prompt, fault)
        if fault == "cut_off" and charged:
            return await _cut_off(request, response), True
        return response, charged

    async def _batched(self, body: bytes) -> tuple[int, JSON]:
        """A request of a batch, counted like one that came alone."""
        self.stats.total += 1
        try:
            asked = ChatRequest.model_validate_json(body)
        except ValidationError as error:
            self.stats.failed += 1
            return 400, error_body(error.errors()[0]["msg"], "invalid_request_error")
        response, charged = await self._answer(asked, asked.prompt, "")
        self.stats.failed += not charged
        return response.status, json.loads(response.text or "null")

    def _denied(self, request: web.Request) -> web.Response | None:
        key = self._options.api_key
        if key is None or request.headers.get("Authorization") == f"Bearer {key}":
            return None
        return problem(401, "Incorrect API key provided.", kind="authentication_error")

    def _limited(self) -> web.Response | None:
        most = self._options.max_in_flight
        if most is not None and self.stats.in_flight > most:
            return problem(429, f"More than {most} requests at once.", kind="rate_limit_error")
        wait = self._bucket.take(asyncio.get_running_loop().time()) if self._bucket else 0.0
        if wait:
            return problem(
                429, "Too many requests.", kind="rate_limit_error", retry_after=round(wait, 3)
            )
        return None

    async def _fault(self, request: web.Request, fault: str) -> web.Response | None:
        """What comes instead of an answer; None where an answer is to be written."""
        match fault:
            case "rate_limited":
                return problem(429, "Too many requests.", kind="rate_limit_error")
            case "retry_later":
                wait = self._options.faults.retry_after
                return problem(429, "Wait.", kind="rate_limit_error", retry_after=wait)
            case "failed":
                return problem(500, "Internal error.", kind="server_error")
            case "not_found":
                return problem(404, "Not found.")
            case "html":
                return web.Response(text=PAGE, content_type="text/html")
            case "hang":
                await asyncio.sleep(self._options.faults.hang_seconds)
                return problem(504, "Gave up.", kind="server_error")
            case "reset":
                if request.transport is not None:
                    request.transport.abort()
                return web.Response(status=500)
        return None

    async def _answer(
        self, asked: ChatRequest, prompt: str, fault: str
    ) -> tuple[web.Response, bool]:
        repeat = asked.repeat
        draw = self._draws.take(prompt) if repeat is None else repeat
        whole = False
        try:
            completion = await self._teacher.complete(asked.request(draw))
            whole = fault not in SPOILING
        except RateLimited as error:
            return problem(429, str(error), kind="rate_limit_error"), False
        except Overloaded as error:
            return problem(500, str(error), kind="server_error"), False
        finally:
            if repeat is None and not whole:
                self._draws.give_back(prompt, draw)
        self._count(prompt, whole, completion.usage)
        body = completion_body(completion, model=self._teacher.name, key=prompt)
        return _sent(body, fault), True

    def _count(self, prompt: str, whole: bool, usage: Usage) -> None:
        stats = self.stats
        stats.prompt_tokens += usage.prompt_tokens
        stats.completion_tokens += usage.completion_tokens
        stats.ok += whole
        stats.spoiled += not whole
        if whole:
            stats.repeats += prompt in self._answered
            self._answered.add(prompt)
            stats.distinct = len(self._answered)


def _sent(body: dict[str, JSON], fault: str) -> web.Response:
    """An answer as it goes out, spoiled where a fault says so."""
    text = json.dumps(body, ensure_ascii=False)
    match fault:
        case "truncated_json":
            text = text[: len(text) // 2]
        case "empty_choices":
            text = json.dumps(body | {"choices": []})
        case "null_content":
            body["choices"][0]["message"]["content"] = None
            text = json.dumps(body)
        case "wrong_usage":
            text = json.dumps(body | {"usage": {"prompt_tokens": -7, "completion_tokens": "many"}})
    return web.Response(text=text, content_type="application/json")


async def _cut_off(request: web.Request, response: web.Response) -> web.StreamResponse:
    """Send half of a response, of which the headers promise the whole, and hang up."""
    body = (response.text or "").encode()
    half = web.StreamResponse(headers={"Content-Type": "application/json"})
    half.content_length = len(body)
    await half.prepare(request)
    await half.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return half


@asynccontextmanager
async def start_server(
    options: ServerOptions, *, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[RunningServer]:
    """Run the server while the context is open; port 0 takes a free one.

    Raises:
        ConfigError: the address cannot be used.
    """
    server = PracticeServer(options)
    runner = web.AppRunner(server.app(), handler_cancellation=True, shutdown_timeout=0.5)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except (OSError, OverflowError) as error:
            raise ConfigError(
                f"{host}:{port}: the practice server cannot listen there: {error}",
                hint="Choose another port, or stop what uses this one.",
            ) from error
        name, number = runner.addresses[0][:2]
        yield RunningServer(f"http://{name}:{number}/v1", server.stats)
    finally:
        await runner.cleanup()


def serve(
    host: str = "127.0.0.1",
    port: int = 8399,
    *,
    options: ServerOptions,
    announce: Callable[[RunningServer], None],
) -> None:
    """Run the server until interrupted; `announce` is called once it listens."""

    async def forever() -> None:
        async with start_server(options, host=host, port=port) as running:
            announce(running)
            await asyncio.Event().wait()

    with suppress(KeyboardInterrupt):
        asyncio.run(forever())
