from __future__ import annotations

import asyncio
import json
import math
import signal
import subprocess
import sys
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.training.students import (
    ONLINE,
    make_examples,
    make_student,
    online_batches,
    online_student,
)

from seedbed.errors import ConfigError
from seedbed.export import example_to_json
from seedbed.journal import Journal
from seedbed.records import BatchSignals, Example, Instruction
from seedbed.training.feedback import FREE
from seedbed.training.feedback.lines import signals_to_json
from seedbed.training.feedback.reader import Memory, train_and_read
from seedbed.training.identity import base_identity
from seedbed.training.loop import losses_of
from seedbed.training.online import OnlineStudent
from seedbed.training.settings import TrainSettings

ROOT = Path(__file__).parents[2]


def run(
    base: Path,
    folder: Path,
    work: Callable[[OnlineStudent], Coroutine[Any, Any, Any]],
    **options: Any,
) -> tuple[Any, int]:
    """What `work` returns, and how many steps were trained for it."""

    async def inside() -> tuple[Any, int]:
        with (
            Journal(folder / "journal.db") as journal,
            online_student(base, journal, **options) as student,
        ):
            return await work(student), student.steps_trained

    return asyncio.run(inside())


def feed(batches: Sequence[Sequence[Example]]) -> Callable[..., Coroutine[Any, Any, Any]]:
    async def work(student: OnlineStudent) -> list[BatchSignals]:
        return [await student.feedback(batch) for batch in batches]

    return work


def test_a_batch_is_one_step_of_the_loop_with_its_signals(base: Path, tmp_path: Path) -> None:
    batches = online_batches(3)
    found, trained = run(base, tmp_path, feed(batches))
    student = make_student(base, total=None, learning_rate=1e-3, schedule="constant")
    memory, expected = Memory(), []
    for batch in batches:
        kept = student.encode(batch).kept
        signals = ("loss", "grad_norm", "head_grad_norm")
        expected.append(train_and_read(student, kept, names=signals, memory=memory)[1])
    assert found == expected
    assert trained == 3


def test_a_replay_trains_nothing_and_says_the_same(base: Path, tmp_path: Path) -> None:
    batches = online_batches(4)
    first, _ = run(base, tmp_path, feed(batches))
    again, trained = run(base, tmp_path, feed(batches))
    assert again == first
    assert trained == 0


@pytest.mark.parametrize("every", [0, 1, 2, 3])
def test_a_longer_run_goes_on_from_its_newest_checkpoint(
    base: Path, tmp_path: Path, every: int
) -> None:
    batches = online_batches(7)
    (tmp_path / "whole").mkdir()
    whole, _ = run(base, tmp_path / "whole", feed(batches), checkpoint_every=0)
    run(base, tmp_path, feed(batches[:5]), checkpoint_every=every)
    found, trained = run(base, tmp_path, feed(batches), checkpoint_every=every)
    assert found == whole
    assert trained == {0: 7, 1: 2, 2: 3, 3: 4}[every]


def test_a_checkpoint_of_another_history_is_not_used(base: Path, tmp_path: Path) -> None:
    batches = online_batches(6)
    run(base, tmp_path, feed(batches[:4]), checkpoint_every=2)
    other = [*batches[:3], *batches[4:]]
    found, trained = run(base, tmp_path, feed(other), checkpoint_every=2)
    assert trained == 3  # from the checkpoint after two, which both histories share
    (tmp_path / "whole").mkdir()
    whole, _ = run(base, tmp_path / "whole", feed(other), checkpoint_every=0)
    assert found == whole


def test_missing_and_damaged_checkpoints_cost_steps_and_nothing_else(
    base: Path, tmp_path: Path
) -> None:
    batches = online_batches(5)
    (tmp_path / "whole").mkdir()
    whole, _ = run(base, tmp_path / "whole", feed(batches), checkpoint_every=0)
    run(base, tmp_path, feed(batches[:4]), checkpoint_every=2)
    older, newer = sorted((tmp_path / "student").rglob("*.pt"))
    newer.write_bytes(newer.read_bytes()[:-1000])
    found, trained = run(base, tmp_path, feed(batches), checkpoint_every=0)
    assert (found, trained) == (whole, 3)
    for path in (older, newer):
        path.unlink()
    batches = [*batches, *online_batches(6)[5:]]
    _, trained = run(base, tmp_path, feed(batches), checkpoint_every=0)
    assert trained == 6


def test_other_settings_and_other_signals_are_other_questions(base: Path, tmp_path: Path) -> None:
    batches = online_batches(2)
    first, _ = run(base, tmp_path, feed(batches))
    faster, trained = run(base, tmp_path, feed(batches), learning_rate=1e-2)
    assert trained == 2
    assert faster[0].batch == first[0].batch
    assert faster[1].batch != first[1].batch
    _, trained = run(base, tmp_path, feed(batches), signals=("loss",))
    assert trained == 2
    _, trained = run(base, tmp_path, feed(batches), keep=5, checkpoint_every=7)
    assert trained == 0


def test_only_so_many_checkpoints_stay(base: Path, tmp_path: Path) -> None:
    run(base, tmp_path, feed(online_batches(6)), checkpoint_every=1, keep=2)
    kept = sorted((tmp_path / "student").rglob("*"))
    assert [path.name[:6] for path in kept if path.is_file()] == ["000005", "000006"]


