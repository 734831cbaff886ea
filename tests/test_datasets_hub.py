"""Datasets of the Hugging Face library: local folders, and the hub when it is out of reach."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import datasets
import pytest

from seedbed.datasets import read_dataset
from seedbed.errors import DatasetError
from seedbed.export import write_examples
from seedbed.records import Example, Instruction

ROWS = [{"question": f"Q{number}", "answer": f"A{number}"} for number in range(3)]
CHAT = [
    {"messages": [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}]},
    {"messages": []},
]


def error_of(source: str) -> str:
    with pytest.raises(DatasetError) as caught:
        list(read_dataset(source))
    assert str(caught.value).startswith(source)
    return f"{caught.value} | {caught.value.hint}"


def test_a_saved_dataset_is_read(tmp_path: Path) -> None:
    datasets.Dataset.from_list(ROWS).save_to_disk(tmp_path / "saved")
    found = read_dataset(f"hf:{tmp_path}/saved")
    assert [example.response for example in found] == ["A0", "A1", "A2"]
    assert found.report.kind == "Hugging Face dataset, split train"


def test_a_split_is_chosen(tmp_path: Path) -> None:
    splits = {"test": datasets.Dataset.from_list(ROWS[:1]), "dev": datasets.Dataset.from_list(ROWS)}
    datasets.DatasetDict(splits).save_to_disk(tmp_path / "saved")
    assert len(list(read_dataset(f"hf:{tmp_path}/saved:dev"))) == 3
    assert "no split 'train'; found: dev, test" in error_of(f"hf:{tmp_path}/saved")
    assert "no split 'x'; found: dev, test | Name one" in error_of(f"hf:{tmp_path}/saved:x")


def test_a_folder_of_data_files_is_read(tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_text("\n".join(map(json.dumps, CHAT)))
    found = read_dataset(f"hf:{tmp_path}")
    assert [example.response for example in found] == ["A"]
    assert found.report.reasons == {"no_question": 1}
    assert found.report.unit == "row"


def test_our_parquet_comes_back_as_it_was(tmp_path: Path) -> None:
    ours = [Example(instruction=Instruction(text="Q"), response="A", repairs=("tail",))]
    write_examples(ours, tmp_path / "examples.parquet", shape="parquet")
    assert list(read_dataset(f"hf:{tmp_path}")) == ours


def test_a_folder_with_nothing_to_read_is_refused(tmp_path: Path) -> None:
    assert "no such dataset" in error_of(f"hf:{tmp_path}")
    assert "expected hf:organisation/name" in error_of("hf:a:b:c:d")


def isolated(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=os.environ | environment,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


READ = """
    from seedbed.datasets import read_dataset
    from seedbed.errors import DatasetError
    try:
        list(read_dataset("hf:some/where"))
    except DatasetError as error:
        print(error, "|", error.hint)
"""


def test_a_hub_out_of_reach_is_an_error_of_ours(tmp_path: Path) -> None:
    message = isolated(READ, HF_HOME=str(tmp_path), HF_HUB_OFFLINE="1")
    assert message.startswith("hf:some/where: the hub cannot be reached")
    assert "download the file elsewhere" in message


class Denying(BaseHTTPRequestHandler):
    """A hub on which there is nothing."""

    def do_HEAD(self) -> None:
        self.send_response(404)
        self.send_header("X-Error-Code", "RepoNotFound")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        self.do_HEAD()

    def log_message(self, *_: object) -> None:
        pass


def test_a_dataset_that_the_hub_does_not_have_is_an_error_of_ours(tmp_path: Path) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Denying) as server:
        threading.Thread(target=server.serve_forever).start()
        endpoint = f"http://127.0.0.1:{server.server_port}"
        try:
            message = isolated(
                READ, HF_HOME=str(tmp_path), HF_ENDPOINT=endpoint, NO_PROXY="127.0.0.1"
            )
        finally:
            server.shutdown()
    assert message.startswith("hf:some/where: no such dataset, or no access to it")
    assert "hf auth login" in message


def test_a_missing_library_is_named() -> None:
    blocked = "import sys; sys.modules['datasets'] = None\n" + textwrap.dedent(READ)
    message = isolated(blocked)
    assert message.startswith("hf:some/where: reading from the hub needs the library `datasets`")
    assert 'pip install "seedbed[hub]"' in message
