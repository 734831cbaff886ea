"""Curation on a Ray cluster of two nodes: the same files, also when machines and drivers die."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.curate.parts import SETTINGS, examples
from tests.ray_clusters import NODE, two_nodes

from seedbed.cli import main
from seedbed.curate.dataset import CurateSettings, curate
from seedbed.curate.many import Cost, Work, curate_many
from seedbed.curate.on_ray import ray_data
from seedbed.errors import StorageError

pytest.importorskip("rensa", reason="rensa is an optional dependency")

Captured = pytest.CaptureFixture[str]

ALL = ["--novelty", "0.85", "--near-duplicates", "0.4", "--diverse", "50"]
NOVELTY = ["--novelty", "0.85"]

HEAD = (
    "import json, os, sys\n"
    "from ray.cluster_utils import Cluster\n"
    "cluster = Cluster(initialize_head=True, head_node_args=json.loads(sys.argv[1]))\n"
    "print(cluster.address, flush=True)\n"
    "sys.stdin.read()\n"
    "cluster.head_node.kill_all_processes(check_alive=False, allow_graceful=False)\n"
    "os._exit(0)\n"
)
"""The head of a cluster, which is lost when its standard input is closed."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    with two_nodes() as made:
        yield made


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "mine.jsonl"
    rows = [
        {"instruction": row.instruction.text, "response": row.response} for row in examples(300)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def command(source: Path, options: list[str], engine: str, out: Path) -> list[str]:
    more = ["--engine", engine, "--out", str(out), "--parts", "100", "--json"]
    return ["curate", str(source), *options, *more]


def files(out: Path) -> list[bytes]:
    return [(out / name).read_bytes() for name in ("alpaca.json", "drops.jsonl")]


@pytest.mark.slow
def test_two_nodes_write_the_same_files_and_both_work(
    cluster: Any, source: Path, tmp_path: Path, capsys: Captured
) -> None:
    import ray

    assert len([node for node in ray.nodes() if node["Alive"]]) == 2
    assert main(command(source, ALL, "memory", tmp_path / "memory")) == 0
    capsys.readouterr()
    assert main(command(source, ALL, "ray", tmp_path / "ray")) == 0
    told = json.loads(capsys.readouterr().out)
    assert files(tmp_path / "ray") == files(tmp_path / "memory")
    assert set(told["costs"]) == {"judged", "novelty", "near_duplicates", "diverse", "command"}


@pytest.mark.slow
def test_a_killed_driver_goes_on_where_it_was(cluster: Any, source: Path, tmp_path: Path) -> None:
    out, whole = tmp_path / "ray", tmp_path / "memory"
    child = subprocess.Popen(
        [sys.executable, "-m", "seedbed", *command(source, NOVELTY, "ray", out)],
        env=os.environ | {"RAY_ADDRESS": cluster.address},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 120
    while child.poll() is None and not list(out.rglob("novelty/00001.parquet")):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    child.wait()
    done = {path: path.stat().st_mtime_ns for path in out.rglob("*.parquet")}
    assert not (out / "alpaca.json").exists()
    for engine, folder in (("ray", out), ("memory", whole)):
        assert main(command(source, NOVELTY, engine, folder)) == 0
    assert files(out) == files(whole)
    left = {path: time for path, time in done.items() if path.exists()}
    assert {path: path.stat().st_mtime_ns for path in left} == left


@pytest.mark.slow
def test_a_lost_head_is_said_and_the_next_command_goes_on(
    cluster: Any, source: Path, tmp_path: Path
) -> None:
    out, whole = tmp_path / "ray", tmp_path / "memory"
    told = [*command(source, NOVELTY, "ray", out), "--parts", "10"]
    head = subprocess.Popen(
        [sys.executable, "-c", HEAD, json.dumps(NODE)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert head.stdout is not None
    address = head.stdout.readline().strip()
    child = subprocess.Popen(
        [sys.executable, "-m", "seedbed", *told],
        env=os.environ | {"RAY_ADDRESS": address},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 120
    while child.poll() is None and not list(out.rglob("judged/00000.parquet")):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    head.communicate()
    _, errors = child.communicate(timeout=120)
    assert child.returncode == 9, errors
    assert f"the Ray cluster's head at {address} is gone" in errors
    assert "Run the same command again" in errors
    done = {path: path.stat().st_mtime_ns for path in out.rglob("judged/*.parquet")}
    assert main(told) == 0
    assert main(command(source, NOVELTY, "memory", whole)) == 0
    assert files(out) == files(whole)
    assert {path: path.stat().st_mtime_ns for path in done} == done


@pytest.mark.slow
def test_a_lost_node_loses_nothing(cluster: Any, tmp_path: Path) -> None:
    rows, settings = examples(300), CurateSettings(novelty=0.85)
    node = cluster.add_node(num_cpus=1, object_store_memory=80 * 2**20)

    with ray_data() as ray_mapper:

        def losing(work: Work, parts: Sequence[int]) -> Iterator[Cost]:
            nonlocal node
            for cost in ray_mapper(work, parts):
                yield cost
                if node is not None:
                    cluster.remove_node(node, allow_graceful=False)
                    node = None

        many = curate_many(rows, settings, folder=tmp_path, identity=0, mapper=losing, part=100)
    whole = curate(rows, settings)
    assert node is None
    assert list(many.parts.kept) == whole.kept
    assert list(many.parts.drops) == whole.drops


def test_an_error_of_a_step_arrives_in_its_own_words(cluster: Any, tmp_path: Path) -> None:
    with ray_data() as mapper:
        made = curate_many(
            examples(20), SETTINGS, folder=tmp_path, identity=0, mapper=mapper, part=20
        )
        made.parts.file("judged", 0).write_bytes(b"not Parquet")
        made.parts.file("novelty", 0).unlink()
        with pytest.raises(StorageError, match=r"00000\.parquet: cannot be read"):
            curate_many(examples(20), SETTINGS, folder=tmp_path, identity=0, mapper=mapper, part=20)


def test_without_a_cluster_the_message_says_how_to_have_one(source: Path, tmp_path: Path) -> None:
    child = subprocess.run(
        [sys.executable, "-m", "seedbed", *command(source, NOVELTY, "ray", tmp_path)],
        env=os.environ | {"RAY_ADDRESS": "127.0.0.1:9"},
        capture_output=True,
        text=True,
    )
    assert child.returncode == 9
    assert "no Ray cluster at 127.0.0.1:9" in child.stderr
    assert "ray start --head" in child.stderr
