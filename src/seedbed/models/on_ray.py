"""A model in process, held by actors of a Ray cluster: the same answers from many machines.

The journal and all other wrappers stay where the run is. An actor holds a model and knows nothing
else, so that a lost one loses only what it was writing: those requests are asked again elsewhere,
and what has settled is not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, ExitStack
from types import TracebackType
from typing import Any, Protocol, runtime_checkable

from seedbed.errors import ConfigError, ModelError, SeedbedError, Unreachable
from seedbed.ray_cluster import connected, first_line
from seedbed.records import Completion, Request

REVIVAL = 1.0
"""Seconds between two tries to reach an actor that is not there."""

_CALLS = 10_000
"""Requests that an actor takes at once at most; its model makes batches of them."""


class Held(Protocol):
    """A model that is loaded inside `async with`."""

    @property
    def name(self) -> str: ...

    async def complete(self, request: Request, /) -> Completion: ...


@runtime_checkable
class Stopping(Protocol):
    """A model that can be told to begin nothing more."""

    def stop(self) -> None: ...


Make = Callable[[], AbstractAsyncContextManager[Held]]


class Holder:
    """What an actor is. Errors are returned, because Ray passes on only what they say."""

    def __init__(self, make: Make) -> None:
        self._make = make
        self._opening: asyncio.Task[Held] | None = None

    async def open(self) -> str | SeedbedError:
        """Load the model, unless it is; its name, which says which weights these are."""
        try:
            return (await self._held()).name
        except SeedbedError as error:
            self._opening = None
            return error

    async def complete(self, request: Request) -> Completion | SeedbedError:
        try:
            return await (await self._held()).complete(request)
        except SeedbedError as error:
            return error

    async def stop(self) -> None:
        """Refuse what waits; what is being written comes to its end."""
        if self._opening is not None and isinstance(held := await self._opening, Stopping):
            held.stop()

    async def _held(self) -> Held:
        if self._opening is None:
            self._opening = asyncio.create_task(self._make().__aenter__())
        return await asyncio.shield(self._opening)


class RayModel:
    """A model that answers from several actors, used inside `async with`.

    Args:
        make: makes the model, in each actor.
        name: its name here, for the journal; an actor whose model has another one is refused.
        actors: how many. Those for which the cluster has no room join when it has.
        gpus: of each actor; None takes one if the cluster has any. An actor has one core besides.

    Raises:
        ConfigError: entering the context raises it where Ray is not installed, the cluster has no
            room for any actor, or the model cannot be loaded there.
        ClusterError: entering the context raises it where the cluster cannot be reached.
    """

    def __init__(self, make: Make, *, name: str, actors: int, gpus: float | None = None) -> None:
        self.name = name
        self._make = make
        self._wanted = actors
        self._gpus = gpus
        self._stack = ExitStack()
        self._actors: list[Any] = []
        self._in_flight = [0] * actors
        self._alive: set[int] = set()
        self._there = asyncio.Event()
        self._revivals: dict[int, asyncio.Task[None]] = {}
        self._refused: SeedbedError | None = None

    async def __aenter__(self) -> RayModel:
        self._stack.enter_context(connected())
        try:
            self._start()
            await self._there.wait()
            if self._refused is not None:
                raise self._refused
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        return self

    def _start(self) -> None:
        import ray

        room = ray.cluster_resources()
        gpus = min(1.0, room.get("GPU", 0.0)) if self._gpus is None else self._gpus
        if room.get("CPU", 0.0) < 1 or room.get("GPU", 0.0) < gpus:
            raise ConfigError(
                f"actors: the cluster has {room.get('CPU', 0):.0f} cores and "
                f"{room.get('GPU', 0):.0f} GPUs; an actor takes 1 and {gpus:g}"
            )
        holder = ray.remote(Holder).options(
            num_cpus=1,
            num_gpus=gpus,
            max_restarts=-1,
            max_concurrency=_CALLS,
            scheduling_strategy="SPREAD",
        )
        self._actors = [holder.remote(self._make) for _ in range(self._wanted)]
        for number in range(self._wanted):
            self._lose(number)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        import ray

        for task in self._revivals.values():
            task.cancel()
        await asyncio.gather(*self._revivals.values(), return_exceptions=True)
        for actor in self._actors:
            ray.kill(actor)
        self._actors = []
        self._stack.close()

    @property
    def said(self) -> str:
        """How many actors are missing; empty where none is."""
        missing = len(self._alive) < self._wanted
        return f"{len(self._alive)} of {self._wanted} actors" if missing else ""

    def stop(self) -> None:
        """Begin nothing more of what waits; what is being written comes to its end."""
        for number in self._alive:
            self._actors[number].stop.remote()

    async def complete(self, request: Request, /) -> Completion:
        """Answer one request, by the actor that has the fewest.

        Raises:
            Unreachable: the actor was lost; asked again, another one answers.
            ModelError: what the model says.
        """
        import ray
        from ray.exceptions import RayError, RayTaskError

        if not self._alive:
            raise Unreachable("no actor of the Ray cluster answers", hint=_HINT)
        number = min(sorted(self._alive), key=self._in_flight.__getitem__)
        self._in_flight[number] += 1
        call = self._actors[number].complete.remote(request)
        try:
            answer: Completion | SeedbedError = await call
        except RayTaskError:
            raise  # the actor is there, and has a fault of its own
        except RayError as error:
            self._lose(number)
            raise Unreachable(
                f"an actor of the Ray cluster was lost: {first_line(error)}"
            ) from error
        except asyncio.CancelledError:
            ray.cancel(call)
            raise
        finally:
            self._in_flight[number] -= 1
        if isinstance(answer, SeedbedError):
            raise answer
        return answer

    def _lose(self, number: int) -> None:
        """Ask an actor nothing until it is there again, here or on another machine."""
        self._alive.discard(number)
        if number not in self._revivals:
            self._revivals[number] = asyncio.create_task(self._revive(number))

    async def _revive(self, number: int) -> None:
        from ray.exceptions import RayError, RayTaskError

        name: str | SeedbedError | None = None
        while name is None:
            try:
                name = await self._actors[number].open.remote()
            except RayTaskError as error:
                name = ModelError(f"an actor of the Ray cluster fails: {first_line(error)}")
            except RayError:
                await asyncio.sleep(REVIVAL)
        if name == self.name:
            self._alive.add(number)
        else:
            self._refused = name if isinstance(name, SeedbedError) else _stranger(name, self.name)
        del self._revivals[number]
        self._there.set()


_HINT = "Run the same command again, with a cluster that lives: what has settled is kept."


def _stranger(name: str, wanted: str) -> ConfigError:
    return ConfigError(
        f"an actor holds {name}, and here is {wanted}",
        hint="Have the same files on all machines, or in a folder that all of them see.",
    )
