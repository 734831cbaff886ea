"""What the journal promises, also across crashes."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest

from seedbed import journal_file
from seedbed.errors import JournalError, Overloaded, TimedOut
from seedbed.journal import Journal
from seedbed.journal_file import MIGRATIONS
from seedbed.records import JSON


def counted(answer: JSON) -> tuple[list[int], Callable[[], Awaitable[JSON]]]:
    calls: list[int] = []

    async def effect() -> JSON:
        calls.append(1)
        await asyncio.sleep(0)
        return answer

    return calls, effect


def once(path: Path, question: JSON, effect: Callable[[], Awaitable[JSON]]) -> JSON:
    async def run() -> JSON:
        with Journal(path) as journal:
            return await journal.once("test", question, effect)

    return asyncio.run(run())


def test_a_settled_effect_is_never_performed_again(tmp_path: Path) -> None:
    calls, effect = counted({"text": "é\u2028\n", "n": [1, None]})
    first = once(tmp_path / "j.db", "q", effect)
    assert once(tmp_path / "j.db", "q", effect) == first == {"text": "é\u2028\n", "n": [1, None]}
    assert len(calls) == 1


def test_half_a_surrogate_pair_comes_back_as_it_was(tmp_path: Path) -> None:
    calls, effect = counted("cut \ud83d")
    for _ in range(2):
        assert once(tmp_path / "j.db", ["\udc00", "é"], effect) == "cut \ud83d"
    assert len(calls) == 1


def test_an_answer_of_nothing_is_an_answer(tmp_path: Path) -> None:
    calls, effect = counted(None)
    assert once(tmp_path / "j.db", "q", effect) is None
    assert once(tmp_path / "j.db", "q", effect) is None
    assert len(calls) == 1


def test_concurrent_askers_share_one_performance(tmp_path: Path) -> None:
    calls, effect = counted("yes")

    async def run() -> None:
        with Journal(tmp_path / "j.db") as journal:
            answers = await asyncio.gather(*[journal.once("t", 1, effect) for _ in range(50)])
            assert answers == ["yes"] * 50

    asyncio.run(run())
    assert len(calls) == 1


def test_the_kind_is_part_of_the_key(tmp_path: Path) -> None:
    calls, effect = counted(1)

    async def run() -> None:
        with Journal(tmp_path / "j.db") as journal:
            await journal.once("a", "q", effect)
            await journal.once("b", "q", effect)

    asyncio.run(run())
    assert len(calls) == 2


def test_a_definite_failure_leaves_no_trace(tmp_path: Path) -> None:
    async def fail() -> JSON:
        raise Overloaded("503")

    with pytest.raises(Overloaded):
        once(tmp_path / "j.db", "q", fail)
    with Journal(tmp_path / "j.db") as journal:
        assert journal.in_doubt() == []


def test_a_failure_that_may_have_been_paid_stays_in_doubt(tmp_path: Path) -> None:
    async def hang() -> JSON:
        raise TimedOut("no answer", maybe_paid=True)

    with pytest.raises(TimedOut):
        once(tmp_path / "j.db", "q", hang)
    with Journal(tmp_path / "j.db") as journal:
        assert [(entry.kind, entry.sent) for entry in journal.in_doubt()] == [("test", 1)]
    _, effect = counted("late")
    assert once(tmp_path / "j.db", "q", effect) == "late"
    with Journal(tmp_path / "j.db") as journal:
        assert journal.in_doubt() == []
        assert [entry.sent for entry in journal.entries("test")] == [2]


def test_a_definite_failure_does_not_hide_an_earlier_doubt(tmp_path: Path) -> None:
    async def hang() -> JSON:
        raise TimedOut("no answer", maybe_paid=True)

    async def fail() -> JSON:
        raise Overloaded("503")

    for effect in (hang, fail):
        with pytest.raises((TimedOut, Overloaded)):
            once(tmp_path / "j.db", "q", effect)
    with Journal(tmp_path / "j.db") as journal:
        assert [entry.sent for entry in journal.in_doubt()] == [1]


def test_a_cancelled_asker_does_not_waste_what_is_in_flight(tmp_path: Path) -> None:
    calls, effect = counted("paid")

    async def run() -> None:
        with Journal(tmp_path / "j.db") as journal:
            asker = asyncio.create_task(journal.once("t", "q", effect))
            await asyncio.sleep(0)
            asker.cancel()
            await journal.drain(5)
            assert journal.in_flight == 0

    asyncio.run(run())

    async def again() -> None:
        with Journal(tmp_path / "j.db") as journal:
            assert await journal.once("t", "q", effect) == "paid"

    asyncio.run(again())
    assert len(calls) == 1


def test_draining_gives_up_after_the_grace_and_leaves_the_rest_in_doubt(tmp_path: Path) -> None:
    async def hang() -> JSON:
        await asyncio.sleep(60)

    async def run() -> None:
        with Journal(tmp_path / "j.db") as journal:
            asker = asyncio.create_task(journal.once("t", "q", hang))
            await asyncio.sleep(0.05)
            asker.cancel()
            await journal.drain(0.05)

    asyncio.run(asyncio.wait_for(run(), 5))
    with Journal(tmp_path / "j.db") as journal:
        assert len(journal.in_doubt()) == 1


def test_a_second_writer_is_refused_and_a_reader_is_not(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    with (
        Journal(path),
        pytest.raises(JournalError, match=r"j\.db: another process is writing"),
        Journal(path),
    ):
        pass
    with Journal(path):
        rows = sqlite3.connect(path).execute("select count(*) from effects").fetchall()
        assert rows == [(0,)]


def test_the_lock_is_free_again_after_an_error(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    path.write_bytes(b"")
    for _ in range(2):
        with pytest.raises(JournalError, match="empty"), Journal(path):
            pass


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"hello", "not a journal"),
        (b"{" * 5000, "not a journal"),
        (b"SQLite format 3\x00", "damaged"),
        (b"SQLite format 3\x00" + b"\x00" * 200, "damaged|another program"),
    ],
)
def test_a_foreign_or_torn_file_is_refused_and_left_as_it_is(
    tmp_path: Path, content: bytes, words: str
) -> None:
    path = tmp_path / "j.db"
    path.write_bytes(content)
    with pytest.raises(JournalError, match=words), Journal(path):
        pass
    assert path.read_bytes() == content


def filled(path: Path, count: int = 300) -> bytes:
    async def run() -> None:
        with Journal(path) as journal:
            for number in range(count):
                _, effect = counted("x" * 500)
                await journal.once("t", number, effect)

    asyncio.run(run())
    database = sqlite3.connect(path)
    database.execute("pragma wal_checkpoint(truncate)")
    database.close()
    return path.read_bytes()


@pytest.mark.parametrize("share", [0.02, 0.5, 0.99])
def test_a_journal_cut_short_is_refused_and_left_as_it_is(tmp_path: Path, share: float) -> None:
    path = tmp_path / "j.db"
    content = filled(path)
    cut = content[: int(len(content) * share)]
    path.write_bytes(cut)
    with pytest.raises(JournalError, match="damaged"), Journal(path):
        pass
    assert path.read_bytes() == cut


def test_a_journal_with_a_damaged_page_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    content = bytearray(filled(path))
    content[8192 : 8192 + 4096] = random.Random(0).randbytes(4096)
    path.write_bytes(content)
    with pytest.raises(JournalError, match="damaged"), Journal(path):
        pass
    assert path.read_bytes() == bytes(content)


def test_a_database_of_another_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    database = sqlite3.connect(path)
    database.execute("create table effects (key text)")
    database.commit()
    database.close()
    before = path.read_bytes()
    with pytest.raises(JournalError, match="another program"), Journal(path):
        pass
    assert path.read_bytes() == before


def test_the_rest_of_a_journal_without_its_main_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "j.db-wal").write_bytes(b"x" * 100)
    with pytest.raises(JournalError, match="main file"), Journal(tmp_path / "j.db"):
        pass


def test_a_journal_of_a_newer_seedbed_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    filled(path, 1)
    database = sqlite3.connect(path)
    database.execute(f"pragma user_version = {len(MIGRATIONS) + 1}")
    database.close()
    with pytest.raises(JournalError, match="newer seedbed"), Journal(path):
        pass


def test_an_older_journal_is_brought_up_to_date_with_all_it_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "j.db"
    filled(path, 3)
    step = ("alter table effects add column note text",)
    monkeypatch.setattr(journal_file, "MIGRATIONS", (*MIGRATIONS, step))
    with Journal(path) as journal:
        assert [entry.question for entry in journal.entries("t")] == [0, 1, 2]
    database = sqlite3.connect(path)
    assert database.execute("select count(note) from effects").fetchone() == (0,)
    assert database.execute("pragma user_version").fetchone() == (len(MIGRATIONS) + 1,)


def test_a_migration_that_fails_leaves_the_journal_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "j.db"
    filled(path, 3)
    step = ("alter table effects add column note text", "this is not SQL")
    monkeypatch.setattr(journal_file, "MIGRATIONS", (*MIGRATIONS, step))
    with pytest.raises(JournalError), Journal(path):
        pass
    monkeypatch.undo()
    with Journal(path) as journal:
        assert [entry.question for entry in journal.entries("t")] == [0, 1, 2]


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", Path("/proc/nowhere")):
        with pytest.raises(JournalError, match="cannot be written"), Journal(folder / "j.db"):
            pass


def test_a_journal_that_cannot_write_stops_the_run(tmp_path: Path) -> None:
    path = tmp_path / "j.db"

    async def run() -> None:
        with Journal(path) as journal:
            _, effect = counted(1)
            await journal.once("t", "one", effect)
            sqlite3.connect(path).execute("drop table effects")
            with pytest.raises(JournalError):
                await asyncio.wait_for(journal.once("t", "two", effect), 5)
            with pytest.raises(JournalError):
                await asyncio.wait_for(journal.once("t", "three", effect), 5)

    asyncio.run(run())


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_a_full_disk_stops_the_run_with_everything_kept(tmp_path: Path) -> None:
    """A limit on the size of files stands in for a full disk: SQLite gets the same refusal."""
    child = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path / "j.db")], capture_output=True, text=True
    )
    assert "JournalError" in child.stdout, child.stdout + child.stderr
    with Journal(tmp_path / "j.db") as journal:
        kept = sum(1 for _ in journal.entries("t"))
    assert kept == int(child.stdout.split()[-1]) > 0


FULL = """
import asyncio, resource, signal, sys
from pathlib import Path
from seedbed.errors import JournalError
from seedbed.journal import Journal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
async def main():
    settled = 0
    with Journal(Path(sys.argv[1])) as journal:
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
        try:
            for number in range(10_000):
                async def effect():
                    return "x" * 2000
                await journal.once("t", number, effect)
                settled += 1
        except JournalError as error:
            print("JournalError", error.hint)
    print(settled)
