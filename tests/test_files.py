"""Files are replaced whole or not at all."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.errors import DatasetError, StorageError
from seedbed.files import json_line, replacing, well_formed, write_bytes, write_jsonl, write_text
from seedbed.records import JSON

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()))


def names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


def run_python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_file_is_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "old, and longer than the new")
    write_text(path, "neü")
    assert path.read_bytes() == "neü".encode()
    assert names(tmp_path) == ["a.txt"]


def test_an_error_in_the_rows_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    write_jsonl(path, [1, 2])

    def rows() -> Iterator[JSON]:
        yield from range(100_000)  # more than a buffer
        raise DatasetError("no more")

    with pytest.raises(DatasetError, match="no more"):
        write_jsonl(path, rows())
    assert path.read_text() == "1\n2\n"
    assert names(tmp_path) == ["a.jsonl"]


def test_an_interrupt_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("old")

    def interrupted() -> None:
        with replacing(path) as file:
            file.write(b"new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a"]


def test_an_error_about_another_file_is_not_taken_for_ours(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), replacing(tmp_path / "a"):
        (tmp_path / "missing").read_text()
    assert names(tmp_path) == []


def test_readers_never_see_a_part(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("old")
    with replacing(path) as file:
        file.write(b"new" * 100_000)
        file.flush()
        assert path.read_text() == "old"
    assert path.stat().st_size == 300_000


def test_permissions_are_kept_and_new_files_get_the_usual_ones(tmp_path: Path) -> None:
    path, other = tmp_path / "a", tmp_path / "b"
    path.write_text("old")
    path.chmod(0o640)
    write_text(path, "new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    write_text(other, "new")
    (tmp_path / "usual").touch()
    assert other.stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to("real")
    write_text(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"


def test_a_folder_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(
        StorageError, match=r"a: cannot be written: a folder .* in the way"
    ) as caught:
        write_text(tmp_path / "a", "x")
    assert caught.value.hint


def test_a_device_is_not_replaced() -> None:
    with pytest.raises(StorageError, match="not a regular file"):
        write_text(Path(os.devnull), "x")
    assert not Path(os.devnull).is_file()


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"missing: no such folder"):
        write_text(tmp_path / "missing" / "a", "x")
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"file: not a folder"):
        write_text(tmp_path / "file" / "a", "x")


def test_a_name_that_is_too_long_is_explained(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be written") as caught:
        write_text(tmp_path / ("a" * 250), "x")
    assert "shorter name" in caught.value.hint


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write to any folder")
def test_a_folder_without_permission_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(StorageError, match="Permission denied") as caught:
            write_text(tmp_path / "a", "x")
    finally:
        tmp_path.chmod(0o700)
    assert str(tmp_path) in caught.value.hint


@pytest.mark.skipif(not Path("/sys/kernel").is_dir(), reason="no /sys, which nobody can write to")
def test_a_read_only_folder_is_named_even_for_root() -> None:
    with pytest.raises(StorageError, match="/sys/kernel/a: cannot be written") as caught:
        write_text(Path("/sys/kernel/a"), "x")
    assert "Allow writing to the folder /sys/kernel" in caught.value.hint


def test_a_size_limit_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("old")
    code = """
        import resource, signal, sys
        from pathlib import Path
        from seedbed.errors import StorageError
        from seedbed.files import write_bytes
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
        try:
            write_bytes(Path(sys.argv[1]), b"x" * 1_000_000)
        except StorageError as error:
            sys.exit(f"{error} | {error.hint}")
    """
    done = run_python(code, str(path))
    assert "a: cannot be written: File too large | The file is larger" in done.stderr
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a"]


def test_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    code = """
        import sys
        from pathlib import Path
        from seedbed.errors import StorageError
        from seedbed.files import write_jsonl
        path = Path(sys.argv[1]) / "a.jsonl"
        write_jsonl(path, ["old"])
        try:
            write_jsonl(path, ["new"] * 100_000)
        except StorageError as error:
            print(f"{error} | {error.hint}")
        print(path.read_text(), [entry.name for entry in path.parent.iterdir()])
    """
    mount = 'mount -t tmpfs -o size=64k none "$1" && exec "$2" -c "$3" "$1"'
    done = subprocess.run(
        [
            "unshare",
            "-rm",
            "sh",
            "-c",
            mount,
            "sh",
            tmp_path,
            sys.executable,
            textwrap.dedent(code),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode and "seedbed" not in done.stderr:
        pytest.skip(f"no small disk can be mounted here: {done.stderr.strip()}")
    assert "a.jsonl: cannot be written: No space left on device | Free some space" in done.stdout
    assert """"old"\n ['a.jsonl']""" in done.stdout


def test_what_a_killed_writer_left_is_removed_by_the_next(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    code = """
        import os, signal, sys
        from pathlib import Path
        from seedbed.files import replacing
        with replacing(Path(sys.argv[1])) as file:
            file.write(b"part")
            file.flush()
            os.kill(os.getpid(), signal.SIGKILL)
    """
    assert run_python(code, str(path)).returncode == -9
    assert len(names(tmp_path)) == 1
    assert not path.exists()
    write_text(path, "whole")
    assert names(tmp_path) == ["a.txt"]


def test_a_living_writer_is_not_disturbed(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with replacing(path) as file:
        file.write(b"first begun, last ended")
        write_text(path, "second")
        assert path.read_text() == "second"
    assert path.read_text() == "first begun, last ended"
    assert names(tmp_path) == ["a.txt"]


def test_names_that_look_like_patterns_are_only_names(tmp_path: Path) -> None:
    (tmp_path / ".abc.12345678.tmp").write_text("somebody else's")
    write_text(tmp_path / "a*c", "x")
    assert names(tmp_path) == [".abc.12345678.tmp", "a*c"]


@given(ANY_TEXT)
def test_any_text_becomes_one_line_that_is_utf8_and_json(text: str) -> None:
    line = json_line({"text": text})
    assert line.splitlines(keepends=True) == [line]
    assert json.loads(line.encode("utf-8")) == {"text": well_formed(text)}


@given(st.text())
def test_what_is_unicode_stays_as_it_is(text: str) -> None:
    assert well_formed(text) == text
    assert json.loads(json_line(text)) == text


def test_surrogates_are_joined_where_they_belong_together_and_else_replaced() -> None:
    assert well_formed("a\ud83d\ude00b") == "a\N{GRINNING FACE}b"
    assert well_formed("a\ud83d") == "a\N{REPLACEMENT CHARACTER}"
    assert well_formed("\udc00\ud83db") == "\N{REPLACEMENT CHARACTER}" * 2 + "b"


def test_readable_letters_stay_readable() -> None:
    assert json_line({"ä": "漢字"}) == '{"ä": "漢字"}\n'


def test_a_number_that_json_cannot_say_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_jsonl(tmp_path / "a", [float("nan")])
    assert names(tmp_path) == []


def test_the_rows_are_counted(tmp_path: Path) -> None:
    assert write_jsonl(tmp_path / "a", ({"n": n} for n in range(3))) == 3
    assert write_jsonl(tmp_path / "a", []) == 0
    assert (tmp_path / "a").read_bytes() == b""


def test_bytes_are_written_as_they_are(tmp_path: Path) -> None:
    write_bytes(tmp_path / "a", b"\x00\xff\r\n")
    assert (tmp_path / "a").read_bytes() == b"\x00\xff\r\n"
