"""Bad input is named: the place, what was found, what was expected, what to do."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from seedbed.datasets import ReadReport, ReadSettings, read_dataset, read_instructions
from seedbed.errors import ConfigError, DatasetError

GOOD = b'{"instruction": "Q", "output": "A"}\n'


def write(folder: Path, content: bytes | str, name: str = "data") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def error_of(source: Path | str, **settings: Any) -> str:
    """What goes wrong, with the hint."""
    with pytest.raises(DatasetError) as caught:
        list(read_dataset(source, settings=ReadSettings(**settings)))
    message = f"{caught.value} | {caught.value.hint}"
    assert str(caught.value).startswith(str(source)), "an error names its file"
    return message.removeprefix(str(source))


def skipping(source: Path, **settings: Any) -> ReadReport:
    dataset = read_dataset(source, settings=ReadSettings(on_bad_line="skip", **settings))
    for _ in dataset:
        pass
    return dataset.report


BAD_LINES = {
    b'{"instruction": "Q", "input": """", "output": "A"}': ("not_json", "column 33, in `"),
    b'{"instruction": "Q", "output": "A"': ("not_json", "delimiter"),
    b'["Q", "A"]': ("not_an_object", "found a list of 2; expected an object"),
    b'[[{"instruction": "Q", "output": "A"}]]': ("not_an_object", "found a list of 1"),
    b'"Q"': ("not_an_object", "found text (`Q`)"),
    b"12": ("not_an_object", "found a number (12)"),
    b"null": ("not_an_object", "found null"),
    b"[" * 100_000: ("not_json", "nested too deeply"),
    b'{"instruction": "Q", "output": 4}': ("not_text", "`output` is a number (4); expected text"),
    b'{"instruction": "Q", "output": true}': ("not_text", "a truth value (true)"),
    b'{"instruction": "Q", "output": ["A"]}': ("not_text", "`output` is a list of 1"),
    b'{"instruction": {"a": 1}, "output": "A"}': ("not_text", "an object with `a`"),
    b'{"instruction": "Q", "output": 1' + b"0" * 9999 + b"}": ("not_text", "a number (inf)"),
    b'{"instruction": "Q", "output": "A", "output": "B"}': ("duplicate_key", "stands twice"),
    b'{"instruction": "Q"}': ("missing_field", "no `output`; found `instruction`"),
    b'{"question": "Q", "answer": "A"}': ("missing_field", "found `question`, `answer`"),
    b"{}": ("missing_field", "found no columns"),
    b'{"instruction": "caf\xe9 au lait", "output": "A"}': (
        "not_utf8",
        "byte 0xE9 at offset 56 (invalid continuation byte); it looks like Windows-1252",
    ),
    b'{"instruction": "\x93\xfa\x96{\x8c\xea\x82\xc5", "output": "A"}': ("not_utf8", "Shift-JIS"),
    b'{"instruction": "Q", "output": "' + b"A" * 5000 + b'"}': ("line_too_long", "5,000 bytes"),
}


@pytest.mark.parametrize("line", BAD_LINES, ids=[reason for reason, _ in BAD_LINES.values()])
def test_a_bad_line_stops_or_is_skipped_and_listed(tmp_path: Path, line: bytes) -> None:
    reason, detail = BAD_LINES[line]
    path = write(tmp_path, GOOD + line + b"\n" + GOOD)
    message = error_of(path, longest_line=5000 if reason == "line_too_long" else 10**6)
    assert message.startswith(": line 2: ")
    assert detail in message
    assert 'set on_bad_line = "skip"' in message
    assert len(message) < 500
    report = skipping(path, longest_line=5000 if reason == "line_too_long" else 10**6)
    assert (report.rows, report.kept, report.reasons) == (3, 2, {reason: 1})
    assert [(item.number, item.reason) for item in report.skipped] == [(2, reason)]
    assert detail in report.skipped[0].detail
    assert f"1 {reason} (line 2)" in str(report)


def test_offsets_are_those_of_the_file_with_its_byte_order_mark(tmp_path: Path) -> None:
    path = write(tmp_path, b"\xef\xbb\xbf" + GOOD + b"\xe9\n")
    assert f"byte 0xE9 at offset {3 + len(GOOD)} " in error_of(path)
    assert path.read_bytes()[3 + len(GOOD)] == 0xE9


def test_a_bad_first_line_does_not_change_what_the_file_is(tmp_path: Path) -> None:
    path = write(tmp_path, b'{"instruction": \n' + GOOD)
    assert ": line 1: not JSON" in error_of(path)
    assert skipping(path).kept == 1


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"instruction": "Q", "output": None}, "empty_response"),
        ({"instruction": "Q", "output": " \n"}, "empty_response"),
        ({"instruction": "Q", "output": float("nan")}, "empty_response"),
        ({"instruction": None, "output": "A"}, "empty_instruction"),
        ({"instruction": "", "output": "A"}, "empty_instruction"),
    ],
)
def test_empty_rows_are_counted_and_never_stop(
    tmp_path: Path, row: dict[str, Any], reason: str
) -> None:
    dataset = read_dataset(write(tmp_path, GOOD + json.dumps(row).encode()))
    assert len(list(dataset)) == 1
    assert dataset.report.reasons == {reason: 1}
    assert dataset.report.skipped[0].number == 2


def test_columns_that_are_not_used_may_hold_anything(tmp_path: Path) -> None:
    row = (
        b'{"instruction": "Q", "output": "A", "input": null, "n": NaN, "m": 1' + b"0" * 9999 + b"}"
    )
    dataset = read_dataset(write(tmp_path, row))
    assert [example.input for example in dataset] == [""]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "empty; expected JSON, JSONL, CSV or Parquet"),
        (b" \r\n\n", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"[]", "no rows"),
        (b"instruction,output\n", "no rows"),
        (
            b'{"data": [{"instruction": "Q", "output": "A"}]}',
            "no column with instructions; found `data`",
        ),
        (b'{\n "data": [1]\n}', "found an object with `data`; expected a JSON list"),
        (b'[{"instruction": "Q", "output": "A"}', "the end of the file: not JSON"),
        (b'[{"instruction": "Q", "output": "A"}\n{', "line 2: not JSON: Expecting ',' or ']'"),
        (b'[{"instruction": "Q", "output": "A"},]', "after 1 rows"),
        (b'[{"instruction": "Q", "output": "A"}][]', "Extra data after the list"),
        (b"[" * 100_000, "row 1: nested too deeply"),
        (b'[["Q", "A"]]', "row 1: found a list of 2"),
        (b'[{"instruction": "Q",\n"output": "\xff"}]', "line 2: not UTF-8: byte 0xFF at offset 33"),
        (b"PK\x03\x04aaaa", "a zip archive or a spreadsheet"),
        (b"BZh91AY", "bzip2-compressed"),
        (b"\x00\x01\x02\x03" * 9, "a binary file"),
        ("instruction,output\nQ,A\n".encode("utf-16"), "not UTF-8: it looks like UTF-16LE"),
        ("instruction,output\nQ,A\n".encode("utf-16-be"), "not UTF-8: it looks like UTF-16BE"),
        (b"PAR1 and nothing more", "not a sound Parquet file"),
        (gzip.compress(GOOD * 99, mtime=0)[:-20], "a damaged gz file"),
        (b"Once upon a time.\nThe end.\n", "read as CSV: no column with instructions; found `Once"),
        (b"text,label\na,b\n", "found `text`, `label`; expected one of `instruction`"),
        (b"instruction\nQ\n", "read as CSV: no column with responses; found `instruction`"),
        (b"instruction,output,output\nQ,A,B\n", "the header names `output` twice"),
        (b"instr\xfcction,output\nQ,A\n", "line 1: not UTF-8: byte 0xFC at offset 5"),
        (b'"instruction,output\nQ,A\n', "the header is not CSV"),
    ],
)
def test_a_file_that_is_no_dataset_is_refused(
    tmp_path: Path, content: bytes, expected: str
) -> None:
    assert expected in error_of(write(tmp_path, content))


