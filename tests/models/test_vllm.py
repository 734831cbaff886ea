"""vLLM started here: the real one where the command `vllm` is on the PATH, else a stand-in."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import resource
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import psutil
import pytest
from tests.models.test_tied import gone
from tests.ray_clusters import two_nodes
from tests.runs import lines, paid, run
from tests.training.students import make_base

from seedbed.errors import ConfigError, ModelError, Stopped, Unreachable
from seedbed.measuring import EvalPlan, EvalProgress, measure, subject_of
from seedbed.models.local import LocalModel, LocalSettings
from seedbed.models.on_ray import RayModel
from seedbed.models.retrying import Patience, Retrying
from seedbed.models.vllm import VllmModel, held_port
from seedbed.models.vllm_settings import VllmSettings
from seedbed.records import Completion, Message, Request, Sampling

REAL = shutil.which("vllm")
STAND_IN = Path(__file__).with_name("vllm_stand_in.py")
SMALL = VllmSettings(
    rows=4, context=512, dtype="float32", cache_gib=0.25, options=("--enforce-eager",)
)
CONFIG = """
count = 2
folder = "run"
[teacher]
model = "vllm/{base}"
local = {{ device = "cpu", dtype = "float32", rows = 4, context = 8192, cache_gib = 0.5, \
options = ["--enforce-eager", "--no-enable-chunked-prefill"] }}
[skills]
path = "skills.json"
[skillmix]
max_tokens = 20
rounds = 2
"""

stand_in_only = pytest.mark.skipif(REAL is not None, reason="makes the stand-in fail")


@pytest.fixture(scope="module", autouse=True)
def command(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """`vllm` on the PATH."""
    folder = tmp_path_factory.mktemp("bin")
    path = folder / "vllm"
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{STAND_IN}" "$@"\n')
    path.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        if REAL is None:
            patch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
        yield


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # vLLM's heads are of 32 values and more.
    return make_base(
        tmp_path_factory.mktemp("base"),
        initializer_range=0.3,
        hidden_size=128,
        intermediate_size=256,
        max_position_embeddings=8192,
    )


def request(draw: int = 0, *, temperature: float = 1.0, text: str = "sort the list") -> Request:
    return Request(
        messages=(Message("user", text),),
        sampling=Sampling(temperature=temperature, max_tokens=12),
        draw=draw,
    )


def servers(base: Path) -> list[int]:
    """The processes that serve a folder."""
    found: list[int] = []
    for process in psutil.process_iter(["cmdline"]):
        line: list[str] = process.info["cmdline"] or []
        if "serve" in line and str(base) in line and line[0].find("sh") != 0:
            found.append(process.pid)
    return found


async def until(true: Callable[[], object]) -> None:
    """Wait until something is true, for two minutes at most."""
    for _ in range(2400):
        if true():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it did not come")


def kill(base: Path) -> None:
    """Kill the server as a machine short of memory does, but not who watches over it."""
    for number in servers(base):
        process = psutil.Process(number)
        if not any("tied.py" in word for word in process.cmdline()):
            process.kill()


def test_it_answers_as_the_checkpoint_does(base: Path) -> None:
    async def ask() -> list[Completion]:
        async with VllmModel(base, settings=SMALL) as model:
            requests = [request(0, temperature=0.0), *map(request, (1, 2, 1))]
            return await asyncio.gather(*map(model.complete, requests))

    async def greedy() -> str:
        local = LocalSettings(device="cpu", dtype="float32")
        async with LocalModel(base, settings=local) as model:
            return (await model.complete(request(0, temperature=0.0))).text

    answers = asyncio.run(ask())
    texts = [answer.text for answer in answers]
    # The last token may end within a character, which the two show in different ways.
    assert texts[0].rstrip("\ufffd") == asyncio.run(greedy()).rstrip("\ufffd")
    assert texts[1] == texts[3] != texts[2]
    assert {answer.usage.completion_tokens for answer in answers} == {12}
    assert gone(servers(base))


def test_it_starts_when_it_is_asked_and_stays_for_the_next(base: Path) -> None:
    async def work() -> None:
        async with VllmModel(base, settings=SMALL) as model:
            await asyncio.sleep(0.5)
            assert not servers(base)
            asked = asyncio.create_task(model.complete(request()))
            await until(lambda: servers(base))
            assert model.said.startswith("vLLM is loading the model (")
            await asked
            assert model.said == ""
            first = servers(base)
            await model.complete(request(1))
            assert servers(base) == first != []

    asyncio.run(work())
    assert gone(servers(base))


def test_a_server_that_was_killed_is_started_again(base: Path) -> None:
    async def work() -> None:
        async with VllmModel(base, settings=SMALL) as model:
            before = await model.complete(request())
            first = servers(base)
            kill(base)
            patience = Patience(attempts=20, first_wait=0.1, longest_wait=1.0)
            after = await Retrying(model, patience=patience).complete(request())
            assert after.text == before.text
            assert not set(servers(base)) & set(first)

    asyncio.run(work())


def test_what_it_cannot_load_is_told_with_its_own_reason(base: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(base, broken)
    shape = json.loads((broken / "config.json").read_text())
    (broken / "config.json").write_text(json.dumps(shape | {"model_type": "no_such_model"}))

    async def work() -> None:
        async with VllmModel(broken, settings=SMALL) as model:
            await model.complete(request())

    with pytest.raises(ConfigError, match=r"vllm/broken@\w+ --enforce-eager: vLLM cannot serve"):
        asyncio.run(work())


@stand_in_only
def test_what_ends_it_before_it_has_answered_ends_the_run(base: Path) -> None:
    async def work() -> None:
        async with VllmModel(base, settings=SMALL) as model:
            with pytest.raises(Unreachable):
                await model.complete(request(text="die"))
            await Retrying(model, patience=Patience(first_wait=0.1)).complete(request())

    with pytest.raises(ModelError, match="before it had answered: OutOfMemoryError: CUDA") as told:
        asyncio.run(work())
    assert str(told.value).endswith("out of memory, Bearer [key]")


def test_a_run_that_stops_does_not_wait_for_the_model(base: Path) -> None:
    async def work() -> list[Completion | BaseException]:
        async with VllmModel(base, settings=SMALL) as model:
            asked = [asyncio.create_task(model.complete(request(n))) for n in range(3)]
            await until(lambda: model.said)
            model.stop()
            told = await asyncio.gather(*asked, return_exceptions=True)
            later = await asyncio.gather(model.complete(request()), return_exceptions=True)
            return [*told, *later]

    assert [type(answer) for answer in asyncio.run(work())] == [Stopped] * 4
    assert gone(servers(base))


def test_who_leaves_while_it_ends_leaves_nothing_open(base: Path) -> None:
    async def work() -> None:
        async with VllmModel(base, settings=SMALL) as model:
            await model.complete(request())
            leaving = asyncio.current_task()
            assert leaving is not None
            asyncio.get_running_loop().call_soon(leaving.cancel)

    async def leave() -> None:
        with pytest.raises(asyncio.CancelledError):
            await asyncio.create_task(work())
        await until(lambda: not servers(base))
        gc.collect()  # a session that was not closed says so

    asyncio.run(leave())


def test_nobody_waits_for_it_and_it_says_nothing(base: Path) -> None:
    async def work() -> None:
        async with VllmModel(base, settings=SMALL) as model:
            asked = asyncio.create_task(model.complete(request()))
            await until(lambda: model.said)
            asked.cancel()
            await until(lambda: not model.said)
            await model.complete(request())

    asyncio.run(work())


def test_options_of_json_are_found_in_its_list_of_models(base: Path) -> None:
    option = ("--additional-config", '{"a \\" quote": "ä"}')
    settings = replace(SMALL, options=(*SMALL.options, *option))

    async def work() -> None:
        async with VllmModel(base, settings=settings) as model:
            assert model.name.endswith(option[1])
            await model.complete(request())

    asyncio.run(work())


def test_its_port_is_given_to_nobody_else() -> None:
    async def serve(port: int) -> None:
        async with await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", port):
            pass

    with held_port() as port:
        with socket.socket() as stranger, pytest.raises(OSError, match="in use"):
            stranger.bind(("127.0.0.1", port))
        asyncio.run(serve(port))


def test_where_no_process_can_be_made_the_error_says_so(base: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)

    async def work() -> None:
        async with VllmModel(base, settings=SMALL) as model:
            resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
            try:
                with pytest.raises(ModelError, match="vLLM cannot be started: Too many open files"):
                    await model.complete(request())
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            await model.complete(request())

    asyncio.run(work())


def test_what_could_not_be_started_is_said_first(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def enter(model: VllmModel) -> None:
        async with model:
            raise AssertionError("entered")

    with pytest.raises(ConfigError, match="options: --port is set by Seedbed"):
        VllmSettings(options=("--port=1",))
    with pytest.raises(ConfigError, match=r"--hf-token: .* a secret must not") as told:
        VllmSettings(options=("--hf_token=hf_abc",))
    assert "hf_abc" not in str(told.value)
    with pytest.raises(ConfigError, match="no such folder"):
        VllmModel("vllm/./nowhere")
    bare = tmp_path / "bare"
    shutil.copytree(base, bare)
    (bare / "chat_template.jinja").unlink()
    with pytest.raises(ConfigError, match="no chat template"):
        asyncio.run(enter(VllmModel(bare)))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="`vllm` is not on the PATH"):
        asyncio.run(enter(VllmModel(base)))


def test_options_are_part_of_the_name_and_the_rest_is_not(base: Path) -> None:
    plain = VllmModel(f"vllm/{base}").name
    assert plain == LocalModel(base).name.replace("hf/", "vllm/")
    assert VllmModel(base, settings=VllmSettings(rows=4, dtype="float32")).name == plain
    assert VllmModel(base, settings=SMALL).name == f"{plain} --enforce-eager"


def test_a_measuring_says_what_it_waits_for_and_stops_at_once(base: Path, tmp_path: Path) -> None:
    subject = subject_of(f"vllm/{base}")
    assert subject.folder == base / "evaluation"
    plan = EvalPlan(subject=subject, benchmarks=("practice",), folder=tmp_path)
    said: list[str] = []

    async def work() -> bool:
        stop = asyncio.Event()

        def watch(progress: EvalProgress) -> None:
            said.append(progress.trouble)
            if progress.trouble:
                stop.set()

        return (await measure(plan, watch=watch, stop=stop)).finished

    assert not asyncio.run(work())
    assert any(text.startswith("vLLM is loading the model (") for text in said)
    assert gone(servers(base))


@pytest.mark.slow
def test_a_run_asks_it_and_pays_nothing_again(base: Path, tmp_path: Path) -> None:
    skills = {"skills": [{"name": f"skill {n}"} for n in range(6)]}
    query_types = {"query_types": [{"name": "question"}]}
    (tmp_path / "skills.json").write_text(json.dumps(skills | query_types))
    (tmp_path / "run.toml").write_text(CONFIG.format(base=base))
    assert paid(run(tmp_path / "run.toml")) > 0
    drops = lines(tmp_path / "run" / "drops.jsonl")
    assert drops != []
    assert paid(run(tmp_path / "run.toml")) == 0
    assert lines(tmp_path / "run" / "drops.jsonl") == drops
    assert gone(servers(base))


@pytest.mark.slow
def test_actors_of_a_cluster_each_hold_one_and_take_it_with_them(base: Path) -> None:
    requests = [request(number) for number in range(24)]

    async def alone() -> list[str]:
        async with VllmModel(base, settings=SMALL) as model:
            return [each.text for each in await asyncio.gather(*map(model.complete, requests))]

    async def work() -> list[str]:
        make = partial(VllmModel, base, settings=SMALL)
        async with RayModel(make, name=make().name, actors=2, gpus=0) as model:
            await until(lambda: not model.said)  # both of them are there
            retrying = Retrying(model, patience=Patience(attempts=50, first_wait=0.1))
            half = [each.text for each in await asyncio.gather(*map(model.complete, requests[:12]))]
            kill(base)
            rest = await asyncio.gather(*map(retrying.complete, requests[12:]))
            return half + [each.text for each in rest]

    expected = asyncio.run(alone())
    with two_nodes():
        assert asyncio.run(work()) == expected
        assert gone(servers(base))
