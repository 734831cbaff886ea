"""A run against a broken world: a clear error, an exit code, nothing lost, and a way on."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest
from aiohttp import web
from aiohttp.typedefs import Handler
from tests.runs import config, made, run

from seedbed.journal import Journal
from seedbed.models.practice import Trouble, make
from seedbed.models.practice.faults import Faults
from seedbed.models.practice.server import PracticeServer, ServerOptions, start_server
from seedbed.models.practice.traffic import Stats

KEY = "sk-very-secret-0123456789abcdef"


async def seedbed(
    path: Path,
    *,
    environment: dict[str, str] | None = None,
    before: Callable[[], None] | None = None,
) -> tuple[int, str, str]:
    """Exit code, output and errors of `seedbed run`."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "seedbed", "run", str(path)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | (environment or {}),
        preexec_fn=before,
    )
    output, errors = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode is not None
    assert "Traceback" not in errors.decode(), errors.decode()
    return process.returncode, output.decode(), errors.decode()


def over_http(
    folder: Path,
    options: ServerOptions,
    *,
    teacher: str = "",
    environment: dict[str, str] | None = None,
) -> tuple[int, str, str]:
    """One run against a server of its own."""

    async def work() -> tuple[int, str, str]:
        async with start_server(options) as server:
            settings = f'base_url = "{server.base_url}"\nsend_seed = true\n{teacher}'
            return await seedbed(config(folder, teacher=settings), environment=environment)

    return asyncio.run(work())


def test_a_missing_key_is_an_error_before_the_first_call(tmp_path: Path) -> None:
    code, _, errors = over_http(
        tmp_path, ServerOptions(api_key=KEY), teacher='api_key_env = "NO_SUCH_KEY"'
    )
    assert code == 2
    assert "NO_SUCH_KEY" in errors
    assert "export NO_SUCH_KEY=" in errors


def test_a_wrong_key_stops_the_run_and_is_shown_nowhere(tmp_path: Path) -> None:
    code, output, errors = over_http(
        tmp_path,
        ServerOptions(api_key="another"),
        teacher='api_key_env = "TEST_KEY"',
        environment={"TEST_KEY": KEY},
    )
    assert code == 6
    assert "401" in errors
    assert KEY not in output + errors


@asynccontextmanager
async def expiring(*, after: int, then: str) -> AsyncIterator[tuple[str, Stats]]:
    """A server whose key is good for so many answers; then it wants another one."""
    server = PracticeServer(ServerOptions())

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        good = KEY if server.stats.total < after else then
        if request.headers.get("Authorization") != f"Bearer {good}":
            return web.json_response({"error": {"message": "expired"}}, status=401)
        return await handler(request)

    app = server.app()
    app.middlewares.append(check)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1", server.stats
    finally:
        await runner.cleanup()


def settled(folder: Path) -> int:
    with Journal(folder / "journal.db") as journal:
        return sum(1 for _ in journal.entries("completion"))


def test_a_key_that_expires_stops_the_run_and_a_new_one_goes_on(tmp_path: Path) -> None:
    async def work() -> None:
        async with expiring(after=30, then=KEY[::-1]) as (url, stats):
            teacher = f'base_url = "{url}"\nsend_seed = true\napi_key_env = "TEST_KEY"'
            path = config(tmp_path, teacher=teacher)
            code, _, errors = await seedbed(path, environment={"TEST_KEY": KEY})
            assert code == 6
            for words in ("401", "is kept", "api_key_command"):
                assert words in errors
            assert settled(tmp_path / "run") == stats.ok == 30
            code, _, errors = await seedbed(path, environment={"TEST_KEY": KEY[::-1]})
            assert code == 0, errors
            assert settled(tmp_path / "run") == stats.ok

    asyncio.run(work())


def test_a_key_that_expires_is_renewed_by_its_command_while_the_run_goes_on(
    tmp_path: Path,
) -> None:
    key = tmp_path / "key"
    key.write_text(KEY)

    async def work() -> None:
        async with expiring(after=30, then=KEY[::-1]) as (url, stats):
            command = f"sh -c 'cat {key}; echo {KEY[::-1]} > {key}'"
            teacher = f'base_url = "{url}"\nsend_seed = true\napi_key_command = "{command}"'
            code, output, errors = await seedbed(config(tmp_path, teacher=teacher))
            assert code == 0, errors
            assert KEY not in output + errors
            assert settled(tmp_path / "run") == stats.ok > 30

    asyncio.run(work())
    for path in (tmp_path / "run").iterdir():
        assert KEY.encode() not in path.read_bytes(), path