asyncio.run(main())
"""

CHILD = """
import asyncio, sys
from pathlib import Path
from seedbed.journal import Journal
ledger = open(sys.argv[2], "a", buffering=1)
async def main():
    with Journal(Path(sys.argv[1])) as journal:
        gate = asyncio.Semaphore(16)
        async def one(number):
            async def effect():
                ledger.write(f"{number}\\n")
                await asyncio.sleep(0.01)
                return number
            async with gate:
                assert await journal.once("t", number, effect) == number
        await asyncio.gather(*[one(number) for number in range(600)])
    print("finished")
asyncio.run(main())
"""


def test_kill_nine_pays_twice_only_for_what_was_in_flight(tmp_path: Path) -> None:
    path, ledger = tmp_path / "j.db", tmp_path / "ledger"
    kills, finished = 0, False
    while not finished:
        command = [sys.executable, "-c", CHILD, str(path), str(ledger)]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            patience = 0.2 + random.random() * 0.2 if kills < 8 else None
            out, _ = child.communicate(timeout=patience)
            finished = "finished" in out
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGKILL)
            child.communicate()
            kills += 1
    paid = ledger.read_text().split()
    assert len(set(paid)) == 600
    assert len(paid) - 600 <= kills * 16
    with Journal(path) as journal:
        entries = list(journal.entries("t"))
        assert journal.in_doubt() == []
    assert sorted(entry.question for entry in entries) == list(range(600))
    assert len(paid) <= sum(entry.sent for entry in entries) <= 600 + kills * 16


@pytest.mark.skipif(sys.platform != "linux", reason="finds its open files in /proc")
def test_a_disk_that_fails_is_not_taken_for_a_damaged_file(tmp_path: Path) -> None:
    """Who believes that begins anew, and pays anew."""
    path = tmp_path / "journal.db"

    async def fill() -> None:
        with Journal(path) as journal:
            for number in range(50):
                await journal.once("completion", number, counted("x" * 1000)[1])

    asyncio.run(fill())
    with Journal(path) as journal:
        failing = os.open(path, os.O_WRONLY)  # whoever reads of it gets an error
        for link in Path("/proc/self/fd").iterdir():
            with suppress(FileNotFoundError):
                if link.readlink() == path:
                    os.dup2(failing, int(link.name))
        os.close(failing)
        with pytest.raises(JournalError, match="cannot be read: disk I/O error") as told:
            list(journal.entries("completion"))
    assert "Nothing that was settled is lost" in told.value.hint
