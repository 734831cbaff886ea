"""The benchmark's files: from a folder, from the hub's cache, and what is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from tests.evaluate.alpaca_eval.made import COUNT, data, write_data
from tests.evaluate.shared_data import FOLDER, needs_data

from seedbed.errors import DatasetError
from seedbed.evaluate.alpaca_eval import hub
from seedbed.evaluate.alpaca_eval.data import DIGESTS, GAMED, REFERENCE, load_data


def test_a_folder_holds_the_benchmark(tmp_path: Path) -> None:
    benchmark = data(tmp_path)
    assert len(benchmark.instructions) == len(benchmark.outputs) == len(benchmark.difficulty)
    assert len(benchmark.gamed.share) == 2 * COUNT
    assert benchmark.baseline == "baseline-1"
    assert benchmark.places()["Explain thing number 3."] == 3
    assert "Not the published file by its digest: alpaca_eval_gpt4" in benchmark.notes()[0]
    assert set(benchmark.settings["data"]) == set(DIGESTS)


@needs_data
def test_the_shared_reference_is_the_published_one() -> None:
    benchmark = load_data(FOLDER)
    assert len(benchmark.instructions) == 805
    assert benchmark.baseline == "gpt4_1106_preview"
    assert benchmark.digests[REFERENCE] == DIGESTS[REFERENCE]
    assert "instruction_difficulty.csv, df_gamed.csv." in benchmark.notes()[0]
    assert "alpaca_eval_gpt4_baseline.json" not in benchmark.notes()[0]


def cached(folder: Path, name: str, content: Path) -> Path:
    """Put a file where the hub's library keeps what it fetched."""
    home = f"datasets--{hub.REPOSITORY.replace('/', '--')}"
    place = folder / home / "snapshots" / hub.REVISION / name
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(content, place)
    return place


@needs_data
def test_a_cached_file_of_the_hub_is_used_and_held_against_its_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    place = cached(tmp_path, REFERENCE, FOLDER / REFERENCE)
    assert hub.fetch(REFERENCE, cache=tmp_path).samefile(place)
    cached(tmp_path, "instruction_difficulty.csv", FOLDER / "df_gamed_surrogate.csv")
    with pytest.raises(DatasetError, match=r"instruction_difficulty\.csv: SHA-256 f049b58a\w+…"):
        load_data(cache=tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        (REFERENCE, "[", "cannot be read"),
        (REFERENCE, "[]", "expected a JSON list of objects with a text `instruction`"),
        (REFERENCE, '[{"instruction": "a"}]', "with a text `output`"),
        (REFERENCE, '[{"instruction": "a", "output": "b"}]', "40 difficulties for 1 instructions"),
        ("instruction_difficulty.csv", "index,d\n0,0.5\n2,1\n", "the indices 0, 1, 2"),
        ("instruction_difficulty.csv", "index,d\n0,hard\n", "cannot be read as index"),
        (GAMED, "preference,std_delta_len\n0.5,1\n", "expected a CSV with the columns"),
    ],
)
def test_a_file_that_is_something_else_is_refused(
    tmp_path: Path, name: str, content: str, complaint: str
) -> None:
    write_data(tmp_path)
    (tmp_path / name).write_text(content)
    with pytest.raises(DatasetError, match=complaint) as caught:
        load_data(tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_a_missing_file_is_named_with_the_names_that_it_may_have(tmp_path: Path) -> None:
    write_data(tmp_path)
    (tmp_path / GAMED).unlink()
    with pytest.raises(DatasetError, match=r"no df_gamed\.csv and no df_gamed_surrogate\.csv"):
        load_data(tmp_path)


def test_an_instruction_twice_and_two_generators_are_refused(tmp_path: Path) -> None:
    path = write_data(tmp_path) / REFERENCE
    rows = json.loads(path.read_text())
    path.write_text(json.dumps([*rows[:-1], rows[0]]))
    with pytest.raises(DatasetError, match="an instruction is there twice"):
        load_data(tmp_path)
    path.write_text(json.dumps([*rows[:-1], rows[-1] | {"generator": "another"}]))
    with pytest.raises(DatasetError, match="several generators"):
        load_data(tmp_path)
