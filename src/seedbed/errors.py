"""What can go wrong with the world. A bad sample is never an exception: it is a `Drop`.

    SeedbedError                      exit code
    ├── ConfigError                   2  a setting, a prompt file or an argument is wrong
    ├── DatasetError                  3  a data file cannot be read as what it should be
    ├── JournalError                  4  the journal cannot be trusted, locked or written
    ├── StorageError                  4  a file of the run cannot be written
    ├── BudgetError                   5  a cap is reached, or a price is unknown
    ├── TrainingError                 8  a student cannot be tuned any further
    ├── ClusterError                  9  the machines or processes that worked are gone
    └── ModelError                    6  a model could not answer
        ├── AccessDenied                   401, 403: the key is wrong
        ├── NotFound                       404: no such model or address
        ├── RequestRejected                400, 413, 422: this one request is not acceptable
        ├── Stopped                        the run ends, and this request is not sent any more
        └── Transient                      worth trying again
            ├── RateLimited                429
            ├── Overloaded                 5xx
            ├── Unreachable                refused or lost connection, no address
            ├── TimedOut                   no answer in time
            └── Garbled                    an answer that is not what the protocol says

Every error says what happened, what was expected, and in `hint` what to do next.
"""

from __future__ import annotations


class SeedbedError(Exception):
    """Base of everything that this package raises on purpose.

    Args:
        message: what happened and what was expected, in one line.
        hint: what to do next.

    `maybe_paid` is True where an effect was begun and its fate is unknown: somebody may have
    charged for it, so the journal lists it as in doubt.
    """

    exit_code = 1
    maybe_paid = False

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class ConfigError(SeedbedError):
    exit_code = 2


class DatasetError(SeedbedError):
    exit_code = 3


class JournalError(SeedbedError):
    """Stop: an effect that is not remembered would be paid twice."""

    exit_code = 4


class StorageError(SeedbedError):
    exit_code = 4


class BudgetError(SeedbedError):
    exit_code = 5


class TrainingError(SeedbedError):
    exit_code = 8


class ClusterError(SeedbedError):
    exit_code = 9


class ModelError(SeedbedError):
    """A model could not answer."""

    exit_code = 6

    def __init__(self, message: str, *, hint: str = "", maybe_paid: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.maybe_paid = maybe_paid


class AccessDenied(ModelError):
    pass


class NotFound(ModelError):
    pass


class RequestRejected(ModelError):
    pass


class Stopped(ModelError):
    pass


class Transient(ModelError):
    """Worth trying again; `retry_after` is the server's own wish in seconds, if it had one."""

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        maybe_paid: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, hint=hint, maybe_paid=maybe_paid)
        self.retry_after = retry_after


class RateLimited(Transient):
    pass


class Overloaded(Transient):
    pass


class Unreachable(Transient):
    pass


class TimedOut(Transient):
    pass


class Garbled(Transient):
    pass
