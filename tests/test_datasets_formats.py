"""Every form of file and every layout of rows gives the same records."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.datasets import ReadSettings, read_dataset, read_instructions
from seedbed.export import SHAPES, default_name, example_to_json, write_examples
from seedbed.files import write_jsonl
from seedbed.records import Example, Instruction, Origin

ROWS = [
    {"instruction": "Sort.", "input": "3 1 2", "output": "1 2 3"},
    {"instruction": "Say “hé\u2028llo”,\ntwice", "input": "", "output": 'a "b", c;\td\r\ne'},
]
EXPECTED = [
    Example(
        instruction=Instruction(text=row["instruction"]),
        input=row["input"],
        response=row["output"],
    )
    for row in ROWS
]


def as_json(rows: Sequence[Mapping[str, Any]]) -> bytes:
    return json.dumps(rows, indent=2).encode()


def as_jsonl(rows: Sequence[Mapping[str, Any]]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def as_csv(rows: Sequence[Mapping[str, Any]], delimiter: str = ",") -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def as_parquet(rows: Sequence[Mapping[str, Any]]) -> bytes:
    content = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(rows)), content)
    return content.getvalue()


def write(folder: Path, content: bytes, name: str = "data.bin") -> Path:
    """A file whose name tells nothing about its form."""
    (folder / name).write_bytes(content)
    return folder / name


def read(folder: Path, content: bytes, **settings: Any) -> list[Example]:
    return list(read_dataset(write(folder, content), settings=ReadSettings(**settings)))


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        (as_json, "JSON"),
        (as_jsonl, "JSONL"),
        (as_csv, "CSV"),
        (lambda rows: as_csv(rows, "\t"), "TSV"),
        (lambda rows: as_csv(rows, ";"), "CSV with ';'"),
        (as_parquet, "Parquet"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_the_form_is_told_from_the_content(
    tmp_path: Path,
    written: Callable[[Sequence[Mapping[str, Any]]], bytes],
    kind: str,
    packed: bool,
) -> None:
    content = written(ROWS)
    dataset = read_dataset(write(tmp_path, gzip.compress(content) if packed else content))
    assert list(dataset) == EXPECTED
    assert dataset.report.kind == kind
    assert dataset.report.rows == dataset.report.kept == 2
    assert dataset.report.reasons == {}


def test_a_name_that_lies_changes_nothing(tmp_path: Path) -> None:
    assert list(read_dataset(write(tmp_path, as_jsonl(ROWS), "data.parquet"))) == EXPECTED


def test_a_form_can_be_forced(tmp_path: Path) -> None:
    content = b'{"instruction"\toutput\nSort.\tNo.\n'
    assert read(tmp_path, content, format="tsv", instruction='{"instruction"')
    spread = b'{"instruction":\n"a", "output": "b"}\n'
    dataset = read_dataset(
        write(tmp_path, spread + as_jsonl(ROWS)),
        settings=ReadSettings(format="jsonl", on_bad_line="skip"),
    )
    assert list(dataset) == EXPECTED
    assert [item.number for item in dataset.report.skipped] == [1, 2]


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": "Q", "completion": "A"},
        {"question": "Q", "answer": "A"},
        {"query": "Q", "response": "A"},
        {"Instruction": "Q", "Output": "A"},
        {"input": "Q", "output": "A"},
        {"problem": "Q", "solution": "A"},
        {"messages": [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}]},
        {"conversations": [{"from": "human", "value": "Q"}, {"from": "gpt", "value": "A"}]},
        {"conversation": [{"role": "Human", "content": "Q"}, {"role": "GPT", "content": "A"}]},
        {
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "Q"}]},
                {"role": "assistant", "content": [{"type": "text", "text": "A"}]},
            ]
        },
        {
            "prompt": [{"role": "user", "content": "Q"}],
            "completion": [{"role": "assistant", "content": "A"}],
        },
        {"instruction": "Q", "instances": [{"input": "", "output": "A"}]},
    ],
)
@pytest.mark.parametrize("written", [as_json, as_jsonl, as_parquet])
def test_the_usual_layouts_are_known(
    tmp_path: Path, row: Mapping[str, Any], written: Callable[..., bytes]
) -> None:
    expected = Example(instruction=Instruction(text="Q"), response="A")
    assert read(tmp_path, written([row])) == [expected]


def test_unusual_columns_are_named_by_settings(tmp_path: Path) -> None:
    rows = [{"instruction": "decoy", "ask": "Q", "material": "M", "reply_de": "A", "output": "no"}]
    columns = {"instruction": "ask", "input": "material", "response": "reply_de"}
    expected = Example(instruction=Instruction(text="Q"), input="M", response="A")
    for content in (as_csv(rows), as_jsonl(rows), as_parquet(rows)):
        assert read(tmp_path, content, **columns) == [expected]


def test_a_layout_can_be_forced(tmp_path: Path) -> None:
    row = {
        "instruction": "Q",
        "output": "A",
        "messages": [{"role": "user", "content": "C"}, {"role": "assistant", "content": "D"}],
    }
    assert read(tmp_path, as_jsonl([row]))[0].response == "D"
    assert read(tmp_path, as_jsonl([row]), format="alpaca")[0].response == "A"


def test_a_conversation_gives_its_first_question_and_answer_and_counts_the_rest(
    tmp_path: Path,
) -> None:
    turns = [
        {"role": "system", "content": "Be brief."},
        {"role": "assistant", "content": "Hello!"},
        {"role": "user", "content": "Q"},
        {"role": "assistant", "content": "A"},
        {"role": "user", "content": "More?"},
        {"role": "assistant", "content": "No."},
    ]
    dataset = read_dataset(write(tmp_path, as_jsonl([{"messages": turns}, {"messages": turns}])))
    assert [(example.instruction.text, example.response) for example in dataset] == [("Q", "A")] * 2
    assert dataset.report.turns_ignored == 6
    assert dataset.report.systems_ignored == 2
    assert "6 later turns ignored; 2 system messages ignored" in str(dataset.report)


def test_a_question_that_is_not_answered_at_once_has_no_response(tmp_path: Path) -> None:
    user, tool = {"role": "user", "content": "Q"}, {"role": "tool", "content": "42"}
    assistant = {"role": "assistant", "content": "A"}
    rows = [{"messages": turns} for turns in ([user, user, assistant], [user, tool, assistant])]
    good = [{"messages": [user, assistant]}]
    dataset = read_dataset(write(tmp_path, as_jsonl([*rows, {"messages": [assistant]}, *good])))
    assert len(list(dataset)) == 1
    assert dataset.report.reasons == {"empty_response": 2, "no_question": 1}


def test_a_conversation_in_a_csv_is_json_text(tmp_path: Path) -> None:
    turns = [{"from": "human", "value": "Q"}, {"from": "gpt", "value": "A"}]
    assert read(tmp_path, as_csv([{"conversations": json.dumps(turns)}]))[0].response == "A"


def test_a_seed_task_gives_an_example_for_each_instance(tmp_path: Path) -> None:
    instances = [{"input": "1", "output": "one"}, {"input": "2", "output": "two"}]
    path = write(tmp_path, as_jsonl([{"instruction": "Name it.", "instances": instances}]))
    assert [(example.input, example.response) for example in read_dataset(path)] == [
        ("1", "one"),
        ("2", "two"),
    ]
    assert list(read_instructions(path)) == [Instruction(text="Name it.")]


def test_instructions_need_no_responses(tmp_path: Path) -> None:
    dataset = read_instructions(write(tmp_path, as_jsonl([{"Instruction": "Q", "Skill": "Math"}])))
    assert list(dataset) == [Instruction(text="Q")]


ORIGIN = Origin(recipe="skillmix", step="three_turn", seed=7, skills=("a", "b"), calls=("k",))
OURS = [
    Example(instruction=Instruction(text="Q", origin=ORIGIN), response="A", repairs=("tail",)),
    Example(instruction=Instruction(text="R"), input="I", response="B"),
]


def test_our_own_files_come_back_as_they_were(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "examples.jsonl", map(example_to_json, OURS))
    write_examples(OURS, tmp_path / "examples.parquet", shape="parquet")
    assert list(read_dataset(tmp_path)) == OURS  # the folder of a run
    assert list(read_dataset(tmp_path / "examples.jsonl")) == OURS
    assert list(read_dataset(tmp_path / "examples.parquet")) == OURS


@pytest.mark.parametrize("shape", SHAPES)
def test_what_we_export_we_read(tmp_path: Path, shape: str) -> None:
    path = tmp_path / default_name(shape)
    write_examples(OURS, path, shape=shape)
    found = list(read_dataset(path))
    assert [example.response for example in found] == ["A", "B"]
    asked = [f"{example.instruction.text}|{example.input}" for example in found]
    assert asked == (["Q|", "R|I"] if shape in ("alpaca", "parquet") else ["Q|", "R\n\nI|"])


def test_every_iteration_reads_anew(tmp_path: Path) -> None:
    dataset = read_dataset(write(tmp_path, as_jsonl(ROWS)))
    assert list(dataset) == list(dataset) == EXPECTED
    assert dataset.report.rows == 2
    write(tmp_path, as_jsonl(ROWS * 2))
    assert len(list(dataset)) == 4


def test_the_report_follows_the_reading(tmp_path: Path) -> None:
    dataset = read_dataset(write(tmp_path, as_jsonl(ROWS)))
    assert dataset.report.rows == 0
    next(iter(dataset))
    assert dataset.report.rows == 1


def test_a_byte_order_mark_and_windows_line_ends_are_no_trouble(tmp_path: Path) -> None:
    for written in (as_json, as_jsonl, as_csv):
        content = b"\xef\xbb\xbf" + written([ROWS[0]]).replace(b"\r\n", b"\n").replace(
            b"\n", b"\r\n"
        )
        assert read(tmp_path, content) == EXPECTED[:1]


def test_a_missing_final_newline_and_blank_lines_are_no_trouble(tmp_path: Path) -> None:
    lines = as_jsonl(ROWS).split(b"\n")
    dataset = read_dataset(write(tmp_path, b"\n  \n" + b"\n\n".join(lines).rstrip()))
    assert list(dataset) == EXPECTED
    assert dataset.report.rows == 2
    table = as_csv(ROWS).rstrip(b"\r\n").replace(b"Sort.", b"\r\nSort.", 1)
    assert len(read(tmp_path, table)) == 2


def test_long_fields_are_read_whole(tmp_path: Path) -> None:
    rows = [{"instruction": "Q", "output": "long " * 200_000}]
    for written in (as_json, as_jsonl, as_csv, as_parquet):
        assert read(tmp_path, written(rows))[0].response == rows[0]["output"]


@given(
    st.lists(
        st.fixed_dictionaries(
            {name: st.text(st.characters(codec="utf-8")) for name in ("instruction", "output")}
        ),
        min_size=1,
    )
)
def test_any_text_survives_json(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, str]]
) -> None:
    folder = tmp_path_factory.mktemp("data")
    kept = [row for row in rows if row["instruction"].strip() and row["output"].strip()]
    good = {"instruction": "Q", "output": "A"}
    for written in (as_json, as_jsonl, as_parquet):
        found = read(folder, written([*rows, good]))
        assert [
            {"instruction": example.instruction.text, "output": example.response}
            for example in found
        ] == [*kept, good]


def test_of_columns_that_differ_in_case_the_first_is_read(tmp_path: Path) -> None:
    rows = [{"Instruction": "first", "instruction": "second", "output": "A"}]
    assert read(tmp_path, as_jsonl(rows))[0].instruction.text == "first"
