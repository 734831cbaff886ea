"""Each shape is loaded with the library that reads it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import datasets
import pandas
import pyarrow.parquet as pq
import pytest

from seedbed.errors import ConfigError, StorageError
from seedbed.export import (
    SHAPES,
    default_name,
    example_from_json,
    example_to_json,
    write_examples,
    write_parquet,
)
from seedbed.files import write_jsonl
from seedbed.records import Example, Instruction, Origin

ORIGIN = Origin(recipe="skillmix", step="three_turn", skills=("a", "b"), calls=("k1", "k2"))
EXAMPLES = [
    Example(instruction=Instruction(text="Sort.", origin=ORIGIN), input="3 1", response="1 3"),
    Example(instruction=Instruction(text="Say\u2028 \N{GRINNING FACE}"), response='a\n"b"\r\n\tc'),
    Example(instruction=Instruction(text="Long"), response="x" * 200_000, repairs=("tail",)),
]
ASKED = ["Sort.\n\n3 1", "Say\u2028 \N{GRINNING FACE}", "Long"]


def written(folder: Path, shape: str, examples: list[Example] = EXAMPLES) -> Path:
    path = folder / default_name(shape)
    assert write_examples(examples, path, shape=shape) == len(examples)
    return path


def loaded(path: Path, folder: Path) -> list[dict[str, Any]]:
    """The rows as the `datasets` library reads them."""
    builder = "parquet" if path.suffix == ".parquet" else "json"
    rows = datasets.load_dataset(
        builder, data_files=str(path), split="train", cache_dir=str(folder / "cache")
    )
    return [dict(row) for row in rows]


def turns(user: str, assistant: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": user}, {"role": "assistant", "content": assistant}]


def test_messages_load_as_conversations_and_hold_nothing_else(tmp_path: Path) -> None:
    rows = loaded(written(tmp_path, "messages"), tmp_path)
    assert [row["messages"] for row in rows] == [
        turns(asked, example.response) for asked, example in zip(ASKED, EXAMPLES, strict=True)
    ]
    assert all(row.keys() == {"messages"} for row in rows)


def test_alpaca_loads_with_its_input_and_its_origin(tmp_path: Path) -> None:
    path = written(tmp_path, "alpaca")
    rows = loaded(path, tmp_path)
    assert list(rows[0])[:4] == ["instruction", "input", "output", "id"]
    assert [row["output"] for row in rows] == [example.response for example in EXAMPLES]
    assert (rows[0]["instruction"], rows[0]["input"]) == ("Sort.", "3 1")
    assert (rows[0]["skills"], rows[0]["calls"], rows[1]["skills"]) == (
        ["a", "b"],
        ["k1", "k2"],
        [],
    )
    assert rows[2]["repairs"] == ["tail"]
    frame = pandas.read_json(path)
    assert list(frame["id"]) == [example.id for example in EXAMPLES]
    assert json.loads(path.read_bytes()) == rows


def test_sharegpt_loads_with_its_origin(tmp_path: Path) -> None:
    rows = loaded(written(tmp_path, "sharegpt"), tmp_path)
    assert rows[0]["conversations"] == [
        {"from": "human", "value": ASKED[0]},
        {"from": "gpt", "value": "1 3"},
    ]
    assert [row["id"] for row in rows] == [example.id for example in EXAMPLES]
    assert rows[0]["recipe"] == "skillmix"


def openai_objections(row: Mapping[str, Any]) -> list[str]:
    """What OpenAI's published checker of chat fine-tuning files would object to in a line."""
    objections = []
    if row.keys() != {"messages"} or not row["messages"]:
        return ["a line holds `messages`, and only that"]
    for message in row["messages"]:
        if message.keys() - {"role", "content", "name", "weight", "function_call"}:
            objections.append("unknown key")
        if message.get("role") not in {"system", "user", "assistant", "function"}:
            objections.append("unknown role")
        if not isinstance(message.get("content"), str) or not message["content"]:
            objections.append("no content")
    if not any(message.get("role") == "assistant" for message in row["messages"]):
        objections.append("nothing to learn")
    return objections


