"""Our seed tasks, and the user's own in any form that can be read."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from tests.recipes.self_instruct.made import grown, numbered, scripted

from seedbed.datasets.seed_tasks import read_seed_tasks
from seedbed.errors import DatasetError
from seedbed.export import example_to_json
from seedbed.recipes.self_instruct import PRESETS, Seed, shipped_seeds
from seedbed.recipes.self_instruct.params import Params
from seedbed.recipes.self_instruct.seeds import seeds_of
from seedbed.records import JSON

DATA = Path(__file__).parents[3] / "../shared/data"


def read(path: Path) -> tuple[Seed, ...]:
    found = read_seed_tasks(path)
    return seeds_of(found.tasks, classification=found.classification)


def jsonl(path: Path, *rows: JSON) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_ours_are_175_of_which_25_are_classification() -> None:
    seeds = shipped_seeds()
    assert (len(seeds), sum(seed.is_classification is True for seed in seeds)) == (175, 25)
    assert len({seed.instruction.id for seed in seeds}) == 175
    assert all(len(seed.examples) == 1 for seed in seeds)


def test_the_public_form_keeps_its_instances_and_flags(tmp_path: Path) -> None:
    rows = [
        {
            "id": "seed_task_0",
            "instruction": "Tell the sign.",
            "instances": [{"input": "3", "output": "+"}, {"input": "-3", "output": "-"}],
            "is_classification": True,
        },
        {
            "id": "seed_task_1",
            "instruction": "Sing.",
            "instances": [{"input": "", "output": "La."}],
            "is_classification": False,
        },
    ]
    first, second = read(jsonl(tmp_path / "mine.jsonl", *rows))
    assert [(one.input, one.response) for one in first.examples] == [("3", "+"), ("-3", "-")]
    assert (first.is_classification, second.is_classification) == (True, False)


def test_our_own_file_reads_back_as_it_is() -> None:
    path = Path(__file__).parents[3] / "src/seedbed/recipes/self_instruct/seed_tasks.jsonl"
    flat = [(s.instruction.text, s.examples[0].input, s.is_classification) for s in read(path)]
    ours = [(s.instruction.text, s.examples[0].input, s.is_classification) for s in shipped_seeds()]
    assert flat == ours


def test_csv_messages_and_bare_instructions_are_read(tmp_path: Path) -> None:
    table = tmp_path / "mine.csv"
    with table.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["instruction", "output", "is_classification"])
        writer.writerows(
            [["Is it odd?", "yes", "TRUE"], ["Sing.", "La.", "false"], ["Hum.", "M", ""]]
        )
    assert [seed.is_classification for seed in read(table)] == [True, False, None]
    chat = {
        "messages": [{"role": "user", "content": "Sing."}, {"role": "assistant", "content": "La."}]
    }
    (seed,) = read(jsonl(tmp_path / "chat.jsonl", chat))
    assert (seed.instruction.text, seed.examples[0].response) == ("Sing.", "La.")
    bare = read(jsonl(tmp_path / "bare.jsonl", {"instruction": "Sing."}, {"instruction": "Hum."}))
    assert [(seed.instruction.text, seed.examples) for seed in bare] == [
        ("Sing.", ()),
        ("Hum.", ()),
    ]


def test_another_runs_examples_are_seeds_with_their_kind(tmp_path: Path) -> None:
    teacher = scripted(
        lambda _: numbered("Is the message spam or not?"),
        kind="yes",
        instances="### Label 1:\nspam\n### Input 1:\nBuy!",
    )
    params = Params(**{**_fields(PRESETS["chat"]), "count": 1})
    (example,) = grown(teacher, params).examples
    jsonl(tmp_path / "examples.jsonl", example_to_json(example))
    (seed,) = read(tmp_path)
    assert (seed.instruction, seed.is_classification) == (example.instruction, True)


def _fields(params: Params) -> dict[str, JSON]:
    return {"bootstrap": params.bootstrap, "instances": params.instances}


def test_a_file_that_is_no_dataset_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "mine.jsonl").write_text("hello\n")
    with pytest.raises(DatasetError):
        read(tmp_path / "mine.jsonl")
    with pytest.raises(DatasetError, match="no such file"):
        read(tmp_path / "none.jsonl")


def test_the_public_seeds_are_read_whole() -> None:
    path = DATA / "self_instruct/seed_tasks.jsonl"
    if not path.exists():
        pytest.skip(f"{path} is absent: no public seeds to read")
    seeds = read(path)
    assert len(seeds) == 175
    assert sum(seed.is_classification is True for seed in seeds) == 26
    assert sum(not seed.examples[0].input for seed in seeds) == 50