@pytest.mark.parametrize(
    "content",
    [
        b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
        b"<!DOCTYPE html>\n<title>Not found</title>\n",
        b'{"error": "not found"}\n',
        b"\x15\x00\x15\x1a the end of a file PAR1",
    ],
)
@pytest.mark.parametrize("name", ["data.parquet", "DATA.Parquet.gz"])
def test_what_is_named_parquet_and_is_not_is_called_that(
    tmp_path: Path, content: bytes, name: str
) -> None:
    packed = gzip.compress(content) if name.endswith(".gz") else content
    told = error_of(write(tmp_path, packed, name))
    assert told.startswith(": its name says Parquet, and its content is something else: ")
    assert "fetch it again if it should be Parquet" in told


def test_a_damaged_parquet_file_or_a_forced_form_is_not_called_misnamed(tmp_path: Path) -> None:
    assert "its name" not in error_of(write(tmp_path, b"PAR1 and no more", "data.parquet"))
    path = write(tmp_path, b"text,label\na,b\n", "data.parquet")
    assert "its name" not in error_of(path, format="csv")


BAD_CSV = {
    b"Q": ("ragged_row", "found 1 fields beginning `Q`; expected 2"),
    b"Q,A,B": ("ragged_row", "found 3 fields"),
    b'Q,"A"x': ("not_csv", "expected after"),
    b"Q,caf\xe9": ("not_utf8", "byte 0xE9 at offset 28"),
    b'Q,"caf\xe9\nau lait"': ("not_utf8", "byte 0xE9 at offset 29"),
    b"Q," + b"A" * 500: ("line_too_long", "longer than 400 bytes"),
}


