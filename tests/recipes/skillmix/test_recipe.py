"""The recipe: replayable, frugal, and never without an end."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest

from seedbed.curate.review import all_of, filtered
from seedbed.journal import Journal
from seedbed.models.journaled import Journaled
from seedbed.models.model import FakeModel, Model
from seedbed.prompts import load_prompts
from seedbed.recipes.skillmix import FIRST_ROUND, TURNS, Params, Profile, skillmix
from seedbed.recipes.skillmix.skillset import SkillSet
from seedbed.records import (
    Completion,
    Drop,
    Dropped,
    Example,
    FinishReason,
    QueryType,
    Request,
    Review,
    Skill,
    digest,
)

PROMPTS = load_prompts("seedbed.recipes.skillmix")

POOL = SkillSet(
    skills=tuple(Skill(name=f"skill{number}") for number in range(30)),
    query_types=(
        QueryType(name="Planning", definition="A plan is wanted.", examples=("How do I move?",)),
        QueryType(name="Bare"),
    ),
)

Answer = Callable[[Request], str | Completion]


class Teacher:
    """Answers by a function, out of order, and remembers what it was asked."""

    name = "fake"

    def __init__(self, answer: Answer) -> None:
        self.asked: list[Request] = []
        self._answer = answer

    async def complete(self, request: Request, /) -> Completion:
        self.asked.append(request)
        for _ in range(int(digest(request.to_json())[:2], 16) % 7):
            await asyncio.sleep(0)
        answer = self._answer(request)
        return Completion(text=answer) if isinstance(answer, str) else answer


def sound(request: Request) -> str:
    name = digest(request.to_json())[:8]
    return f"### Instruction:\nAsk {name}.\n\n### Response:\nAnswer {name}."


def failing(share: float) -> Answer:
    """Unparseable for a share of the conversations, which their content decides."""

    def answer(request: Request) -> str:
        key = digest(request.messages[0].content, request.draw)
        return "I forgot the form." if int(key[:4], 16) < share * 65536 else sound(request)

    return answer


async def approve(example: Example) -> Example | Drop:
    return example


def grown(
    model: Model, params: Params, *, review: Review = approve, pool: SkillSet = POOL
) -> tuple[list[Example], list[tuple[Dropped, Drop]]]:
    drops: list[tuple[Dropped, Drop]] = []

    async def run() -> list[Example]:
        stream: AsyncIterator[Example] = skillmix(
            pool,
            model=model,
            prompts=PROMPTS,
            review=review,
            drop=lambda item, drop: drops.append((item, drop)),
            params=params,
        )
        return [example async for example in stream]

    return asyncio.run(run()), drops


def conversations(asked: list[Request]) -> set[tuple[str, int]]:
    return {(request.messages[0].content, request.draw) for request in asked}


@pytest.mark.parametrize("profile", ["three_turn", "five_turn"])
@pytest.mark.parametrize("k", [1, 2, 3])
def test_a_run_has_its_count_of_examples_and_no_call_more(profile: Profile, k: int) -> None:
    teacher = Teacher(sound)
    examples, drops = grown(teacher, Params(count=40, k=k, profile=profile))
    assert (len(examples), drops) == (40, [])
    assert len(teacher.asked) == 40 * len(TURNS[profile])
    assert len({example.id for example in examples}) == 40
    for number, example in enumerate(examples):
        origin = example.instruction.origin
        assert (origin.recipe, origin.step, origin.round) == ("skillmix", profile, number)
        assert len(origin.skills) == k
        assert len(origin.calls) == len(TURNS[profile])


def test_each_turn_is_sent_with_the_whole_conversation_before_it() -> None:
    teacher = Teacher(sound)
    [example], _ = grown(teacher, Params(count=1))
    draft, critique, refine = teacher.asked
    skills = ", ".join(example.instruction.origin.skills)
    first = draft.messages[0].content
    assert first.endswith(f"### Skills: {skills}")
    assert [message.role for message in refine.messages] == ["user", "assistant"] * 2 + ["user"]
    assert refine.messages[: len(critique.messages)] == critique.messages
    assert refine.messages[1].content == sound(draft)
    assert example.response == f"Answer {digest(refine.to_json())[:8]}."


def test_the_teacher_reads_the_query_type_with_its_examples() -> None:
    teacher = Teacher(sound)
    grown(teacher, Params(count=2))
    drafts = {
        request.messages[0].content for request in teacher.asked if len(request.messages) == 1
    }
    assert any('A plan is wanted.\n- "How do I move?"\n' in text for text in drafts)
    assert any("query type is:\n\nBare\n" in text for text in drafts)


def test_a_replay_costs_nothing_and_yields_the_same(tmp_path: Path) -> None:
    """The teacher never says the same thing twice; every window and order must replay the rest."""
    chance = random.Random(7)

    def whim(request: Request) -> str:
        return "garbage" if chance.random() < 0.2 else f"{sound(request)} {chance.random()}"

    async def free(request: Request) -> Completion:
        raise AssertionError("asked again")

    params = Params(count=60, redraws=1, window=64)
    teacher = Teacher(whim)
    with Journal(tmp_path / "j.db") as journal:
        first = grown(Journaled(teacher, journal), params)
    assert len(first[0]) == 60
    assert first[1]
    for window in (1, 5, 1000):
        with Journal(tmp_path / "j.db") as journal:
            again = grown(Journaled(FakeModel(free), journal), replace(params, window=window))
            assert again == first
            assert journal.performed == 0
    keys = {key for example in first[0] for key in example.instruction.origin.calls}
    with Journal(tmp_path / "j.db") as journal:
        assert keys < {entry.key for entry in journal.entries("completion")}


def test_a_lost_tail_of_the_journal_is_all_that_is_paid_again(tmp_path: Path) -> None:
    """A stop after some answers: the next session performs what is missing and nothing else."""
    stopped_after = 50

    class Stop(Exception):
        pass

    def stopping(request: Request) -> str:
        if len(first.asked) > stopped_after:
            raise Stop
        return sound(request)

    first = Teacher(stopping)
    with Journal(tmp_path / "j.db") as journal, pytest.raises(Stop):
        grown(Journaled(first, journal), Params(count=40, window=8))
    second = Teacher(sound)
    with Journal(tmp_path / "j.db") as journal:
        settled = sum(1 for _ in journal.entries("completion"))
        resumed = grown(Journaled(second, journal), Params(count=40, window=8))
    assert settled > 0
    assert len(second.asked) == 120 - settled
    straight = grown(Teacher(sound), Params(count=40))
    assert [example.id for example in resumed[0]] == [example.id for example in straight[0]]


def test_one_more_example_costs_one_more_mix(tmp_path: Path) -> None:
    with Journal(tmp_path / "j.db") as journal:
        fewer, _ = grown(Journaled(Teacher(sound), journal), Params(count=25))
        teacher = Teacher(sound)
        more, _ = grown(Journaled(teacher, journal), Params(count=26))
    assert more[:25] == fewer
    assert len(teacher.asked) == 3
    assert len(conversations(teacher.asked)) == 1


def test_with_drops_too_a_longer_run_only_adds(tmp_path: Path) -> None:
    asked = {}
    for count in (40, 41):
        teacher = Teacher(failing(0.3))
        examples, _ = grown(teacher, Params(count=count))
        assert len(examples) == count
        asked[count] = conversations(teacher.asked)
    assert asked[40] < asked[41]


def test_rounds_make_up_for_drops_without_a_mix_too_many() -> None:
    teacher = Teacher(failing(0.3))
    examples, drops = grown(teacher, Params(count=100))
    assert len(examples) == 100
    assert 20 < len(drops) < 80
    assert len(conversations(teacher.asked)) == 100 + len(drops)
    numbers = [example.instruction.origin.round for example in examples]
    assert numbers == sorted(numbers)
    assert {drop.reason for _, drop in drops} == {"unparsed"}


def test_a_last_missing_example_is_worth_another_mix() -> None:
    """A small round without a success must not end the run short."""
    short = [
        count
        for count in range(1, 40)
        if len(grown(Teacher(failing(0.4)), Params(count=count))[0]) < count
    ]
    assert short == []


@pytest.mark.parametrize(("count", "most"), [(3, 30), (200, 32)])
def test_a_teacher_that_never_keeps_the_form_ends_the_run(count: int, most: int) -> None:
    teacher = Teacher(lambda request: "no form")
    examples, drops = grown(teacher, Params(count=count))
    assert examples == []
    assert len(drops) == len(conversations(teacher.asked)) == most


def test_rounds_are_bounded() -> None:
    teacher = Teacher(failing(0.9))
    examples, drops = grown(teacher, Params(count=50, rounds=2))
    first = [example for example in examples if example.instruction.origin.round < FIRST_ROUND]
    assert 0 < len(examples) < 50
    assert len(drops) + len(examples) == FIRST_ROUND + 50 - len(first)


def test_a_dropped_mix_is_drawn_again_before_another_is_taken() -> None:
    def second_try(request: Request) -> str:
        return sound(request) if request.draw % 100 == 1 else "no form"

    examples, drops = grown(Teacher(second_try), Params(count=20, redraws=2))
    assert [example.instruction.origin.draw for example in examples] == [1] * 20
    assert [example.instruction.origin.round for example in examples] == list(range(20))
    assert len(drops) == 20


def test_draws_never_collide_when_the_pool_is_used_up() -> None:
    """Three pairs and one query type: the same question comes back, as another draw of it."""
    small = SkillSet(skills=POOL.skills[:3], query_types=POOL.query_types[:1])
    teacher = Teacher(failing(0.5))
    examples, drops = grown(teacher, Params(count=60, redraws=1), pool=small)
    assert len(examples) == 60
    drafts = [request for request in teacher.asked if len(request.messages) == 1]
    assert len(drafts) == len(conversations(drafts)) == 60 + len(drops)
    assert len({example.id for example in examples}) == 60


@pytest.mark.parametrize(
    ("finish", "reason"),
    [("length", "truncated"), ("refused", "refused"), ("rejected", "rejected")],
)
@pytest.mark.parametrize(("turn", "name"), list(enumerate(TURNS["three_turn"])))
def test_a_conversation_that_breaks_off_is_dropped_and_not_paid_on(
    finish: FinishReason, reason: str, turn: int, name: str
) -> None:
    def broken(request: Request) -> Completion:
        if len(request.messages) == 2 * turn + 1:
            return Completion(text=sound(request), finish_reason=finish, note="why")
        return Completion(text=sound(request))

    teacher = Teacher(broken)
    examples, drops = grown(teacher, Params(count=1, rounds=1))
    assert examples == []
    [(item, drop)] = drops
    assert (drop.reason, drop.evidence) == (reason, {"turn": name, "note": "why"})
    assert len(teacher.asked) == turn + 1
    assert not isinstance(item, Example)


@pytest.mark.parametrize(
    ("turn", "finish", "kept"),
    [
        ("draft", "length", True),
        ("refine", "length", True),
        ("complete_draft", "length", False),
        ("critique", "length", False),
        ("complete_refined", "length", False),
        ("draft", "refused", False),
        ("refine", "rejected", False),
    ],
)
def test_in_five_turns_only_a_turn_that_is_completed_later_may_be_cut(
    turn: str, finish: Literal["length", "refused", "rejected"], kept: bool
) -> None:
    place = TURNS["five_turn"].index(turn)

    def cut(request: Request) -> Completion:
        hit = len(request.messages) == 2 * place + 1
        return Completion(text=sound(request), finish_reason=finish if hit else "stop")

    examples, _ = grown(Teacher(cut), Params(count=1, rounds=1, profile="five_turn"))
    assert bool(examples) == kept


def test_the_review_has_the_last_word() -> None:
    def short(example: Example) -> Drop | None:
        return Drop(reason="odd") if example.response[7] in "01234567" else None

    async def mend(example: Example) -> Example | Drop:
        return replace(example, response=example.response + " Mended.", repairs=("mended",))

    examples, drops = grown(Teacher(sound), Params(count=30), review=all_of(filtered(short), mend))
    assert len(examples) == 30
    assert all(example.response.endswith(" Mended.") for example in examples)
    assert {drop.reason for _, drop in drops} == {"odd"}
    assert all(isinstance(item, Example) for item, _ in drops)


def test_an_error_of_the_world_ends_the_run() -> None:
    def broken(request: Request) -> str:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        grown(Teacher(broken), Params(count=20))


def test_the_seed_shapes_every_request() -> None:
    asked = {}
    for seed in (1, 2):
        teacher = Teacher(sound)
        grown(teacher, Params(count=10, seed=seed))
        asked[seed] = conversations(teacher.asked)
    assert not asked[1] & asked[2]
