"""Curation in parts: the same decisions as in memory, done once, whoever does them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from tests.curate.parts import SETTINGS, examples

from seedbed.cli import main
from seedbed.curate.dataset import CurateSettings, InMemory, curate
from seedbed.curate.many import Cost, Many, Work, curate_many, processes
from seedbed.curate.rows import write_verdicts
from seedbed.errors import ClusterError, ConfigError, StorageError
from seedbed.records import Example

pytest.importorskip("rensa", reason="rensa is an optional dependency")

Captured = pytest.CaptureFixture[str]


def one_by_one(work: Work, parts: Sequence[int]) -> Iterator[Cost]:
    for part in reversed(parts):  # in any order
        work(part)
        yield Cost.so_far()


def in_parts(
    rows: list[Example], settings: CurateSettings, *, folder: Path, part: int = 50
) -> Many:
    return curate_many(rows, settings, folder=folder, identity="rows", mapper=one_by_one, part=part)


def same(many: Many, whole: InMemory) -> bool:
    return list(many.parts.kept) == whole.kept and list(many.parts.drops) == whole.drops


@pytest.mark.parametrize("part", [1000, 200, 70])
@pytest.mark.parametrize("seed", range(3))
def test_parts_decide_what_memory_decides(tmp_path: Path, part: int, seed: int) -> None:
    rows = examples(600, seed=seed)
    whole = curate(rows, SETTINGS)
    assert {"too_similar", "near_duplicate", "contaminated", "less_diverse", "empty"} <= set(
        whole.reasons
    )
    assert whole.repairs
    assert len(whole.kept) == SETTINGS.diverse
    assert same(in_parts(rows, SETTINGS, folder=tmp_path, part=part), whole)


def test_a_step_that_is_not_asked_for_is_not_taken(tmp_path: Path) -> None:
    rows = examples(120)
    for number, settings in enumerate(
        (
            CurateSettings(),
            CurateSettings(novelty=0.6),
            CurateSettings(near_duplicates=0.5),
            CurateSettings(rules=(), diverse=7),
        )
    ):
        many = in_parts(rows, settings, folder=tmp_path / str(number), part=30)
        assert same(many, curate(rows, settings))
        assert set(many.costs) == set(many.parts.stages)


def test_what_leaves_a_part_empty_and_an_empty_dataset_are_no_trouble(tmp_path: Path) -> None:
    rows = [replace(row, response="") for row in examples(30)] + examples(31)
    assert same(in_parts(rows, SETTINGS, folder=tmp_path / "a", part=10), curate(rows, SETTINGS))
    assert same(in_parts([], SETTINGS, folder=tmp_path / "b"), curate([], SETTINGS))


def test_what_is_done_is_not_done_again_wherever_it_stopped(tmp_path: Path) -> None:
    rows, whole = examples(200), curate(examples(200), SETTINGS)
    steps = 0

    class Killed(BaseException):
        pass

    def failing(work: Work, parts: Sequence[int]) -> Iterator[Cost]:
        """Takes five steps, and in the sixth it dies."""
        nonlocal steps
        for part in parts:
            if steps and steps % 5 == 0:
                steps += 1
                raise Killed
            work(part)
            steps += 1
            yield Cost.so_far()

    killed = 0
    while True:
        written = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.parquet")}
        try:
            many = curate_many(rows, SETTINGS, folder=tmp_path, identity=0, mapper=failing, part=50)
            break
        except Killed:
            killed += 1
        assert all(
            path.stat().st_mtime_ns == time for path, time in written.items() if path.exists()
        )
    assert same(many, whole)
    assert steps - killed == 4 + 10 - 3 + 10 - 3 + 4  # judged, two triangles, windows
    assert killed > 3
    again = curate_many(iter(()), SETTINGS, folder=tmp_path, identity=0, mapper=failing, part=50)
    assert same(again, whole)


def test_another_dataset_or_other_settings_have_parts_of_their_own(tmp_path: Path) -> None:
    first = in_parts(examples(60), SETTINGS, folder=tmp_path)
    other = replace(SETTINGS, novelty=0.5)
    second = in_parts(examples(60), other, folder=tmp_path)
    assert first.parts.folder != second.parts.folder
    assert same(second, curate(examples(60), other))


def test_processes_do_the_same_and_their_errors_arrive(tmp_path: Path) -> None:
    rows = examples(100)
    with processes(2) as mapper:
        many = curate_many(rows, SETTINGS, folder=tmp_path, identity=0, mapper=mapper, part=40)
        assert same(many, curate(rows, SETTINGS))
        many.parts.file("judged", 1).write_bytes(b"not Parquet")
        many.parts.file("novelty", 1).unlink()
        with pytest.raises(StorageError, match=r"00001\.parquet: cannot be read"):
            curate_many(rows, SETTINGS, folder=tmp_path, identity=0, mapper=mapper, part=40)
        with pytest.raises(ClusterError, match="a process died"):
            list(mapper(_die, [0, 1]))


def _die(part: int) -> None:
    import os

    os._exit(9)


def test_the_command_writes_the_same_files_in_parts(tmp_path: Path, capsys: Captured) -> None:
    source = tmp_path / "mine.jsonl"
    rows = [{"instruction": row.instruction.text, "response": row.response} for row in examples(90)]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    options = ["--novelty", "0.7", "--near-duplicates", "0.5", "--diverse", "20", "--json"]
    told = {}
    for engine in ("memory", "processes"):
        out = tmp_path / engine
        more = ["--engine", engine, "--out", str(out), "--parts", "40"]
        assert main(["curate", str(source), *options, *more]) == 0
        told[engine] = json.loads(capsys.readouterr().out)
        assert set(told[engine].pop("costs")) >= {"command"}
        del told[engine]["files"]
    assert told["memory"] == told["processes"]
    for name in ("alpaca.json", "drops.jsonl"):
        memory, parts = (tmp_path / engine / name for engine in ("memory", "processes"))
        assert memory.read_bytes() == parts.read_bytes()


def test_parts_that_cannot_be_kept_are_said(tmp_path: Path) -> None:
    (tmp_path / "judged").write_text("in the way")
    with pytest.raises(StorageError, match="judged: the folder cannot be made: a file of this"):
        write_verdicts(tmp_path / "judged" / "00000.parquet", [None])


def test_an_impossible_way_to_work_says_what_is_expected(tmp_path: Path, capsys: Captured) -> None:
    source = tmp_path / "mine.json"
    source.write_text('[{"instruction": "a", "output": "b"}]')
    assert main(["curate", str(source), "--engine", "processes"]) == 2
    assert "needs --out FOLDER" in capsys.readouterr().err
    out = ["--out", str(tmp_path / "out"), "--engine", "processes"]
    assert main(["curate", str(source), *out, "--parts", "0"]) == 2
    assert "expected 1 or more" in capsys.readouterr().err
    with pytest.raises(ConfigError, match="expected 1 or more"):
        curate(examples(30), replace(SETTINGS, diverse=0))
