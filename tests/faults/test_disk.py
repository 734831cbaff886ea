"""A disk that is full, read-only, or kept only half of the last write."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from tests.faults.test_crash import TEACHER, reached, start, until
from tests.runs import config, made, run

from seedbed.journal import Journal
from seedbed.models.practice import Trouble
from seedbed.models.practice.server import ServerOptions, start_server

SMALL_DISK = """
import json, os, subprocess, sys
folder, config, sizes = sys.argv[1], sys.argv[2], sys.argv[3].split()
def mount(options):
    subprocess.run(["mount", "-o", options, folder], check=True)
def seedbed(*arguments):
    done = subprocess.run([sys.executable, "-m", "seedbed", *arguments], capture_output=True)
    return done.returncode, done.stderr.decode()
told = []
for size in sizes:
    out = f"{folder}/{size}"
    mount(f"remount,size={size}")
    full = seedbed("run", config, "--out", out)
    mount("remount,size=20m")
    told.append((size, full, seedbed("run", config, "--out", out)))
    subprocess.run(["cp", "-r", out, os.path.dirname(config)], check=True)
    if size != sizes[-1]:
        subprocess.run(["rm", "-r", out], check=True)
mount("remount,ro")
print(json.dumps([told, seedbed("run", config, "--out", out), seedbed("show", out)]))
"""

SIZES = ("8k", "40k", "60k", "500k")
"""Too small for a journal, for the files beside it, for the manifest, for the calls."""


@pytest.mark.slow
def test_a_disk_that_is_full_at_any_time_or_read_only_loses_nothing(tmp_path: Path) -> None:
    """A real file system of a few kilobytes, in a namespace of its own."""
    path = config(tmp_path)
    disk = tmp_path / "disk"
    disk.mkdir()
    inside = 'mount -t tmpfs none "$2" && exec "$0" -c "$1" "$2" "$3" "$4"'
    words = (sys.executable, SMALL_DISK, disk, path, " ".join(SIZES))
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", inside, *words],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode and "Traceback" not in done.stderr:
        pytest.skip(f"no small disk can be mounted here: {done.stderr.strip()}")
    assert not done.returncode, done.stderr
    told, read_only, shown = json.loads(done.stdout)
    run(config(tmp_path, run="whole"))
    for size, (code, errors), again in told:
        assert code == 4, (size, errors)
        assert "Traceback" not in errors
        assert "damaged" not in errors, "who believes that begins anew, and pays anew"
        assert "disk" in errors
        assert again[0] == 0, (size, again[1])
        assert made(tmp_path / size) == made(tmp_path / "whole")
    assert read_only[0] == 4
    assert "cannot be written" in read_only[1]
    assert shown == [0, ""]


def cut(size: int) -> Callable[[bytes], bytes]:
    return lambda content: content[:-size]


def scrawled(content: bytes) -> bytes:
    """The last page was never written, and something else stands in its place."""
    return content[:-4096] + Random(0).randbytes(4096)


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that was killed in the middle."""
    folder = tmp_path_factory.mktemp("torn")

    async def work() -> None:
        async with start_server(ServerOptions(trouble=Trouble(latency=0.02))) as server:
            teacher = TEACHER.format(url=server.base_url, in_flight=4)
            process = await start(config(folder, teacher=teacher), folder / "run")
            assert await until(lambda: reached(server, 60), process)
            process.send_signal(signal.SIGKILL)
            await process.communicate()

    asyncio.run(work())
    assert (folder / "run" / "journal.db-wal").stat().st_size > 20_000
    return folder / "run"


@pytest.mark.parametrize(
    "tear",
    [cut(1), cut(1000), cut(20_000), scrawled, lambda content: content[: len(content) // 2]],
    ids=["a byte", "a part of a page", "some pages", "another page", "half"],
)
def test_what_a_power_cut_tore_off_the_journal_is_asked_again_and_nothing_else(
    killed: Path, tmp_path: Path, tear: Callable[[bytes], bytes]
) -> None:
    """The last commits are lost, whole; the journal before them stands."""
    with_all = settled(shutil.copytree(killed, tmp_path / "all"))
    shutil.copytree(killed, tmp_path / "run")
    log = tmp_path / "run" / "journal.db-wal"
    log.write_bytes(tear(log.read_bytes()))
    left = settled(shutil.copytree(tmp_path / "run", tmp_path / "left"))
    assert left == with_all[: len(left)]

    async def work() -> int:
        async with start_server(ServerOptions()) as server:
            teacher = TEACHER.format(url=server.base_url, in_flight=4)
            path = config(tmp_path, teacher=teacher)
            process = await start(path, tmp_path / "run")
            _, errors = await process.communicate()
            assert process.returncode == 0, errors.decode()
            return server.stats.ok

    asked = asyncio.run(work())
    assert asked == len(settled(tmp_path / "run")) - len(left)
    run(config(tmp_path, run="whole"))
    whole, ours = (json_lines(tmp_path / name) for name in ("whole", "run"))
    assert ours == whole


def settled(folder: Path) -> list[str]:
    with Journal(folder / "journal.db") as journal:
        return [entry.key for entry in journal.entries("completion")]


def json_lines(folder: Path) -> list[tuple[str, str]]:
    rows = map(json.loads, (folder / "examples.jsonl").read_text().splitlines())
    return [(row["instruction"], row["response"]) for row in rows]
