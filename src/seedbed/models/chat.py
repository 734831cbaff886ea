"""Any server that speaks OpenAI's `/chat/completions`: OpenAI, vLLM, llama.cpp, Ollama, Together.

Why aiohttp and no client library: measured over 2,000 calls of 200 ms with 256 in flight, aiohttp
takes about 0.3 ms of CPU per call, the official `openai` client 2.7 and httpx 12.4 (its pool looks
at every connection for every call), so that one core would end at 370 and 80 calls/s. What such
a library adds (retries, limits) is done here by wrappers, where it can be seen and tested.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import TracebackType

import aiohttp

from seedbed.errors import Garbled, ModelError, TimedOut, Unreachable
from seedbed.models.allowances import Allowances
from seedbed.models.answers import completion_of
from seedbed.models.credential import Credential
from seedbed.models.settings import ChatSettings
from seedbed.models.statuses import failure
from seedbed.records import JSON, Completion, Request

MOST_BYTES = 32 * 2**20
"""The longest answer that is read; 100,000 tokens with log-probabilities take less."""

_SECRET = 16
"""What is shorter is no secret but a stand-in ("EMPTY", "x"), which may well occur in an answer."""

_IDLE = 4.0
"""Seconds that an idle connection is kept: less than the 5 after which uvicorn (vLLM) closes it,
so that no request is sent into a connection that is being closed."""


class ChatModel:
    """An OpenAI-compatible endpoint, used inside `async with`.

    The key goes into a request's headers, and nowhere else: errors are translated outside of the
    `except` blocks that caught them, because aiohttp's exceptions hold the request with its
    headers.

    Args:
        settings: where the server is and what it understands.
        allowances: is told what the rate-limit headers say.
        environ: where the key's variable is looked up.
        wall: seconds since 1970, to understand a date in `Retry-After`.

    Raises:
        ConfigError: the key's variable is missing, or what it holds cannot be a key.
    """

    def __init__(
        self,
        settings: ChatSettings,
        /,
        *,
        allowances: Allowances | None = None,
        environ: Mapping[str, str] = os.environ,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self.credential = Credential(settings, environ)
        self._allowances = allowances or Allowances()
        self._wall = wall
        self._session: aiohttp.ClientSession | None = None
        self.name = settings.name

    async def __aenter__(self) -> ChatModel:
        settings = self._settings
        await self.credential.prepare()
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=settings.max_connections, keepalive_timeout=_IDLE, ttl_dns_cache=300
            ),
            timeout=aiohttp.ClientTimeout(
                total=settings.timeout, sock_connect=settings.connect_timeout
            ),
            headers={"Content-Type": "application/json"},
            cookie_jar=aiohttp.DummyCookieJar(),
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

    async def complete(self, request: Request, /) -> Completion:
        """Ask once.

        Raises:
            AccessDenied, NotFound, RequestRejected: the server's answer is no, for good.
            Transient: no answer, or none that can be used; another try may fare better.
        """
        sent, key = self.body(request), self.credential.key
        status, headers, body = await self._ask(sent)
        if status == 401 and await self.credential.renewed(key):
            status, headers, body = await self._ask(sent)
        self._allowances.note(headers)
        place = self._settings.host
        if status != 200:
            keyed = bool(self.credential.key)
            raise failure(status, headers, body, place=place, now=self._wall(), keyed=keyed)
        completion = completion_of(body, request, place=place)
        if self._settings.choices > 1:
            return replace(completion, note=str(len(json.loads(body)["choices"])))
        return completion

    async def _ask(self, body: bytes) -> tuple[int, Mapping[str, str], bytes]:
        if self._session is None:
            raise RuntimeError("ChatModel is used outside of `async with`")
        key = self.credential.key
        try:
            async with self._session.post(
                self._settings.url,
                data=body,
                headers=self.credential.headers,
                allow_redirects=False,
            ) as response:
                return response.status, response.headers, await self._read(response, key)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            problem = self._translated(error)
        raise problem

    async def _read(self, response: aiohttp.ClientResponse, key: str) -> bytes:
        """The body, bounded, and without the key should a server quote it."""
        chunks: list[bytes] = []
        size = 0
        async for chunk in response.content.iter_any():
            chunks.append(chunk)
            size += len(chunk)
            if size > MOST_BYTES:
                response.close()
                raise Garbled(
                    f"{self._settings.host}: an answer of more than {MOST_BYTES} bytes",
                    maybe_paid=True,
                )
        body = b"".join(chunks)
        if len(key) >= _SECRET:
            return body.replace(key.encode(), b"[key]")
        return body

    def _translated(self, error: Exception) -> ModelError:
        place, settings = self._settings.host, self._settings
        if isinstance(error, aiohttp.ClientConnectorCertificateError):
            return ModelError(
                f"{place}: its TLS certificate is not trusted",
                hint="Check `base_url`; for a certificate of your own, set SSL_CERT_FILE.",
            )
        if isinstance(error, aiohttp.ConnectionTimeoutError):
            return TimedOut(f"{place}: no connection within {settings.connect_timeout:g} s")
        if isinstance(error, TimeoutError):
            return TimedOut(
                f"{place}: no answer within {settings.timeout:g} s",
                hint="If the server is only slow, raise `timeout`, or lower `max_in_flight`.",
                maybe_paid=True,
            )
        if isinstance(error, aiohttp.ClientConnectorError):
            return Unreachable(
                f"{place}: cannot connect ({type(error).__name__})",
                hint="Is the server running, and is `base_url` right?",
            )
        if isinstance(error, aiohttp.ClientResponseError):
            return Garbled(f"{place}: an answer that is not HTTP", maybe_paid=True)
        return Unreachable(
            f"{place}: the connection broke off ({type(error).__name__})", maybe_paid=True
        )

    def body(self, request: Request) -> bytes:
        """What is sent for a request."""
        settings, sampling = self._settings, request.sampling
        limit = "max_completion_tokens" if settings.max_completion_tokens else "max_tokens"
        body: dict[str, JSON] = {
            "model": settings.model,
            "messages": [{"role": m.role, "content": m.content} for m in request.messages],
            # Always said: vLLM takes what is not from the model's own generation config.
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            limit: sampling.max_tokens,
        }
        # Only said where they differ from nothing: many servers reject names they do not know.
        if sampling.frequency_penalty:
            body["frequency_penalty"] = sampling.frequency_penalty
        if sampling.presence_penalty:
            body["presence_penalty"] = sampling.presence_penalty
        if sampling.stop:
            body["stop"] = list(sampling.stop)
        if sampling.top_logprobs is not None:
            body |= {"logprobs": True, "top_logprobs": sampling.top_logprobs}
        if settings.seed_from_draw:
            body["seed"] = request.draw
        if settings.choices > 1:
            body["n"] = settings.choices
        if settings.json_schema and request.schema is not None:
            schema = {"name": "answer", "strict": True, "schema": request.schema}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        for name in settings.omit:
            body.pop(name, None)
        return json.dumps(body | dict(settings.extra_body)).encode()
