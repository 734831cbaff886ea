"""The web server of `seedbed view`: files of the page, and JSON for it."""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

from aiohttp import web
from aiohttp.typedefs import Handler

from seedbed.errors import ConfigError, DatasetError, SeedbedError
from seedbed.files import well_formed
from seedbed.folder import RunFolder
from seedbed.records import JSON
from seedbed.view.filters import Filters
from seedbed.view.queries import Sort
from seedbed.view.security import Guard, new_token
from seedbed.view.viewer import Viewer

HOST = "127.0.0.1"

LARGEST = 8 * 2**20
"""Bytes of a decision: an edit holds a whole example."""

_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}

STATIC = {
    entry.name: entry.read_bytes()
    for entry in (files("seedbed.view") / "static").iterdir()
    if Path(entry.name).suffix in _TYPES
}
"""The page's files by name; there is no other way to a file through this server."""


@asynccontextmanager
async def serving(folder: RunFolder, *, port: int = 0) -> AsyncIterator[str]:
    """Show a run while the block goes on; gives the address to open, with its token.

    Raises:
        ConfigError: the port is taken.
    """
    guard = Guard(token := new_token())
    with TemporaryDirectory(prefix="seedbed-view-") as place:
        viewer = Viewer(folder, Path(place))
        following = asyncio.create_task(viewer.follow())
        runner = web.AppRunner(application(viewer, guard), access_log=None)
        try:
            await runner.setup()
            site = web.TCPSite(runner, HOST, port)
            try:
                await site.start()
            except OSError as error:
                raise ConfigError(
                    f"port {port}: cannot be listened on: {error.strerror}",
                    hint="Choose another one with --port; 0 takes any that is free.",
                ) from error
            bound = runner.addresses[0][1]
            yield f"http://{HOST}:{bound}/?token={token}"
        finally:
            following.cancel()
            with suppress(asyncio.CancelledError):
                await following
            await runner.cleanup()
            await asyncio.to_thread(viewer.close)


def application(viewer: Viewer, guard: Guard) -> web.Application:
    app = web.Application(middlewares=[guard.middleware(), _errors], client_max_size=LARGEST)

    async def filtered(request: web.Request) -> JSON:
        query = request.query
        sort = Sort(
            by=query.get("sort", "order"),
            descending=query.get("way", "") == "down",
            after=query.get("after", ""),
        )
        return await viewer.page(_filters(request), sort)

    async def facets(request: web.Request) -> JSON:
        return await viewer.facets(_filters(request))

    async def run(_: web.Request) -> JSON:
        return await viewer.run()

    async def agreement(_: web.Request) -> JSON:
        return await viewer.agreement()

    async def item(request: web.Request) -> JSON:
        full = request.query.get("full", "") == "1"
        return await viewer.item(request.match_info["key"], full=full)

    async def conversation(request: web.Request) -> JSON:
        return await viewer.conversation(request.match_info["key"])

    async def lineage(request: web.Request) -> JSON:
        return await viewer.lineage(request.match_info["key"])

    async def neighbours(request: web.Request) -> JSON:
        return await viewer.neighbours(request.match_info["key"])

    async def decide(request: web.Request) -> JSON:
        try:
            asked = json.loads(await request.read())
        except ValueError:
            asked = None
        if not isinstance(asked, dict):
            raise ConfigError("expected a JSON object")
        return await viewer.decide(request.match_info["key"], asked)

    app.router.add_get("/", _index)
    app.router.add_get("/static/{name}", _static)
    for path, answer in (
        ("/api/run", run),
        ("/api/agreement", agreement),
        ("/api/items", filtered),
        ("/api/facets", facets),
        ("/api/items/{key}", item),
        ("/api/items/{key}/conversation", conversation),
        ("/api/items/{key}/lineage", lineage),
        ("/api/items/{key}/neighbours", neighbours),
    ):
        app.router.add_get(path, _answering(answer))
    app.router.add_post("/api/items/{key}/decision", _answering(decide))
    return app


def _filters(request: web.Request) -> Filters:
    return Filters.read(request.query, tuple(request.query.getall("skill", [])))


def _answering(
    answer: Callable[[web.Request], Awaitable[JSON]],
) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        return _json(await answer(request))

    return handle


@web.middleware
async def _errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What went wrong, in words for the page."""
    try:
        return await handler(request)
    except SeedbedError as error:
        status = {ConfigError: 400, DatasetError: 404}.get(type(error), 500)
        return _json({"error": str(error), "hint": error.hint}, status=status)
    except sqlite3.Error as error:
        # The index was begun anew while it was being read; the page asks again.
        logging.getLogger(__name__).debug("index: %s", error)
        return _json({"error": f"The index is being made: {error}", "hint": ""}, status=503)


def _json(content: JSON, *, status: int = 200) -> web.Response:
    text = well_formed(json.dumps(content, ensure_ascii=False, separators=(",", ":")))
    return web.Response(text=text, status=status, content_type="application/json")


async def _index(_: web.Request) -> web.Response:
    return _file("index.html")


async def _static(request: web.Request) -> web.Response:
    return _file(request.match_info["name"])


def _file(name: str) -> web.Response:
    if name not in STATIC:
        raise web.HTTPNotFound(text="no such file\n")
    kind = _TYPES[Path(name).suffix]
    return web.Response(body=STATIC[name], content_type=kind, charset="utf-8")
