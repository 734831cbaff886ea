"""Clients as processes: this project's, and those of other tools where they are installed.

`setup.sh` in the peers' folder installs each tool in a virtual environment of its own below
PEERS_HOME; a tool that is not there is left out. Its script there makes the same calls as ours.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HOME = Path(os.environ.get("PEERS_HOME", Path(tempfile.gettempdir()) / "seedbed-peers"))

DATATROVE = Path(__file__).with_name("peer_datatrove.py")

LONGEST = 300
"""Seconds after which a tool is stopped and left out of a row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A tool's environment below PEERS_HOME, its script, and the number in flight that suits it."""

    environment: str
    script: str
    in_flight: Mapping[int, int]

    @property
    def python(self) -> Path:
        return HOME / self.environment / "bin" / "python"


PEERS = {
    "openai": Peer(environment="base", script="bl_openai.py", in_flight={}),
    "datatrove": Peer(environment="datatrove", script=str(DATATROVE), in_flight={}),
    "curator": Peer(environment="curator", script="peer_curator.py", in_flight={}),
    "datadesigner": Peer(
        environment="datadesigner", script="peer_datadesigner.py", in_flight={256: 128, 64: 16}
    ),
    "distilabel": Peer(
        environment="distilabel", script="peer_distilabel.py", in_flight={256: 500, 64: 250}
    ),
}
"""`in_flight` is what served each best for so many (our notes' sweep); else the same number."""


def installed() -> list[str]:
    return [name for name, peer in PEERS.items() if peer.python.exists()]


def command_of(name: str, folder: Path, *, url: str, calls: int, in_flight: int) -> list[str]:
    peer = PEERS[name]
    most = peer.in_flight.get(in_flight, in_flight)
    work = HOME / "work"
    size = ["--n", str(calls), "--conc", str(most), "--url", url]
    files = ["--out", str(work / "out.jsonl"), "--work", str(work)]
    return [str(peer.python), str(folder / peer.script), *size, *files]


def measure(
    command: list[str], *, url: str, calls: int, server: Mapping[str, float], place: Path
) -> dict[str, float]:
    """Run a client to its end against a mock server that was told what to do.

    Args:
        place: a folder that is emptied of what an earlier run cached.

    Returns:
        Seconds of the whole command, seconds to its first request, calls per second between the
        first request and the last answer, CPU of the client with all its processes, the memory of
        the largest, and what the server counted. Empty if it was stopped or failed.
    """
    subprocess.run(["rm", "-rf", str(place)], check=True)
    place.mkdir(parents=True)
    ask_server(f"{url}/reset", dict(server))
    began = time.time()
    with (place / "log").open("w") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, cwd=place, env=_environment(), start_new_session=True
        )
        used = _wait(process, LONGEST)
    ended = time.time()
    stats = ask_server(f"{url}/stats")
    if used is None or process.returncode or stats["unique"] < calls:
        told = (place / "log").read_text(errors="replace")[-300:]
        print(f"{command[1]}: {process.returncode}, {stats['unique']} of {calls} calls: {told}")
        return {}
    return {
        "seconds": ended - began,
        "first": stats["t_first"] - began,
        "calling": stats["t_last"] - stats["t_first"],
        "rate": stats["ok"] / (stats["t_last"] - stats["t_first"]),
        "cpu_ms": 1000 * (used.ru_utime + used.ru_stime) / calls,
        "megabytes": used.ru_maxrss / 1024,
        "peak": stats["peak"],
        "connections": stats["conns"],
        "refused": stats["failed"],
    }


def first_request(command: list[str], *, url: str) -> float:
    """Seconds from starting a command to its first request; what it does with it is no matter."""
    ask_server(f"{url}/reset", {})
    began = time.time()
    output = subprocess.DEVNULL
    with subprocess.Popen(command, stdout=output, stderr=output, env=_environment()) as process:
        while (first := ask_server(f"{url}/stats")["t_first"]) is None and process.poll() is None:
            time.sleep(0.01)
        process.kill()
    assert first is not None, f"{command} sent no request"
    return float(first) - began


def _wait(process: subprocess.Popen[bytes], seconds: float) -> Any:
    """The resources that a process and its children used; None if it had to be stopped."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        ended, status, used = os.wait4(process.pid, os.WNOHANG)
        if ended:
            process.returncode = os.waitstatus_to_exitcode(status)
            return used
        time.sleep(0.01)
    os.killpg(process.pid, 9)
    process.wait()
    return None


def _environment() -> dict[str, str]:
    proxies = {"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"}
    # Where a client is started, this package is not in sight.
    paths = [str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    kept = {name: value for name, value in os.environ.items() if name not in proxies}
    own = {"PYTHONWARNINGS": "ignore", "NO_PROXY": "127.0.0.1"}
    return kept | own | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}


@contextmanager
def mock_server(peers: Path, *, core: int | None = None) -> Iterator[str]:
    """The mock server of the peers' folder, by the environment that `setup.sh` made for it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    python = HOME / "base" / "bin" / "python"
    own = str(python) if python.exists() else sys.executable
    own_server = str(Path(__file__).with_name("peer_server.py"))
    command = [own, own_server, str(peers), "--port", str(port), "--max-seconds", "7200"]
    if core is not None:
        command = ["taskset", "-c", str(core), *command]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def ask_server(url: str, content: dict[str, float] | None = None) -> dict[str, Any]:
    data = None if content is None else json.dumps(content).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data=data), timeout=20) as response:
        answer: dict[str, Any] = json.loads(response.read())
    return answer