@pytest.mark.parametrize("line", BAD_CSV)
def test_a_bad_csv_row_stops_or_is_skipped_and_listed(tmp_path: Path, line: bytes) -> None:
    reason, detail = BAD_CSV[line]
    path = write(tmp_path, b"instruction,output\nQ,A\n" + line + b"\nQ,A\n")
    message = error_of(path, longest_line=400)
    assert message.startswith(": line 3: ")
    assert detail in message
    report = skipping(path, longest_line=400)
    assert (report.rows, report.kept, report.reasons) == (3, 2, {reason: 1})
    assert report.skipped[0].number == 3


def test_a_quote_that_is_never_closed_is_found(tmp_path: Path) -> None:
    path = write(tmp_path, b'instruction,output\nQ,A\nQ,"A\nQ,A\n')
    assert ": line 3: unexpected end of data (read to line 4)" in error_of(path)
    assert skipping(path).reasons == {"not_csv": 1}


@pytest.mark.parametrize(
    "turns",
    [
        "hello",
        {"role": "user", "content": "Q"},
        ["Q", "A"],
        [{"role": "user"}],
        [{"content": "Q"}],
        [{"role": "user", "content": {"text": "Q"}}],
        [{"role": "user", "content": [{"type": "image_url", "image_url": "x"}]}],
    ],
)
def test_a_conversation_that_is_none_is_a_bad_row(tmp_path: Path, turns: Any) -> None:
    good = {"messages": [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}]}
    path = write(tmp_path, "\n".join(map(json.dumps, [good, {"messages": turns}])))
    assert ": line 2: `messages" in error_of(path)
    assert skipping(path).kept == 1


