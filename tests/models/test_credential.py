"""A key that a command prints: had before the first call, renewed once when it is refused."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from tests.models.servers import Asked, answer, chat_body, serving
from tests.models.test_chat import REQUEST, everything_said, settings

from seedbed.config_tables import ModelTable
from seedbed.errors import AccessDenied
from seedbed.models.batch_api import BatchApi
from seedbed.models.chat import ChatModel
from seedbed.models.credential import Credential
from seedbed.models.practice.server import ServerOptions, start_server
from seedbed.models.settings import ChatSettings
from seedbed.records import Completion

FIRST, SECOND = "ya29.first-0123456789abcdef", "ya29.second-0123456789abcdef"


def provider(
    good: list[str], asked: list[str]
) -> Callable[[Asked, asyncio.StreamWriter], Awaitable[None]]:
    """Takes the key that is last in `good`."""
    yes, no = answer(body=chat_body()), answer(status=401, body={"error": {"message": "expired"}})

    async def talk(request: Asked, writer: asyncio.StreamWriter) -> None:
        key = request.headers["authorization"].removeprefix("Bearer ")
        asked.append(key)
        await asyncio.sleep(0.02)
        await (yes if key == good[-1] else no)(request, writer)

    return talk


def script(folder: Path, key: str) -> str:
    """A command that prints what stands in a file, and counts how often it runs."""
    (folder / "key").write_text(key)
    path = folder / "a command.py"
    path.write_text(
        f"open({str(folder / 'runs')!r}, 'a').write('x')\n"
        f"print(open({str(folder / 'key')!r}).read())\n"
    )
    return f"{sys.executable} '{path}'"


def runs(folder: Path) -> int:
    return len((folder / "runs").read_text())


def test_an_expired_key_is_renewed_once_however_many_calls_it_hits(tmp_path: Path) -> None:
    good, asked = [FIRST], list[str]()

    async def main() -> list[Completion]:
        async with serving(provider(good, asked)) as server:
            made = settings(server, api_key_command=script(tmp_path, FIRST))
            async with ChatModel(made) as model:
                await model.complete(REQUEST)
                assert asked == [FIRST]
                good.append(SECOND)
                (tmp_path / "key").write_text(SECOND)
                return await asyncio.gather(*(model.complete(REQUEST) for _ in range(20)))

    assert [completion.text for completion in asyncio.run(main())] == ["Hello."] * 20
    assert runs(tmp_path) == 2
    assert asked[-1] == SECOND


def test_a_key_that_does_not_change_is_refused_once_and_for_all(tmp_path: Path) -> None:
    good, asked = [SECOND], list[str]()

    async def main() -> list[Completion | BaseException]:
        async with serving(provider(good, asked)) as server:
            made = settings(server, api_key_command=script(tmp_path, FIRST))
            async with ChatModel(made) as model:
                return await asyncio.gather(
                    *(model.complete(REQUEST) for _ in range(20)), return_exceptions=True
                )

    for error in asyncio.run(main()):
        assert isinstance(error, AccessDenied)
        assert "401" in str(error)
        assert FIRST not in everything_said(error)
    assert runs(tmp_path) == 2
    assert len(asked) == 20


def test_the_batch_api_renews_its_key_too(tmp_path: Path) -> None:
    async def main() -> str:
        async with start_server(ServerOptions(api_key=SECOND)) as server:
            made = ChatSettings(
                model="practice",
                base_url=server.base_url,
                api_key_command=script(tmp_path, FIRST),
            )
            credential = Credential(made)
            await credential.prepare()
            (tmp_path / "key").write_text(SECOND)
            async with BatchApi(made, credential=credential) as api:
                return await api.upload([b"{}"])

    assert asyncio.run(main())
    assert runs(tmp_path) == 2


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("no-such-command-here", "cannot be run"),
        ("sh -c 'echo sk-half; exit 3'", "exit code 3"),
        ("true", "nothing that can be a key"),
        ("echo two words", "nothing that can be a key"),
        ("printf 'sk-ü'", "nothing that can be a key"),
    ],
)
def test_a_command_that_gives_no_key_is_named_and_what_it_says_is_not_shown(
    command: str, words: str
) -> None:
    made = ChatSettings(model="m", api_key_command=command)
    with pytest.raises(AccessDenied, match=words) as caught:
        asyncio.run(Credential(made).prepare())
    for said in ("sk-half", "two words", "sk-ü"):
        assert said not in str(caught.value)


def test_a_command_is_run_without_a_shell(tmp_path: Path) -> None:
    made = ChatSettings(model="m", api_key_command=f"echo $HOME;touch {tmp_path / 'made'}")
    with pytest.raises(AccessDenied):
        asyncio.run(Credential(made).prepare())
    assert os.listdir(tmp_path) == []


def test_a_key_comes_from_one_place() -> None:
    with pytest.raises(ValueError, match="give one of them"):
        ModelTable(model="m", api_key_env="K", api_key_command="echo x")
    with pytest.raises(ValueError, match="api_key_command"):
        ModelTable(model="m", api_key_command="echo 'x")
    assert ModelTable(model="gpt-4o", api_key_command="echo x").key_variable is None