def test_a_right_key_is_in_no_file_and_no_output(tmp_path: Path) -> None:
    code, output, errors = over_http(
        tmp_path,
        ServerOptions(api_key=KEY, faults=Faults(failed=0.2, html=0.1)),
        teacher='api_key_env = "TEST_KEY"',
        environment={"TEST_KEY": KEY},
    )
    assert code == 0, errors
    assert KEY not in output + errors
    for path in (tmp_path / "run").iterdir():
        assert KEY.encode() not in path.read_bytes(), path


def test_a_model_that_is_not_there_stops_the_run(tmp_path: Path) -> None:
    async def work() -> tuple[int, str, str]:
        async with start_server(ServerOptions()) as server:
            path = config(tmp_path, teacher=f'base_url = "{server.base_url}"')
            path.write_text(path.read_text().replace('"practice"', '"gpt-9"'))
            return await seedbed(path)

    code, _, errors = asyncio.run(work())
    assert code == 6
    assert "404" in errors
    assert "gpt-9" in errors


def test_a_server_that_is_not_there_stops_the_run_with_what_to_do(tmp_path: Path) -> None:
    path = config(tmp_path, teacher='base_url = "http://127.0.0.1:9/v1"\npatience = 1.0')
    code, _, errors = asyncio.run(seedbed(path))
    assert code == 6
    assert "127.0.0.1:9" in errors
    assert "→" in errors


def test_a_server_that_dies_midway_stops_the_run_and_a_new_one_goes_on(tmp_path: Path) -> None:
    teacher = 'base_url = "{}"\nsend_seed = true\nmax_in_flight = 4\npatience = 1.0'

    async def first() -> tuple[int, int, str]:
        async with start_server(ServerOptions(trouble=Trouble(latency=0.02))) as server:
            path = config(tmp_path, teacher=teacher.format(server.base_url))
            running = asyncio.create_task(seedbed(path))
            while server.stats.ok < 30 and not running.done():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        code, _, errors = await running
        return server.stats.ok, code, errors

    async def second() -> tuple[int, int, str]:
        async with start_server(ServerOptions()) as server:
            path = config(tmp_path, teacher=teacher.format(server.base_url))
            code, _, errors = await seedbed(path)
        return server.stats.ok, code, errors

    before, code, errors = asyncio.run(first())
    assert code == 6, errors
    after, code, errors = asyncio.run(second())
    assert code == 0, errors
    with Journal(tmp_path / "run" / "journal.db") as journal:
        needed = sum(1 for _ in journal.entries("completion"))
    assert needed <= before + after <= needed + 4


def test_a_server_that_rejects_everything_stops_the_run(tmp_path: Path) -> None:
    """An unknown parameter is answered with 400 for each request: that is no matter of bad rows."""
    code, _, errors = over_http(
        tmp_path, ServerOptions(), teacher='extra = { stop = 7, temperature = "hot" }'
    )
    assert code in (2, 6)
    assert "extra" in errors


def test_a_full_disk_stops_the_run_and_space_lets_it_go_on(tmp_path: Path) -> None:
    """A limit on the size of files stands in for the disk: writing fails in the same way."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (120_000, 120_000))

    path = config(tmp_path)
    code, _, errors = asyncio.run(seedbed(path, before=limit))
    assert code == 4, errors
    assert "disk" in errors
    assert run(path).status == "complete"
    run(config(tmp_path, run="whole"))
    assert made(tmp_path / "run") == made(tmp_path / "whole")


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs a folder that nobody can write to")
def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    path = config(tmp_path)
    path.write_text(path.read_text().replace('folder = "run"', 'folder = "/proc/run"'))
    code, _, errors = asyncio.run(seedbed(path))
    assert code == 4
    assert "/proc/run" in errors


def test_a_bad_dataset_stops_the_run_or_is_skipped_by_setting(tmp_path: Path) -> None:
    pairs = [("adding_numbers", "capital_letters"), ("roman_numerals", "sorting_numbers")]
    written = [make(pair, "Narrative", Random(n)) for pair in pairs for n in range(4)]
    lines = [json.dumps({"instruction": asked, "output": said}) for asked, said in written]
    lines[4] = lines[4][:20]
    (tmp_path / "mine.jsonl").write_text("\n".join(lines))
    path = config(tmp_path, skills='dataset = { path = "mine.jsonl" }')
    code, _, errors = asyncio.run(seedbed(path))
    assert code == 3
    assert "mine.jsonl" in errors
    assert "line 5" in errors
    path = config(tmp_path, skills='dataset = { path = "mine.jsonl", on_bad_line = "skip" }')
    code, output, _ = asyncio.run(seedbed(path))
    assert code == 0
    assert "line 5" in output
