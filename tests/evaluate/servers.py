"""Local OpenAI-compatible servers made of a function: a judge or a student over a real socket."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from seedbed.records import JSON

Reply = Callable[[dict[str, JSON]], str]
"""From a request's body to what the model says."""


@asynccontextmanager
async def serving(reply: Reply) -> AsyncIterator[str]:
    """The base URL of a server that answers chat completions with `reply`."""

    async def chat(request: web.Request) -> web.Response:
        body = json.loads(await request.read())
        choice = {
            "index": 0,
            "message": {"role": "assistant", "content": reply(body)},
            "finish_reason": "stop",
        }
        usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
        return web.json_response(
            {
                "object": "chat.completion",
                "model": body["model"],
                "choices": [choice],
                "usage": usage,
            }
        )

    app = web.Application(client_max_size=16 * 2**20)
    app.router.add_post("/v1/chat/completions", chat)
    runner = web.AppRunner(app, shutdown_timeout=0.5)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}/v1"
    finally:
        await runner.cleanup()


def last_user(body: dict[str, JSON]) -> str:
    """What the user said last in a request."""
    return str([one["content"] for one in body["messages"] if one["role"] == "user"][-1])
