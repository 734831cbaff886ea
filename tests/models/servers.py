"""Servers that misbehave, on real sockets: what a test says is what the client gets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from seedbed.records import JSON

Talk = Callable[["Asked", asyncio.StreamWriter], Awaitable[None]]
"""Answers one request by writing to its connection, or not."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came over the wire; header names in lower case."""

    path: str
    headers: dict[str, str]
    body: JSON


@dataclass(slots=True)
class Server:
    url: str
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0


@asynccontextmanager
async def serving(talk: Talk) -> AsyncIterator[Server]:
    """A server on 127.0.0.1 that answers every request with `talk`."""
    server = Server(url="")
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        server.connections += 1
        try:
            while asked := await _request(reader):
                server.asked.append(asked)
                await talk(asked, writer)
                await writer.drain()
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            tasks.discard(task)
            writer.close()

    listener = await asyncio.start_server(connected, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/v1"
    try:
        yield server
    finally:
        listener.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _request(reader: asyncio.StreamReader) -> Asked | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.split("\r\n")
    headers = {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(":") for line in lines if line)
    }
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Asked(first.split(" ")[1], headers, json.loads(body))


def answer(
    *, status: int = 200, body: JSON | bytes = b"", headers: dict[str, str] | None = None
) -> Talk:
    """The same answer to everything; JSON unless `body` is bytes."""
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()

    async def talk(_: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(head(status, len(payload), headers) + payload)

    return talk


def head(status: int, length: int, headers: dict[str, str] | None = None) -> bytes:
    lines = [f"HTTP/1.1 {status} Some Phrase", f"content-length: {length}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def chat_body(
    content: JSON = "Hello.",
    *,
    finish_reason: JSON = "stop",
    usage: JSON = None,
    logprobs: JSON = None,
    **message: JSON,
) -> dict[str, JSON]:
    """A chat completion as servers write it."""
    return {
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": content} | message,
                "finish_reason": finish_reason,
                "logprobs": logprobs,
            }
        ],
        "usage": {"prompt_tokens": 12, "completion_tokens": 3} if usage is None else usage,
    }


async def hang(_: Asked, writer: asyncio.StreamWriter) -> None:
    """Take the request and never answer."""
    await asyncio.sleep(3600)


async def reset_in_body(_: Asked, writer: asyncio.StreamWriter) -> None:
    """Promise more than is sent, and cut the connection."""
    writer.write(head(200, 1000) + b'{"choices": [')
    await writer.drain()
    writer.transport.abort()


async def drop(_: Asked, writer: asyncio.StreamWriter) -> None:
    """Take the request and close the connection without a word."""
    writer.close()


async def no_http(_: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")
    writer.close()


async def trickle(_: Asked, writer: asyncio.StreamWriter) -> None:
    """A good answer in chunks of a few bytes."""
    payload = json.dumps(chat_body("Slowly, but whole.")).encode()
    writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    for start in range(0, len(payload), 7):
        part = payload[start : start + 7]
        writer.write(b"%x\r\n%b\r\n" % (len(part), part))
        await writer.drain()
        await asyncio.sleep(0)
    writer.write(b"0\r\n\r\n")


async def endless(_: Asked, writer: asyncio.StreamWriter) -> None:
    """An answer without an end."""
    writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
        await writer.drain()
