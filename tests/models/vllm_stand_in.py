"""Stands in for the command `vllm` where that is not installed: its arguments, its addresses, and
behind them a model in process as the engine. What vLLM would refuse, this refuses.

A message `die` ends it at once, as an engine that fails does; it tells its key then.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time

from aiohttp import web
from aiohttp.typedefs import Handler

from seedbed.errors import SeedbedError
from seedbed.models.local import LocalModel, LocalSettings
from seedbed.records import Completion, Message, Request, Sampling


def main() -> None:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("serve", choices=["serve"])
    parser.add_argument("model")
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--served-model-name", required=True)
    parser.add_argument("--generation-config", choices=["vllm"], required=True)
    parser.add_argument("--max-num-seqs", type=int, required=True)
    parser.add_argument("--max-model-len", type=int)
    parser.add_argument("--dtype", default="auto")
    parser.add_argument("--kv-cache-memory-bytes", type=int)
    parser.add_argument("--enforce-eager", action="store_true")
    parser.add_argument("--no-enable-chunked-prefill", action="store_true")
    parser.add_argument("--additional-config", type=json.loads)
    options = parser.parse_args()
    sys.stderr.write("(APIServer pid=1) WARNING: `OSError: Too many open files` may come\n")
    settings = LocalSettings(device="cpu", dtype="float32", rows=options.max_num_seqs)
    try:
        asyncio.run(serve(options, LocalModel(options.model, settings=settings)))
    except SeedbedError as error:
        sys.stderr.write(f"(EngineCore pid=1) ERROR ValueError: {error}\n")
        sys.stderr.write("RuntimeError: Engine core failed to start. See root cause above.\n")
        sys.exit(1)


async def serve(options: argparse.Namespace, model: LocalModel) -> None:
    key = f"Bearer {os.environ['VLLM_API_KEY']}"
    name = options.served_model_name

    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.headers.get("Authorization") != key:
            return web.json_response({"error": "Unauthorized"}, status=401)
        return await handler(request)

    async def models(asked: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [{"id": name, "object": "model"}]})

    async def complete(asked: web.Request) -> web.Response:
        body = await asked.json()
        assert body["model"] == name
        messages = tuple(Message(each["role"], each["content"]) for each in body["messages"])
        if messages[-1].content == "die":
            sys.stderr.write(f"torch.OutOfMemoryError: CUDA out of memory, {key}\n")
            sys.stderr.flush()
            os._exit(1)
        sampling = Sampling(temperature=body["temperature"], max_tokens=body["max_tokens"])
        request = Request(messages=messages, sampling=sampling, draw=body["seed"])
        return web.json_response(_answer(await model.complete(request), name))

    app = web.Application(middlewares=[guarded])
    app.router.add_get("/v1/models", models)
    app.router.add_post("/v1/chat/completions", complete)
    async with model:
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, options.host, options.port).start()
        await asyncio.Event().wait()


def _answer(completion: Completion, name: str) -> dict[str, object]:
    usage = completion.usage
    return {
        "id": "1",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": name,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": completion.text},
                "finish_reason": completion.finish_reason,
            }
        ],
        "usage": {
            "prompt_tokens": usage.prompt_tokens,
            "completion_tokens": usage.completion_tokens,
            "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        },
    }


if __name__ == "__main__":
    main()
