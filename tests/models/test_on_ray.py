"""A model in the actors of a Ray cluster: the answers of one process, also when nodes are lost."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.ray_clusters import MEMORY, two_nodes
from tests.runs import lines, paid, run
from tests.training.students import make_base

from seedbed.errors import ConfigError, Stopped, Unreachable
from seedbed.journal import Journal
from seedbed.models.announced import Announced
from seedbed.models.journaled import Journaled
from seedbed.models.local import LocalModel, LocalSettings
from seedbed.models.model import Model
from seedbed.models.on_ray import RayModel
from seedbed.models.retrying import Patience, Retrying
from seedbed.records import Completion, Message, Request, Sampling

CONFIG = """
count = 2
folder = "{folder}"
[teacher]
model = "hf/{base}"
local = {{ device = "cpu", dtype = "float32", rows = 4{actors} }}
[skills]
path = "skills.json"
[skillmix]
max_tokens = 20
rounds = 2
"""

CPU = LocalSettings(device="cpu", dtype="float32", rows=4)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    with two_nodes() as made:
        yield made


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_base(
        tmp_path_factory.mktemp("base"), initializer_range=0.3, max_position_embeddings=8192
    )


def request(number: int, *, tokens: int = 12) -> Request:
    return Request(
        messages=(Message("user", "sort the list"),),
        sampling=Sampling(temperature=1.0, max_tokens=tokens),
        draw=number,
    )


def on_ray(base: Path, *, actors: int = 2, name: str = "") -> RayModel:
    make = partial(LocalModel, base, settings=CPU)
    return RayModel(make, name=name or LocalModel(base).name, actors=actors, gpus=0)


@asynccontextmanager
async def journaled(base: Path, path: Path, *, actors: int) -> AsyncIterator[tuple[Model, Journal]]:
    with Journal(path) as journal:
        async with on_ray(base, actors=actors) as model:
            patience = Patience(attempts=50, first_wait=0.1, longest_wait=1.0)
            retrying = Retrying(Announced(model, journal), patience=patience)
            yield Journaled(retrying, journal), journal


async def alone(base: Path, requests: list[Request]) -> list[str]:
    async with LocalModel(base, settings=CPU) as model:
        return [each.text for each in await asyncio.gather(*map(model.complete, requests))]


@pytest.mark.slow
def test_a_lost_node_re_asks_only_what_had_not_settled(
    cluster: Any, base: Path, tmp_path: Path
) -> None:
    requests = [request(number) for number in range(80)]
    node = cluster.add_node(num_cpus=1, object_store_memory=MEMORY)

    async def work() -> list[Completion]:
        nonlocal node
        # As many actors as nodes with a core each: one of them is on the node that is lost.
        async with journaled(base, tmp_path / "journal.db", actors=3) as (model, journal):

            async def ask(each: Request) -> Completion:
                nonlocal node
                answer = await model.complete(each)
                if journal.performed >= 20 and node is not None:
                    lost, node = node, None
                    await asyncio.to_thread(cluster.remove_node, lost, allow_graceful=False)
                return answer

            answers = await asyncio.gather(*map(ask, requests))
            assert journal.performed == len(requests)
            return answers

    async def again() -> list[Completion]:
        async with journaled(base, tmp_path / "journal.db", actors=1) as (model, journal):
            answers = await asyncio.gather(*map(model.complete, requests))
            assert (journal.performed, journal.replayed) == (0, len(requests))
            return answers

    answers = asyncio.run(work())
    assert node is None
    assert [answer.text for answer in answers] == asyncio.run(alone(base, requests))
    assert asyncio.run(again()) == answers


class Dying:
    """Dies of one question, and says to others which process it is."""

    name = "dying"

    async def __aenter__(self) -> Dying:
        return self

    async def __aexit__(self, *error: object) -> None: ...

    async def complete(self, request: Request, /) -> Completion:
        if request.draw == 0:
            os._exit(1)
        return Completion(text=str(os.getpid()))


@pytest.mark.slow
def test_actors_work_side_by_side_and_come_back_when_they_die(cluster: Any) -> None:
    async def work() -> None:
        async with RayModel(Dying, name="dying", actors=2, gpus=0) as model:
            seen: set[str] = set()
            while len(seen) < 2:  # the second one may be late
                answers = await asyncio.gather(*(model.complete(request(n)) for n in range(1, 9)))
                seen |= {answer.text for answer in answers}
            for _ in seen:
                with pytest.raises(Unreachable, match="was lost"):
                    await model.complete(request(0))
            assert model.said == "0 of 2 actors"
            with pytest.raises(Unreachable, match="no actor"):
                await model.complete(request(1))
            retrying = Retrying(
                model, patience=Patience(start_seconds=300, first_wait=0.1, longest_wait=1)
            )
            assert (await retrying.complete(request(1))).text not in seen

    asyncio.run(work())


def test_what_waits_in_an_actor_is_refused_when_the_run_stops(cluster: Any, base: Path) -> None:
    async def work() -> list[Completion | BaseException]:
        async with on_ray(base, actors=1) as model:
            asked = [asyncio.create_task(model.complete(request(n, tokens=100))) for n in range(40)]
            await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
            model.stop()
            return await asyncio.gather(*asked, return_exceptions=True)

    answers = asyncio.run(work())
    written = [answer for answer in answers if isinstance(answer, Completion)]
    assert written
    refused = [answer for answer in answers if isinstance(answer, Stopped)]
    assert refused
    assert len(written) + len(refused) == len(answers)


def test_what_no_actor_can_do_is_said_at_the_start(cluster: Any) -> None:
    async def enter(model: RayModel) -> None:
        async with model:
            raise AssertionError("entered")

    with pytest.raises(ConfigError, match="an actor holds dying, and here is another"):
        asyncio.run(enter(RayModel(Dying, name="another", actors=1, gpus=0)))
    with pytest.raises(ConfigError, match="0 GPUs; an actor takes 1 and 1"):
        asyncio.run(enter(RayModel(Dying, name="dying", actors=1, gpus=1)))


@pytest.mark.slow
def test_a_run_with_actors_is_the_run_without(cluster: Any, base: Path, tmp_path: Path) -> None:
    skills = {"skills": [{"name": f"skill {n}"} for n in range(6)]}
    query_types = {"query_types": [{"name": "question"}]}
    (tmp_path / "skills.json").write_text(json.dumps(skills | query_types))
    written: list[object] = []
    for actors in ("", ", actors = 2"):
        path = tmp_path / f"run{len(written)}.toml"
        path.write_text(CONFIG.format(folder=path.stem, base=base, actors=actors))
        assert paid(run(path)) > 0
        written.append(lines(tmp_path / path.stem / "drops.jsonl"))
    assert written[0] == written[1] != []