def test_openai_files_pass_its_documented_rules(tmp_path: Path) -> None:
    path = written(tmp_path, "openai")
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert len(rows) == len(EXAMPLES)
    assert [openai_objections(row) for row in rows] == [[]] * len(rows)
    assert rows[0]["messages"] == turns(ASKED[0], "1 3")


def test_the_rules_of_openai_can_be_broken() -> None:
    assert openai_objections({"messages": turns("Q", "A"), "id": "x"})
    assert openai_objections({"messages": turns("Q", "")})
    assert openai_objections({"messages": turns("Q", "A")[:1]})


def test_parquet_loads_everywhere_and_comes_back(tmp_path: Path) -> None:
    path = written(tmp_path, "parquet")
    assert [example_from_json(row) for row in loaded(path, tmp_path)] == EXAMPLES
    assert [example_from_json(row) for row in pq.read_table(path).to_pylist()] == EXAMPLES
    frame = pandas.read_parquet(path)
    assert list(frame["response"]) == [example.response for example in EXAMPLES]


def test_a_run_keeps_lines_that_load_as_well(tmp_path: Path) -> None:
    path = tmp_path / "examples.jsonl"
    write_jsonl(path, map(example_to_json, EXAMPLES))
    assert [example_from_json(row) for row in loaded(path, tmp_path)] == EXAMPLES


def test_the_schema_does_not_depend_on_the_data(tmp_path: Path) -> None:
    assert write_parquet([], tmp_path / "none.parquet") == 0
    empty = pq.read_schema(tmp_path / "none.parquet")
    assert empty == pq.read_schema(written(tmp_path, "parquet"))
    assert empty.names == list(example_to_json(EXAMPLES[0]))


def test_the_same_examples_give_the_same_bytes(tmp_path: Path) -> None:
    for shape in SHAPES:
        first = written(tmp_path, shape).read_bytes()
        assert written(tmp_path, shape).read_bytes() == first


@pytest.mark.parametrize("shape", SHAPES)
def test_half_a_surrogate_pair_spoils_no_file(tmp_path: Path, shape: str) -> None:
    spoiled = Example(instruction=Instruction(text="Q\ud83d"), response="\udc00A\ud83d\ude00")
    path = written(tmp_path, shape, [*EXAMPLES, spoiled])
    rows = loaded(path, tmp_path)
    assert len(rows) == 4
    assert "\N{REPLACEMENT CHARACTER}A\N{GRINNING FACE}" in json.dumps(rows[3], ensure_ascii=False)


@pytest.mark.parametrize("shape", ["messages", "sharegpt", "openai"])
def test_no_examples_give_an_empty_file(tmp_path: Path, shape: str) -> None:
    assert written(tmp_path, shape, []).read_bytes() == b""


def test_no_examples_give_an_empty_list(tmp_path: Path) -> None:
    assert json.loads(written(tmp_path, "alpaca", []).read_bytes()) == []


def test_many_examples_are_written_a_row_group_at_a_time(tmp_path: Path) -> None:
    some = (
        Example(instruction=Instruction(text=str(number)), response="A") for number in range(10_001)
    )
    assert write_parquet(some, tmp_path / "a.parquet") == 10_001
    file = pq.ParquetFile(tmp_path / "a.parquet")
    assert (file.metadata.num_rows, file.metadata.num_row_groups) == (10_001, 2)


def test_a_shape_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"'xml': not a shape .* messages, alpaca, sharegpt"):
        write_examples(EXAMPLES, tmp_path / "a", shape="xml")
    with pytest.raises(ConfigError, match="'xml'"):
        default_name("xml")


def test_a_seed_that_parquet_cannot_hold_is_named(tmp_path: Path) -> None:
    origin = Origin(seed=2**63)
    example = Example(instruction=Instruction(text="Q", origin=origin), response="A")
    with pytest.raises(ConfigError, match="seed = 9223372036854775808: too large for Parquet"):
        write_parquet([example], tmp_path / "a.parquet")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("shape", SHAPES)
def test_a_file_that_cannot_be_written_is_an_error_of_ours(tmp_path: Path, shape: str) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(StorageError, match="a folder of this name is in the way"):
        write_examples(EXAMPLES, tmp_path / "taken", shape=shape)
