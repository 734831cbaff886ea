"""Work that can be stopped: what is in flight settles first, because it is paid for."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

from seedbed.endpoint import Endpoint
from seedbed.journal import Journal

GRACE = 120.0
"""Seconds that calls in flight get to settle when work is stopped."""


async def until_stopped(
    work: Coroutine[Any, Any, None],
    tick: Coroutine[Any, Any, None],
    *,
    stop: asyncio.Event,
    endpoints: Sequence[Endpoint],
    journal: Journal,
) -> bool:
    """Work to the end (True) or until `stop` is set (False); `tick` goes on beside all of it.

    Calls in flight settle before this returns, for up to `GRACE` seconds. Cancelled after `stop`
    was set, it waits for nothing: whoever asks twice wants to leave at once.
    """
    working, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    ticking = asyncio.create_task(tick)
    grace = GRACE
    try:
        await asyncio.wait((working, stopping, ticking), return_when=asyncio.FIRST_COMPLETED)
        for ended in (working, ticking):
            if ended.done():
                ended.result()
        return working.done()
    except asyncio.CancelledError:
        if stop.is_set():
            grace = 0.0
        raise
    finally:
        for endpoint in endpoints:
            endpoint.stop()
        working.cancel()
        stopping.cancel()
        await asyncio.gather(working, stopping, return_exceptions=True)
        await journal.drain(grace)
        ticking.cancel()
        await asyncio.gather(ticking, return_exceptions=True)
