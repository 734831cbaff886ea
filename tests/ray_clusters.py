"""A Ray cluster of two nodes on this machine, for the tests that need one."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

MEMORY = 80 * 2**20
"""Of each node's object store; Ray takes no less than 75 MB."""

NODE: dict[str, Any] = {
    "num_cpus": 1,
    "object_store_memory": MEMORY,
    "include_dashboard": False,
}


@contextmanager
def two_nodes() -> Iterator[Any]:
    """A cluster that this process is connected to; each node has one core."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    os.environ.setdefault("RAY_worker_niceness", "0")  # else a busy machine starves the workers
    ray = pytest.importorskip("ray", reason="Ray is an optional dependency")
    from ray.cluster_utils import Cluster

    try:
        cluster = Cluster(initialize_head=True, head_node_args=NODE)
        cluster.add_node(**NODE)
        ray.init(address=cluster.address, logging_level=logging.ERROR, log_to_driver=False)
    except (OSError, RuntimeError, ValueError) as error:
        pytest.skip(f"no Ray cluster can be started here: {error}")
    try:
        yield cluster
    finally:
        ray.shutdown()
        cluster.shutdown()