def test_a_probe_sees_the_batches_before_it_and_trains_nothing(base: Path, tmp_path: Path) -> None:
    batches, held = online_batches(3), make_examples(3, seed=9)

    async def work(student: OnlineStudent) -> list[list[float]]:
        seen = [await student.probe(held)]
        for batch in batches:
            await student.feedback(batch)
            seen.append(await student.probe(held))
        return seen

    found, trained = run(base, tmp_path, work)
    assert trained == 3
    student = make_student(base, total=None, learning_rate=1e-3, schedule="constant")
    kept = student.encode(held).kept
    assert found[0] == list(losses_of(student, kept))
    for batch, losses in zip(batches, found[1:], strict=True):
        train_and_read(student, student.encode(batch).kept, names=(), memory=Memory())
        assert losses == list(losses_of(student, kept))
    assert run(base, tmp_path, work) == (found, 0)


def test_calls_made_together_see_what_was_called_before_them(base: Path, tmp_path: Path) -> None:
    batches, held = online_batches(4), make_examples(3, seed=9)

    async def together(student: OnlineStudent) -> list[Any]:
        calls: list[Any] = []
        for batch in batches:
            calls += [student.feedback(batch), student.probe(held)]
        return list(await asyncio.gather(*(asyncio.ensure_future(call) for call in calls)))

    async def in_turn(student: OnlineStudent) -> list[Any]:
        found: list[Any] = []
        for batch in batches:
            found += [await student.feedback(batch), await student.probe(held)]
        return found

    (tmp_path / "turn").mkdir()
    expected, _ = run(base, tmp_path / "turn", in_turn)
    found, _ = run(base, tmp_path, together)
    assert found == expected


def test_the_event_loop_goes_on_while_the_student_trains(base: Path, tmp_path: Path) -> None:
    async def work(student: OnlineStudent) -> int:
        turns = 0
        training = asyncio.ensure_future(student.feedback(online_batches(1)[0]))
        while not training.done():
            await asyncio.sleep(0)
            turns += 1
        return turns

    turns, _ = run(base, tmp_path, work)
    assert turns > 5


def test_what_cannot_be_trained_on_has_no_signals(base: Path, tmp_path: Path) -> None:
    good = make_examples(2)
    bad = Example(instruction=Instruction(text="Say <|end|> now."), response="No.")

    async def work(student: OnlineStudent) -> list[Any]:
        return [
            await student.feedback([good[0], bad, good[1]]),
            await student.feedback([bad]),
            await student.probe([bad, good[0]]),
            await student.feedback(good),
        ]

    (mixed, none, probed, after), trained = run(base, tmp_path, work)
    assert [bool(row) for row in mixed.examples] == [True, False, True]
    assert (none.step, none.batch, none.examples) == (1, {}, ({},))
    assert math.isnan(probed[0])
    assert probed[1] > 0
    assert (after.step, trained) == (2, 2)


@pytest.mark.slow
def test_a_killed_run_resumes_with_the_same_answers(base: Path, tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    for folder in (whole, killed):
        folder.mkdir()
    batches = online_batches(9)

    async def work(student: OnlineStudent) -> list[Any]:
        found = [signals_to_json(await student.feedback(batch)) for batch in batches]
        return [*found, {"probe": await student.probe(batches[0])}]

    expected, trained = run(base, whole, work)
    with child(base, killed) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if int(line) == 5:  # the sixth step is under way
                process.send_signal(signal.SIGKILL)
                break
    assert process.returncode == -signal.SIGKILL
    with child(base, killed) as process:
        process.communicate()
    assert process.returncode == 0
    *found, rest = json.loads((killed / "answers.json").read_text())
    assert found == json.loads(json.dumps(expected))
    assert trained == 9
    assert 3 <= rest["trained"] <= 6  # from the checkpoint after three batches, or after six


def child(base: Path, folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.training.online_child", str(base), str(folder), "9"]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def test_an_unknown_end_is_refused_at_once(base: Path, tmp_path: Path) -> None:
    with Journal(tmp_path / "journal.db") as journal:
        with pytest.raises(ConfigError, match="cosine"):
            OnlineStudent(
                base,
                settings=TrainSettings(schedule="cosine", warmup=0),
                journal=journal,
                folder=tmp_path,
            )
        with pytest.raises(ConfigError, match="reference set"):
            online_student(base, journal, signals=("reference_loss",))


def test_a_base_is_named_by_its_content(base: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in base.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    assert base_identity(copy) == base_identity(base)
    (copy / "seedbed_checkpoint.json").write_text("{}")
    assert base_identity(copy) == base_identity(base)
    weights = copy / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    assert base_identity(copy) != base_identity(base)
    with pytest.raises(ConfigError, match="cannot be found"):
        base_identity(tmp_path / "no" / "such")


REPLAY = """
import asyncio, json, sys
from pathlib import Path
from seedbed.export import example_from_json
from seedbed.journal import Journal
from seedbed.training.online import OnlineStudent
from seedbed.training.settings import TrainSettings

async def main(base, folder):
    settings = TrainSettings(**json.loads((folder / "settings.json").read_text()))
    batches = json.loads((folder / "batches.json").read_text())
    with Journal(folder / "journal.db") as journal:
        student = OnlineStudent(base, settings=settings, journal=journal, folder=folder / "student")
        for batch in batches:
            signals = await student.feedback([example_from_json(row) for row in batch])
            print(signals.batch["loss"])
    print(sorted({"torch", "transformers"} & set(sys.modules)))

asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
"""


def test_a_replay_loads_nothing_of_what_training_needs(base: Path, tmp_path: Path) -> None:
    batches = online_batches(2)
    rows = [[example_to_json(example) for example in batch] for batch in batches]
    (tmp_path / "batches.json").write_text(json.dumps(rows))
    (tmp_path / "settings.json").write_text(json.dumps(ONLINE))
    found, _ = run(base, tmp_path, feed(batches), signals=FREE)
    command = [sys.executable, "-c", REPLAY, str(base), str(tmp_path)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert printed.split("\n") == [*(str(one.batch["loss"]) for one in found), "[]", ""]
