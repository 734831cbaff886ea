"""The recipe as a whole: batches, lessons beside the asking, seeds that move, and replay."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.recipes.sedi.taught import (
    PROMPTS,
    Made,
    Student,
    by_length,
    content,
    grown,
    hashed,
    settings,
    with_seed,
)

from seedbed.errors import AccessDenied, ConfigError, TrainingError
from seedbed.journal import Journal
from seedbed.models.announced import Announced
from seedbed.models.journaled import Journaled
from seedbed.models.model import FakeModel, Model
from seedbed.models.practice import PracticeTeacher, Trouble
from seedbed.recipes.sedi import sedi
from seedbed.recipes.sedi.params import Params
from seedbed.recipes.self_instruct import shipped_seeds
from seedbed.records import BatchSignals, Completion, Example, Request

SEEDS = {seed.instruction.id for seed in shipped_seeds()}


def fidgety(seed: int) -> Model:
    """The practice teacher behind delays that come out otherwise for each seed."""
    delays = random.Random(seed)
    teacher = PracticeTeacher(Trouble(duplicate=0.3, truncated=0.1, malformed=0.1))

    async def answer(request: Request) -> Completion:
        for _ in range(delays.randrange(30)):
            await asyncio.sleep(0)
        return await teacher.complete(request)

    return FakeModel(answer)


def same(one: Made, other: Made) -> None:
    assert one.examples == other.examples
    assert one.trained == other.trained
    assert one.moved == other.moved
    assert one.drops == other.drops


def test_count_examples_come_batch_by_batch_and_every_full_batch_is_trained_on() -> None:
    student = Student()
    made = grown(settings(count=150), student=student)
    assert len(made.examples) == len({example.id for example in made.examples}) == 150
    assert [len(batch) for batch in student.seen] == [8] * 18
    in_batches = [example for batch in student.seen for example in batch]
    assert made.examples[: len(in_batches)] == in_batches
    assert [trained.batch.items for trained in made.trained] == student.seen
    assert [trained.attractive for trained in made.trained].count(True) == 6
    assert "too_similar" in made.reasons


def test_a_window_adds_instructions_of_its_attractive_batches_as_seeds_and_retires_others() -> None:
    made = grown(settings(count=200))
    attractive = {
        example.instruction.id: trained.window
        for trained in made.trained
        if trained.attractive
        for example in trained.batch.items
    }
    added = [moved for moved in made.moved if moved.move == "added"]
    retired = [moved for moved in made.moved if moved.move == "retired"]
    assert added
    assert retired
    for moved in added:
        assert attractive[moved.seed.instruction.id] == moved.window
    live = set(SEEDS)
    for moved in made.moved:
        seed = moved.seed.instruction.id
        assert (seed in live) == (moved.move == "retired")
        live ^= {seed}
    assert len(live) == len(SEEDS) + len(added) - len(retired)


def test_the_batch_with_the_highest_norm_is_the_attractive_one() -> None:
    for prefer, pick in (("highest", max), ("lowest", min)):
        made = grown(settings(count=150, prefer=prefer))
        for window in range(1, 7):
            norms = {
                trained.signals.batch["grad_norm"]: trained.attractive
                for trained in made.trained
                if trained.window == window
            }
            assert [norm for norm, chosen in norms.items() if chosen] == [pick(norms)]


def test_new_seeds_are_shown_and_their_offspring_says_so() -> None:
    made = grown(settings(count=400, size=8, instructions_per_batch=8, retire=30))
    added = {moved.seed.instruction.id for moved in made.moved if moved.move == "added"}
    parents = {parent for e in made.examples for parent in e.instruction.origin.parents}
    assert parents & added
    assert parents <= SEEDS | added
    assert all(e.instruction.origin.recipe == "sedi" for e in made.examples)


def test_a_retired_seed_is_shown_no_more_once_the_lag_is_over() -> None:
    params = settings(count=400, retire=30, instructions_per_batch=8)
    made = grown(params, student=Student())
    retired = {
        moved.seed.instruction.id: moved.window for moved in made.moved if moved.move == "retired"
    }
    asked: dict[int, set[str]] = {}
    for example in made.examples:
        asked.setdefault(example.instruction.origin.round, set()).update(
            example.instruction.origin.parents
        )
    last = max(asked)
    early = {seed for seed, window in retired.items() if window <= 4}
    assert early
    late = set().union(*(parents for number, parents in asked.items() if number > last - 8))
    assert not early & late


# --- replay and lag


def test_neither_the_teachers_nor_the_students_timing_shapes_what_is_made() -> None:
    params = settings(count=180, retire=10, instructions_per_batch=6)
    first = grown(params, model=fidgety(0), student=Student(hashed))
    for seed in (1, 2, 3):
        student = Student(hashed, jitter=random.Random(seed))
        same(grown(params, model=fidgety(seed), student=student), first)


@pytest.mark.parametrize("preset", ["alpaca", "chat"])
def test_replay_costs_nothing_and_changes_nothing(tmp_path: Path, preset: str) -> None:
    params = settings(count=90, preset="chat" if preset == "chat" else "alpaca")
    teacher = FakeModel(PracticeTeacher(Trouble(duplicate=0.3)).complete)

    async def forbidden(request: Request) -> Completion:
        raise AssertionError(f"asked again: {request.messages[0].content[-80:]}")

    with Journal(tmp_path / "j.db") as journal:
        first = grown(params, model=Journaled(Announced(teacher, journal), journal))
        paid = journal.performed
        again = grown(params, model=Journaled(FakeModel(forbidden), journal))
        assert journal.performed == paid > 0
    same(again, first)
    assert len(first.examples) == 90


@pytest.mark.parametrize(("lag", "overlapping"), [(1, False), (4, True)])
def test_with_lag_one_the_teacher_waits_for_every_lesson_and_with_more_it_does_not(
    lag: int, overlapping: bool
) -> None:
    """Asks that were sent while a step was under way, with a student slower than the teacher."""
    under_way = 0
    during: list[int] = []

    class Slow(Student):
        async def __call__(self, batch: Sequence[Example]) -> BatchSignals:
            nonlocal under_way
            under_way += 1
            await asyncio.sleep(0.003)
            under_way -= 1
            return await super().__call__(batch)

    async def ask(request: Request) -> Completion:
        during.append(under_way)
        return await PracticeTeacher().complete(request)

    params = settings(count=160, every=1, lag=lag, asks_ahead=1)
    grown(params, model=FakeModel(ask), student=Slow())
    assert any(during) == overlapping


def test_an_ask_knows_the_feedback_that_the_lag_lets_it_know_and_no_more() -> None:
    """Every window is one batch; the seeds an ask shows tell how many windows it knew."""
    for lag in (1, 2, 3):
        params = settings(
            count=200, every=1, lag=lag, asks_ahead=1, instructions_per_batch=8, retire=40
        )
        made = grown(params, student=Student(jitter=random.Random(lag)))
        window_of = {
            moved.seed.instruction.id: moved.window for moved in made.moved if moved.move == "added"
        }
        for number, trained in enumerate(made.trained, 1):
            for example in trained.batch.items:
                for parent in example.instruction.origin.parents:
                    assert window_of.get(parent, 0) <= max(0, number - lag)
        newest = max(
            window_of.get(parent, 0)
            for example in made.examples
            for parent in example.instruction.origin.parents
        )
        assert newest >= 10


def test_a_longer_run_begins_like_a_shorter_one() -> None:
    few, many = (grown(settings(count=count)) for count in (120, 240))
    due = len(few.trained) - 2  # the last ones had less to choose from
    assert due > 8
    assert [t.batch.items for t in few.trained[:due]] == [t.batch.items for t in many.trained[:due]]


def test_another_seed_leads_elsewhere() -> None:
    one, other = (grown(with_seed(settings(count=40), seed)) for seed in (0, 1))
    assert {e.id for e in one.examples}.isdisjoint(e.id for e in other.examples)


# --- arms


def test_without_preference_seeds_stay_and_batches_are_still_told_of() -> None:
    made = grown(settings(count=120, prefer="none"))
    assert made.moved == []
    assert [trained.attractive for trained in made.trained] == [None] * 15
    parents = {parent for e in made.examples for parent in e.instruction.origin.parents}
    assert parents <= SEEDS


def test_a_random_move_is_as_large_and_does_not_hear_the_student() -> None:
    mute = Student()

    async def silent(batch: Sequence[Example]) -> BatchSignals:
        said = await mute(batch)
        return replace(said, batch={}, examples=tuple({} for _ in batch))

    random_arm = grown(settings(count=200, prefer="random"), student=silent)
    steered = grown(settings(count=200))
    for move in ("added", "retired"):
        counts = [sum(moved.move == move for moved in made.moved) for made in (random_arm, steered)]
        assert counts[0] == counts[1] > 0
    assert random_arm.seeds_added != steered.seeds_added


def test_at_a_stricter_threshold_more_is_dropped_for_as_many_kept() -> None:
    loose = settings(count=200, prefer="none")
    step = replace(loose.asking.bootstrap, threshold=0.5)
    strict = replace(loose, asking=replace(loose.asking, bootstrap=step))
    dropped = [grown(params).reasons.count("too_similar") for params in (strict, loose)]
    assert dropped[0] > 2 * dropped[1]


def test_steering_by_a_property_of_instructions_moves_the_seeds_towards_it() -> None:
    made = grown(settings(count=300, instructions_per_batch=4, example_signal="head_grad_norm"))
    added = [len(text) for text in made.seeds_added]
    everything = [by_length(example) for example in made.examples]
    assert sum(added) / len(added) > 1.2 * sum(everything) / len(everything)


# --- ends and errors


@pytest.mark.parametrize("setting", ["signal", "example_signal"])
def test_a_signal_that_training_does_not_give_is_an_error_that_lists_those_it_does(
    setting: str,
) -> None:
    unknown: dict[str, Any] = {setting: "nope"}
    with pytest.raises(ConfigError, match=f'{setting} = "nope"') as caught:
        grown(settings(**unknown))
    assert "grad_norm" in caught.value.hint


def test_more_attractive_batches_than_a_window_has_is_an_error() -> None:
    with pytest.raises(ConfigError, match="attractive_batches = 4"):
        settings(attractive_batches=4)


def test_a_teacher_without_new_ideas_ends_the_run() -> None:
    async def same_again(request: Request) -> Completion:
        return Completion(
            text=" Weigh seven green apples.\n4. Input:\n<noinput>\n4. Output:\nDone."
        )

    made = grown(settings(count=40), model=FakeModel(same_again))
    assert len(made.examples) == 1
    assert made.trained == []
    assert set(made.reasons) == {"too_similar"}


@pytest.mark.parametrize("failing", ["student", "teacher"])
def test_the_first_error_ends_the_run_and_leaves_nothing_behind(failing: str) -> None:
    async def broken(request: Request) -> Completion:
        raise AccessDenied("no")

    async def sick(batch: Sequence[Example]) -> BatchSignals:
        raise TrainingError("not a number")

    async def run() -> int:
        with pytest.raises(TrainingError if failing == "student" else AccessDenied):
            async for _ in sedi(
                shipped_seeds(),
                model=FakeModel(broken) if failing == "teacher" else PracticeTeacher(),
                prompts=PROMPTS,
                feedback=sick if failing == "student" else Student(),
                review=content,
                drop=lambda *_: None,
                accept=lambda _: None,
                note=lambda _: None,
                params=settings(count=100),
            ):
                pass
        await asyncio.sleep(0.01)
        return len(asyncio.all_tasks())

    assert asyncio.run(run()) == 1


def test_leaving_early_leaves_nothing_behind() -> None:
    async def run() -> int:
        examples = sedi(
            shipped_seeds(),
            model=fidgety(0),
            prompts=PROMPTS,
            feedback=Student(jitter=random.Random(0)),
            review=content,
            drop=lambda *_: None,
            accept=lambda _: None,
            note=lambda _: None,
            params=settings(count=500),
        )
        count = 0
        async for _ in examples:
            count += 1
            if count == 30:
                break
        assert isinstance(examples, AsyncGenerator)
        await examples.aclose()
        await asyncio.sleep(0.01)
        return len(asyncio.all_tasks())

    assert asyncio.run(run()) == 1


def test_the_defaults_are_what_the_readme_says() -> None:
    params = Params()
    assert (params.asking.bootstrap.threshold, params.asking.bootstrap.demonstrations) == (0.85, 3)
    assert (params.asking.bootstrap.from_machine, params.asking.instances) == (0, None)
    assert (params.steering.every, params.steering.signal) == (10, "grad_norm")
