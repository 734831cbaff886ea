"""Ray, as far as seedbed knows it: connected quietly, and its troubles in our words."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from multiprocessing.pool import ThreadPool
from typing import Any, TypeVar

from seedbed.errors import ClusterError, ConfigError

ADDRESS = "RAY_ADDRESS"
"""The variable in which Ray looks for a cluster; without it, this machine's cores are one."""

_LOOK = 5.0
"""Seconds between two looks at whether the head is there."""

_PATIENCE = 30.0
"""Seconds without it until work ends here; after 60 Ray ends this process, in its own words."""

_HINT = "Run the same command again, with a cluster that lives: what is done is kept."

T = TypeVar("T")


def check_installed() -> None:
    """Whether Ray is there, without loading it.

    Raises:
        ConfigError: it is not.
    """
    if find_spec("ray") is None:
        raise ConfigError("Ray is not installed", hint="pip install 'seedbed[ray]'")


@contextmanager
def connected() -> Iterator[None]:
    """A cluster for the time of the block: the one that this process is connected to, else the one
    at `$RAY_ADDRESS`, else one of this machine's cores, which ends with the block.

    Nothing is reported to anybody: no usage statistics, no dashboard.

    Raises:
        ConfigError: Ray is not installed.
        ClusterError: the cluster cannot be reached.
    """
    check_installed()
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ENABLE_AUTO_CONNECT", "0")  # what is shut down stays so
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # else it warns of the future
    import ray

    if ray.is_initialized():
        yield
        return
    address = os.environ.get(ADDRESS, "local")
    own: dict[str, Any] = {"include_dashboard": False} if address == "local" else {}
    try:
        _knock(address)
        with _own_signals():
            ray.init(address=address, logging_level=logging.ERROR, log_to_driver=False, **own)
    except (ConnectionError, OSError, RuntimeError, ValueError) as error:
        raise ClusterError(
            f"no Ray cluster at {address}: {error}",
            hint=f"`ray start --head` on one machine, `ray start --address=…` on the others, and "
            f"{ADDRESS}=HOST:6379 (or auto, on a machine of the cluster) here.",
        ) from error
    try:
        yield
    finally:
        ray.shutdown()


@contextmanager
def _own_signals() -> Iterator[None]:
    """Ray would have SIGTERM end the process at once, and calls in flight with it."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, before)


def _knock(address: str) -> None:
    """Whether anybody is there: Ray itself asks for many minutes.

    Raises:
        OSError: nobody is.
    """
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if port.isdigit():
        with socket.create_connection((host.strip("[]"), int(port)), timeout=10):
            pass


def while_it_lives(rows: Iterator[T]) -> Iterator[T]:
    """What comes of a cluster, as long as its head is there; where the head cannot be seen from
    here (behind `ray://`), as long as Ray itself goes on.

    Raises:
        ClusterError: the head is gone.
    """
    import ray

    address = ray.get_runtime_context().gcs_address
    if not _answers(address):
        yield from rows
        return
    with ThreadPool(1) as waiting:  # its threads hold nobody back who leaves
        while True:
            coming, seen = waiting.apply_async(next, (rows, None)), time.monotonic()
            coming.wait(_LOOK)
            while not coming.ready():
                if _answers(address):
                    seen = time.monotonic()
                elif time.monotonic() - seen > _PATIENCE:
                    raise ClusterError(f"the Ray cluster's head at {address} is gone", hint=_HINT)
                coming.wait(_LOOK)
            row = coming.get()
            if row is None:
                return
            yield row


def _answers(address: str) -> bool:
    try:
        _knock(address)
    except OSError:
        return False
    return True


@contextmanager
def troubles() -> Iterator[None]:
    """What Ray raises, as an error that says how to go on; what our own code raised, as it was.

    Raises:
        ClusterError: a machine or process is gone for good, or does not do what it should.
    """
    from ray.exceptions import RayError, UserCodeException

    try:
        yield
    except UserCodeException:
        raise
    except RayError as error:
        raise ClusterError(
            f"the Ray cluster does not go on: {first_line(error)}",
            hint=_HINT,
        ) from error


def first_line(error: Exception) -> str:
    """What an error says, without the traceback of another machine that Ray puts behind it."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
