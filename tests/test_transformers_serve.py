"""The check against a server that this project did not write, and whose traps it knows."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from tests.training.students import make_base

from seedbed.cli import main

pytest.importorskip("fastapi", reason="transformers[serving] is not installed")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_base(tmp_path_factory.mktemp("base"), initializer_range=0.3)


@pytest.fixture(scope="module")
def url(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`transformers serve`, as it comes; it takes some ten seconds to start."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = str(taken.getsockname()[1])
    serve = [str(Path(sys.executable).parent / "transformers"), "serve", str(base)]
    home = tmp_path_factory.mktemp("hub")
    with (home / "log").open("wb") as log:
        child = subprocess.Popen(
            [*serve, "--host", "127.0.0.1", "--port", port, "--device", "cpu"],
            env=os.environ | {"OMP_NUM_THREADS": "1", "HF_HOME": str(home), "HF_HUB_OFFLINE": "1"},
            stdout=log,
            stderr=log,
        )
    try:
        _wait_for(f"http://127.0.0.1:{port}/health", child, home / "log")
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        child.terminate()
        child.wait(timeout=30)


def _wait_for(url: str, child: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert child.poll() is None, log.read_text()
        try:
            with urlopen(url, timeout=5):
                return
        except (URLError, OSError):
            time.sleep(0.2)
    raise AssertionError(log.read_text())


@pytest.mark.slow
def test_the_check_finds_what_transformers_serve_ignores(
    base: Path, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    # A run with it would make one text over and over: `temperature` alone does not make it sample.
    assert main(["check", "--base-url", url, "--model", str(base), "--json"]) == 6
    told = json.loads(capsys.readouterr().out)
    verdicts = {row["capability"]: row["verdict"] for row in told["findings"]}
    assert not told["usable"]
    for ignored in ("sampling", "logprobs", "json_schema", "n"):
        assert verdicts[ignored] == "ignored"
    for obeyed in ("greedy", "max_tokens", "stop", "usage", "system"):
        assert verdicts[obeyed] == "pass"
