"""Public datasets, as their authors published them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from seedbed.datasets import ReadSettings, read_dataset, read_instructions, sample
from seedbed.errors import DatasetError

DATA = Path(__file__).parents[1] / "../shared/data"

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is not here")

SKIP = ReadSettings(on_bad_line="skip")


@pytest.mark.parametrize(
    ("name", "kind", "shape", "rows", "empty"),
    [
        ("alpaca/alpaca_data.json", "JSON", "alpaca", 52002, 28),
        ("alpaca/alpaca_random_9k.json", "JSON", "alpaca", 9229, 4),
        ("alpaca/dolly_3k.json", "JSON", "alpaca", 2996, 0),
        ("alpaca_libre/alpaca_libre_tasks_v1.jsonl", "JSONL", "alpaca", 2375, 237),
        ("self_instruct/seed_tasks.jsonl", "JSONL", "seed_tasks", 175, 0),
        ("self_instruct/user_oriented_instructions.jsonl", "JSONL", "seed_tasks", 252, 0),
        ("h2o_wizardlm/wizardlm.508e.json", "JSON", "columns", 8, 3),
        ("h2o_wizardlm/wizardlm.9186.json", "JSON", "columns", 35, 0),
        ("skillmix/ism_sda_k2_1000.json", "JSON", "alpaca", 1000, 0),
        ("alpaca_eval/alpaca_eval_gpt4_baseline.json", "JSON", "alpaca", 805, 0),
    ],
)
def test_every_row_is_kept_or_accounted_for(
    name: str, kind: str, shape: str, rows: int, empty: int
) -> None:
    dataset = read_dataset(DATA / name)
    found = sum(1 for _ in dataset)
    report = dataset.report
    assert (report.kind, report.shape, report.rows) == (kind, shape, rows)
    assert report.kept == found == rows - empty
    assert report.reasons == ({"empty_response": empty} if empty else {})


@pytest.mark.parametrize("name", ["alpaca/alpaca_data.json", "alpaca/dolly_3k.json"])
def test_the_rows_are_those_that_the_json_module_reads(name: str) -> None:
    rows = [row for row in json.loads((DATA / name).read_bytes()) if row["output"].strip()]
    examples = list(read_dataset(DATA / name))
    assert [example.instruction.text for example in examples] == [r["instruction"] for r in rows]
    assert [example.input.strip() for example in examples] == [row["input"].strip() for row in rows]
    assert [example.response for example in examples] == [row["output"] for row in rows]


BROKEN = [2279, *range(2281, 2292), 2293, 2294]
"""The malformed lines of `alpaca_libre_tasks_v2.jsonl`: quotes doubled as in a CSV."""


def test_malformed_lines_are_skipped_and_listed() -> None:
    dataset = read_dataset(DATA / "alpaca_libre/alpaca_libre_tasks_v2.jsonl", settings=SKIP)
    assert sum(1 for _ in dataset) == 2294 - 14 - 51
    assert dataset.report.reasons == {"not_json": 14, "empty_response": 51}
    skipped = [item.number for item in dataset.report.skipped if item.reason == "not_json"]
    assert skipped == BROKEN
    assert f"14 not_json (lines {', '.join(map(str, BROKEN))})" in str(dataset.report)


def test_the_first_malformed_line_stops_unless_told_otherwise() -> None:
    path = DATA / "alpaca_libre/alpaca_libre_tasks_v2.jsonl"
    with pytest.raises(DatasetError) as caught:
        list(read_dataset(path))
    message = str(caught.value)
    assert message.startswith(f"{path}: line 2279: not JSON")
    assert '"input": """", "output"' in message
    assert "expected one JSON object per line" in message
    assert 'on_bad_line = "skip"' in caught.value.hint


def test_a_test_set_without_responses_gives_instructions() -> None:
    path = DATA / "wizardlm/WizardLM_testset.jsonl"
    assert sum(1 for _ in read_instructions(path)) == 218
    with pytest.raises(DatasetError, match="no column with responses; found `idx`, `Skill`"):
        list(read_dataset(path))


def test_a_licence_text_is_no_dataset() -> None:
    with pytest.raises(DatasetError, match="read as CSV: no column with instructions"):
        list(read_dataset(DATA / "alpaca/DATA_LICENSE"))


def test_a_table_of_numbers_says_which_columns_it_has() -> None:
    with pytest.raises(DatasetError, match=r"read as CSV: no column .* found `model`, `row`"):
        list(read_dataset(DATA / "alpaca_eval/annotations_compact.csv.gz"))


def test_a_packed_copy_reads_the_same(tmp_path: Path) -> None:
    path = DATA / "alpaca_libre/alpaca_libre_tasks_v1.jsonl"
    (tmp_path / "packed").write_bytes(gzip.compress(path.read_bytes(), 1))
    assert list(read_dataset(tmp_path / "packed")) == list(read_dataset(path))


def test_a_sample_of_alpaca_does_not_depend_on_its_order(tmp_path: Path) -> None:
    path = DATA / "alpaca/alpaca_random_9k.json"
    rows = json.loads(path.read_bytes())
    (tmp_path / "reversed.json").write_text(json.dumps(rows[::-1]))
    one = sample(read_dataset(path), 500, seed=3)
    assert one == sample(read_dataset(tmp_path / "reversed.json"), 500, seed=3)
    assert len({example.id for example in one}) == 500
