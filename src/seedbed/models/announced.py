"""A call is written down at the moment when it is sent, so that a crash knows what it lost."""

from __future__ import annotations

from seedbed.journal import Journal
from seedbed.models.journaled import KIND
from seedbed.models.model import Model
from seedbed.records import Completion, Request


class Announced:
    """Tells the journal of each try before it is made.

    It belongs innermost, inside `Throttled`: a request that waits for its turn has not been sent,
    and is not in doubt when the process dies.
    """

    def __init__(self, model: Model, journal: Journal) -> None:
        self.name = model.name
        self._model = model
        self._journal = journal

    async def complete(self, request: Request, /) -> Completion:
        async with self._journal.announced(KIND, [self.name, request.to_json()]):
            return await self._model.complete(request)
