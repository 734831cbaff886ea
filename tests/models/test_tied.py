"""Programs that end when whoever started them does."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

from seedbed.models.tied import TiedProcess

FAMILY = (
    "import os, subprocess, sys, time\n"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
    "open(sys.argv[1], 'w').write(f'{os.getpid()} {child.pid}')\n"
    "print('there', flush=True)\n"
    "time.sleep(600)\n"
)
"""A program that has started another one, and writes down who they are."""

STARTER = (
    "import asyncio, os, sys\n"
    "from seedbed.models.tied import TiedProcess\n"
    "async def main():\n"
    "    tied = TiedProcess([sys.executable, '-c', sys.argv[1], sys.argv[2]], dict(os.environ))\n"
    "    await tied.start()\n"
    "    await tied.wait()\n"
    "asyncio.run(main())\n"
)


def family(path: Path) -> list[int]:
    """The processes that a file names, once it does."""
    while not (path.exists() and len(numbers := path.read_text().split()) == 2):
        time.sleep(0.05)
    return [int(number) for number in numbers]


def gone(numbers: list[int], *, within: float = 60.0) -> bool:
    until = time.monotonic() + within
    while any(psutil.pid_exists(n) and not _dead(n) for n in numbers):
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def _dead(number: int) -> bool:
    try:
        return bool(psutil.Process(number).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def tied(code: str, *arguments: str) -> TiedProcess:
    return TiedProcess([sys.executable, "-c", code, *arguments], dict(os.environ))


def test_it_ends_with_all_that_it_has_started(tmp_path: Path) -> None:
    async def work() -> None:
        process = tied(FAMILY, str(tmp_path / "family"))
        await process.start()
        numbers = await asyncio.to_thread(family, tmp_path / "family")
        assert not process.ended
        await process.stop()
        assert process.ended
        assert process.lines == ["there"]
        assert gone(numbers)

    asyncio.run(work())


def test_it_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "family"
    parent = subprocess.Popen([sys.executable, "-c", STARTER, FAMILY, str(path)])
    numbers = family(path)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    assert gone(numbers)


def test_it_ends_when_its_parent_and_all_its_children_are_killed(tmp_path: Path) -> None:
    """As Ray does with an actor."""
    path = tmp_path / "family"
    parent = psutil.Popen([sys.executable, "-c", STARTER, FAMILY, str(path)])
    numbers = family(path)
    for process in (*parent.children(), parent):
        process.kill()
    parent.wait()
    assert gone(numbers)


def test_what_does_not_listen_is_killed(tmp_path: Path) -> None:
    deaf = FAMILY.replace(
        "time.sleep(600)\n", "signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)\n"
    )

    async def work() -> None:
        process = tied(f"import signal\n{deaf}", str(tmp_path / "family"))
        await process.start()
        numbers = await asyncio.to_thread(family, tmp_path / "family")
        await process.stop()
        assert gone(numbers)

    asyncio.run(work())


LEAVES_AT_ONCE = (
    "import asyncio, os, sys\n"
    "from seedbed.models.tied import TiedProcess\n"
    "async def main():\n"
    "    tied = TiedProcess([sys.executable, '-c', sys.argv[1], sys.argv[2]], dict(os.environ))\n"
    "    await tied.start()\n"
    "    while not tied.lines: await asyncio.sleep(0.05)\n"
    "    asyncio.get_running_loop().call_later(0.2, asyncio.current_task().cancel)\n"
    "    await tied.stop()\n"
    "try: asyncio.run(main())\n"
    "except asyncio.CancelledError: print('left')\n"
)


def test_who_does_not_wait_for_its_end_leaves_without_a_word_and_it_ends(tmp_path: Path) -> None:
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + FAMILY
    path = tmp_path / "family"
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-c", LEAVES_AT_ONCE, deaf, str(path)],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stdout == "left\n"
    assert done.stderr == ""
    assert gone(family(path))


def test_its_last_lines_are_kept() -> None:
    async def work() -> list[str]:
        process = tied("import sys\nfor n in range(1000): print(n)\nsys.stderr.write('a\\rb')")
        await process.start()
        await process.wait()
        await process.stop()
        return process.lines

    lines = asyncio.run(work())
    assert lines[-3:] == ["999", "a", "b"]
    assert len(lines) == 400


def test_a_program_that_is_not_there_says_so() -> None:
    async def work() -> list[str]:
        process = TiedProcess(["/no/such/program"], dict(os.environ))
        await process.start()
        await process.wait()
        return process.lines

    assert "No such file" in asyncio.run(work())[0]
