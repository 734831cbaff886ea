"""One bad row never costs another: a request that the server will not take is a value."""

from __future__ import annotations

from seedbed.errors import RequestRejected
from seedbed.models.model import Model
from seedbed.records import Completion, Request


class Tolerating:
    """Turns `RequestRejected` into a completion whose `finish_reason` is "rejected".

    A server that rejects everything is not a matter of bad rows: a parameter is wrong. So the run
    stops when `patience` requests were rejected before the first one was answered.
    """

    def __init__(self, model: Model, /, *, patience: int = 10) -> None:
        self._model = model
        self._patience = patience
        self._rejected = 0
        self._answered = False

    @property
    def name(self) -> str:
        return self._model.name

    async def complete(self, request: Request, /) -> Completion:
        """Answer one request, or say in the completion's `note` why the server would not.

        Raises:
            RequestRejected: the first `patience` requests were all rejected.
            ModelError: whatever else the model raises.
        """
        try:
            completion = await self._model.complete(request)
        except RequestRejected as error:
            self._rejected += 1
            if not self._answered and self._rejected >= self._patience:
                raise RequestRejected(
                    f"the first {self._rejected} requests were all rejected; the last: {error}",
                    hint="Something that all requests share is wrong: look at the model's name "
                    "and at its extra parameters. Nothing was paid for these requests.",
                ) from error
            return Completion(text="", finish_reason="rejected", note=str(error))
        self._answered = True
        return completion
