"""The one door to every language model."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from seedbed.records import Completion, Request


class Model(Protocol):
    """Anything that answers requests. Wrappers (`Journaled`, `Throttled`, …) share this shape."""

    @property
    def name(self) -> str:
        """A name that identifies the weights and all that shapes their answers.

        It is part of the journal's key, so it must not come to mean another model, and it must
        not hold what does not change an answer (an address, a time limit, a key).
        """
        ...

    async def complete(self, request: Request, /) -> Completion:
        """Answer one request.

        Raises:
            ModelError: no answer could be had; `Transient` where trying again may help.
        """
        ...


class FakeModel:
    """A model made of a function, for tests: of this package's users as well."""

    def __init__(
        self, answer: Callable[[Request], Awaitable[Completion]], *, name: str = "fake"
    ) -> None:
        self.name = name
        self._answer = answer

    async def complete(self, request: Request, /) -> Completion:
        return await self._answer(request)