def test_one_of_our_lines_that_was_spoiled_is_a_bad_row(tmp_path: Path) -> None:
    good = {"instruction": "Q", "response": "A", "recipe": "seed", "calls": []}
    path = write(tmp_path, "\n".join(map(json.dumps, [good, good | {"skills": "a"}])))
    assert "`skills` is 'a'; expected a list of texts" in error_of(path)
    assert skipping(path).reasons == {"not_an_example": 1}


def test_nothing_left_after_skipping_is_an_error(tmp_path: Path) -> None:
    path = write(tmp_path, b'{"instruction": \n{"instruction": \n')
    message = error_of(path, on_bad_line="skip", format="jsonl")
    assert "none of 2 rows can be used: 2 not_json; line 1: not JSON" in message
    empty = write(tmp_path, b'{"instruction": "Q", "output": ""}\n')
    assert "none of 1 rows can be used: 1 empty_response" in error_of(empty)


def test_a_missing_file_is_named_with_its_neighbours(tmp_path: Path) -> None:
    write(tmp_path, GOOD, "alpaca_data.json")
    assert "no such file | Did you mean" in error_of(tmp_path / "alpaca_dta.json")
    assert "alpaca_data.json?" in error_of(tmp_path / "alpaca_dta.json")
    assert "hf:organisation/name" in error_of(tmp_path / "zzz")
    assert "There is no folder" in error_of(tmp_path / "none" / "data.json")


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    assert "a folder without examples.jsonl" in error_of(tmp_path)


def test_a_device_is_refused() -> None:
    assert "not a regular file" in error_of(Path("/dev/zero"))


def test_a_column_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD)
    message = error_of(path, instruction="Instruction")
    assert "instruction = 'Instruction': no such column; found `instruction`, `output`" in message
    assert "Upper and lower case count here" in message
    assert "response = 'answer': no such column" in error_of(path, response="answer")
    assert "no column of conversations" in error_of(path, format="messages")


def test_settings_that_do_not_exist_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"format = 'xml': expected one of: auto, json"):
        ReadSettings(format="xml")
    with pytest.raises(ConfigError, match="longest_line = 0"):
        ReadSettings(longest_line=0)


def test_only_examples_need_a_response(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD + b'{"instruction": "R", "output": ""}')
    assert [instruction.text for instruction in read_instructions(path)] == ["Q", "R"]


def test_a_report_lists_a_thousand_and_counts_all(tmp_path: Path) -> None:
    report = skipping(write(tmp_path, GOOD + b"{\n" * 3000))
    assert report.reasons == {"not_json": 3000}
    assert len(report.skipped) == 1000
    assert "(lines 2, 3, 4," in str(report)
    assert "21, …)" in str(report)


def test_control_characters_of_a_file_do_not_reach_the_terminal(tmp_path: Path) -> None:
    message = error_of(write(tmp_path, GOOD + b'{"instruction": \x1b[31mred\x07\xe2\x80\xae}'))
    assert message.isprintable()


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_memory_does_not_grow_with_the_file(tmp_path: Path, form: str) -> None:
    row = {"instruction": "Q", "output": "A" * 1000}
    count = 20_000
    path = tmp_path / "data"
    if form == "jsonl":
        path.write_bytes((json.dumps(row) + "\n").encode() * count)
    elif form == "csv":
        path.write_bytes(b"instruction,output\n" + f"Q,{row['output']}\n".encode() * count)
    else:
        texts = pa.array([f"{number}" * 200 for number in range(count)])
        pq.write_table(pa.table({"instruction": texts, "output": texts}), path, row_group_size=1000)
    tracemalloc.start()
    try:
        assert sum(1 for _ in read_dataset(path)) == count
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 6_000_000


def test_a_line_that_is_too_long_is_never_held(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD + b'{"instruction": "' + b"A" * 50_000_000 + b'"}\n' + GOOD)
    tracemalloc.start()
    try:
        report = skipping(path, longest_line=100_000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (report.kept, report.reasons) == (2, {"line_too_long": 1})
    assert peak < 6_000_000
