"""Directed mixes: shares follow what held-out losses say, and runs replay whatever the timing."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import exp, nan, sqrt
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.errors import ConfigError, TrainingError
from seedbed.journal import Journal
from seedbed.models.announced import Announced
from seedbed.models.journaled import Journaled
from seedbed.models.model import FakeModel, Model
from seedbed.models.practice import PracticeTeacher, Trouble
from seedbed.models.practice.query_types import QUERY_TYPES
from seedbed.models.practice.world import skills
from seedbed.prompts import load_prompts
from seedbed.recipes.directed import Directing, Params, Round, directed
from seedbed.recipes.directed.mixes import Mixes
from seedbed.recipes.directed.needs import (
    Measured,
    arms_of,
    losses_of,
    needs,
    scale_of,
    shares,
)
from seedbed.recipes.skillmix import Params as Mixing
from seedbed.recipes.skillmix.skillset import SkillSet
from seedbed.records import (
    BatchSignals,
    Completion,
    Drop,
    Dropped,
    Example,
    Instruction,
    Origin,
    QueryType,
    Request,
    Skill,
)

PROMPTS = load_prompts("seedbed.recipes.skillmix")

POOL = SkillSet(
    skills=tuple(Skill(name=skill.name, topic=skill.topic) for skill in skills()),
    query_types=tuple(
        QueryType(name=kind.name, definition=kind.definition) for kind in QUERY_TYPES[:4]
    ),
)
TOPICS = tuple(dict.fromkeys(skill.topic for skill in POOL.skills))
TOPIC_OF = {skill.name: skill.topic for skill in POOL.skills}


def settings(*, count: int = 96, lag: int = 1, size: int = 24, **directing: Any) -> Params:
    return Params(
        mixing=Mixing(count=count, k=2, seed=5),
        directing=Directing(**({"rate": 3.0, "held_out_per_arm": 2} | directing)),
        round=size,
        lag=lag,
        batch=8,
    )


@dataclass
class Student:
    """Its loss on an example falls with every lesson in the example's topics, but for the stubborn.

    `jitter` makes every lesson and probe take another time.
    """

    stubborn: frozenset[str] = frozenset()
    jitter: random.Random | None = None
    lessons: Counter[str] = field(default_factory=Counter)
    steps: int = 0

    async def _dawdle(self) -> None:
        for _ in range(self.jitter.randrange(300) if self.jitter else 0):
            await asyncio.sleep(0)

    async def feedback(self, batch: Sequence[Example]) -> BatchSignals:
        await self._dawdle()
        self.steps += 1
        for example in batch:
            self.lessons.update({TOPIC_OF[name] for name in example.instruction.origin.skills})
        return BatchSignals(step=self.steps, batch={"loss": 1.0}, examples=({},) * len(batch))

    async def probe(self, examples: Sequence[Example]) -> Sequence[float]:
        await self._dawdle()
        return [self._loss(example) for example in examples]

    def _loss(self, example: Example) -> float:
        topics = {TOPIC_OF[name] for name in example.instruction.origin.skills}
        return sum(
            1.0 if topic in self.stubborn else exp(-self.lessons[topic] / 20) for topic in topics
        ) / len(topics)


@dataclass
class Made:
    examples: list[Example] = field(default_factory=list)
    held_out: list[Example] = field(default_factory=list)
    rounds: list[Round] = field(default_factory=list)
    drops: list[tuple[Dropped, Drop]] = field(default_factory=list)


async def content(example: Example) -> Example | Drop:
    return example


def grown(
    params: Params,
    *,
    model: Model | None = None,
    student: Student | None = None,
    pool: SkillSet = POOL,
) -> Made:
    made, pupil = Made(), student or Student()

    async def run() -> None:
        async for example in directed(
            pool,
            model=model or PracticeTeacher(Trouble(malformed=0.05, refused=0.03)),
            prompts=PROMPTS,
            feedback=pupil.feedback,
            probe=pupil.probe,
            review=content,
            drop=lambda item, drop: made.drops.append((item, drop)),
            hold=made.held_out.append,
            note=made.rounds.append,
            params=params,
        ):
            made.examples.append(example)

    asyncio.run(run())
    return made


def test_rounds_of_examples_are_made_learned_and_measured() -> None:
    student = Student()
    made = grown(settings(count=90), student=student)
    assert len(made.examples) == len({example.id for example in made.examples}) == 90
    assert [(entry.number, entry.examples) for entry in made.rounds] == [
        (0, 0), (1, 24), (2, 24), (3, 24), (4, 18),
    ]  # fmt: skip
    assert student.steps == 90 // 8
    assert sum(len(entry.signals) for entry in made.rounds) == 90 // 8
    assert all(example.instruction.origin.recipe == "directed" for example in made.examples)
    for entry in made.rounds:
        assert set(entry.losses) == set(TOPICS)
    drawn = Counter(
        topic
        for example in made.examples[:24]
        for topic in {TOPIC_OF[name] for name in example.instruction.origin.skills}
    )
    assert {topic: n for topic, n in made.rounds[1].drawn.items() if n} == drawn


def test_held_out_examples_are_of_every_arm_and_never_trained_on() -> None:
    made = grown(settings())
    held = {example.id for example in made.held_out}
    assert held.isdisjoint(example.id for example in made.examples)
    seen = Counter(
        topic
        for example in made.held_out
        for topic in {TOPIC_OF[name] for name in example.instruction.origin.skills}
    )
    assert set(seen) == set(TOPICS)
    assert len(made.held_out) >= 2 * len(TOPICS) - 4  # the teacher fails now and then


def test_what_is_being_learned_is_drawn_more_and_what_cannot_be_learned_is_not() -> None:
    stubborn = frozenset(TOPICS[:2])
    made = grown(settings(count=240, rate=4.0), student=Student(stubborn=stubborn))
    second = made.rounds[2].shares
    assert max(second, key=second.__getitem__) not in stubborn
    mean = sum(second[topic] for topic in stubborn) / 2
    assert mean < 1 / len(TOPICS)


def test_by_loss_the_stubborn_is_drawn_more_and_more() -> None:
    stubborn = frozenset(TOPICS[:1])
    made = grown(settings(count=240, need="loss"), student=Student(stubborn=stubborn))
    of_stubborn = [entry.shares[TOPICS[0]] for entry in made.rounds[1:]]
    assert of_stubborn[-1] > 2 / len(TOPICS)
    assert of_stubborn[-1] > of_stubborn[0]


def test_without_need_mixes_are_uniform_and_no_student_is_asked() -> None:
    student = Student()
    made = grown(settings(need="none"), student=student)
    assert (student.steps, made.held_out) == (0, [])
    for entry in made.rounds:
        assert set(entry.shares.values()) == {round(1 / len(TOPICS), 9)}


# --- replay


def fidgety(seed: int) -> Model:
    delays = random.Random(seed)
    teacher = PracticeTeacher(Trouble(malformed=0.1, refused=0.05))

    async def answer(request: Request) -> Completion:
        for _ in range(delays.randrange(20)):
            await asyncio.sleep(0)
        return await teacher.complete(request)

    return FakeModel(answer)


@pytest.mark.parametrize("lag", [1, 2])
def test_no_timing_shapes_what_is_made(lag: int) -> None:
    params = settings(lag=lag)
    first = grown(params, model=fidgety(0))
    for seed in (1, 2):
        student = Student(jitter=random.Random(seed))
        assert grown(params, model=fidgety(seed), student=student) == first
    params = replace(params, mixing=replace(params.mixing, window=2))
    assert grown(params, model=fidgety(3)) == first


def test_the_lag_is_how_many_rounds_back_the_shares_know() -> None:
    """The first round whose shares are not uniform knows two measurements."""
    for lag in (1, 2, 3):
        made = grown(settings(count=120, lag=lag))
        uniform = [len(set(entry.shares.values())) == 1 for entry in made.rounds[1:]]
        assert uniform.index(False) == lag


def test_replay_costs_nothing_and_changes_nothing(tmp_path: Path) -> None:
    async def forbidden(request: Request) -> Completion:
        raise AssertionError("asked again")

    with Journal(tmp_path / "j.db") as journal:
        teacher = FakeModel(PracticeTeacher().complete)
        first = grown(settings(), model=Journaled(Announced(teacher, journal), journal))
        again = grown(settings(), model=Journaled(FakeModel(forbidden), journal))
    assert again == first


# --- needs and shares


def held(*skills: str, length: int = 10) -> list[Example]:
    return [
        Example(
            instruction=Instruction(text=skill, origin=Origin(skills=(skill,))),
            response="x" * length,
        )
        for skill in skills
    ]


ARMS = {name: name for name in "abcd"}
SCALE = scale_of(held("a", "b", "c", "a", "b", "c"), ARMS)

MEASURED = st.builds(
    Measured,
    losses=st.lists(st.floats(0, 9) | st.just(nan), min_size=6, max_size=6),
    drawn=st.fixed_dictionaries({name: st.integers(0, 50) for name in ARMS}),
)
HOW = st.builds(
    Directing,
    need=st.sampled_from(("progress", "loss", "none")),
    rate=st.floats(0, 20),
    memory=st.floats(0, 0.99),
    floor=st.floats(0, 1),
)


@given(history=st.lists(MEASURED, max_size=6), how=HOW)
def test_shares_add_up_and_none_is_below_the_floor(history: list[Measured], how: Directing) -> None:
    found = shares(history, SCALE, how)
    assert sum(found.values()) == pytest.approx(1, abs=1e-6)
    assert min(found.values()) >= how.floor / 4 - 1e-8


def test_the_loss_of_a_response_is_that_of_all_its_tokens() -> None:
    short, long = held("a", "a", length=10), held("b", "b", length=50)
    found, error = scale_of([*short, *long], ARMS).means([2.0, 2.0, 1.0, nan])
    assert found == {"a": 20, "b": 50, "c": 35, "d": 35}
    assert error == 0
    assert scale_of(short, ARMS).means([nan, nan]) == (dict.fromkeys("abcd", 0.0), 0.0)


def test_the_error_of_a_mean_is_that_of_examples_of_one_arm() -> None:
    _, error = scale_of(held("a", "a", "b", "b"), ARMS).means([1.0, 2.0, 8.0, 9.0])
    assert error == pytest.approx(sqrt(2 * 2 * 5**2 / 2 / 2))


def alone(losses: Sequence[float], drawn: Sequence[int] = (1, 1)) -> Measured:
    """Of an arm a and an arm b, each of whose ten examples loses the same."""
    return Measured(
        losses=[loss for loss in losses for _ in range(10)],
        drawn=dict(zip("ab", drawn, strict=True)),
    )


TWO = scale_of(held(*["a"] * 10, *["b"] * 10), {"a": "a", "b": "b"})


def test_by_loss_shares_go_with_what_is_above_the_lowest() -> None:
    found, _ = needs([alone([3.0, 1.0])], TWO, "loss")
    assert found["b"] == 0
    assert found["a"] == pytest.approx(20)
    found = shares([alone([3.0, 1.0])], TWO, Directing(need="loss", floor=0.2))
    assert found["a"] > 0.8
    assert found["b"] >= 0.1


def test_progress_is_what_an_example_gave_and_needs_two_measurements() -> None:
    """Both fell by as much, but a was drawn three times as often."""
    history = [alone([3.0, 3.0]), alone([2.0, 2.0], drawn=[30, 10])]
    found, _ = needs(history, TWO, "progress")
    assert found["b"] == pytest.approx(3 * found["a"])
    assert needs(history[:1], TWO, "progress") == ({"a": 0.0, "b": 0.0}, 0.0)
    assert set(shares(history[:1], TWO, Directing()).values()) == {0.5}
    hardly = [alone([3.0, 3.0]), alone([2.0, 2.0], drawn=[40, 0])]
    found, _ = needs(hardly, TWO, "progress")
    assert found["b"] == pytest.approx(found["a"] * 2 / 0.5)


def test_a_difference_counts_less_the_noisier_it_is() -> None:
    noise = random.Random(0)
    noisy = [2 + noise.uniform(-1, 1) for _ in range(20)]
    unclear = Measured(losses=noisy, drawn={"a": 1, "b": 1})
    clear = alone([sum(noisy[:10]) / 10, sum(noisy[10:]) / 10])
    how = Directing(need="loss", floor=0.0)
    told, blurred = shares([clear], TWO, how), shares([unclear], TWO, how)
    assert 0.5 < blurred["b"] < told["b"] - 0.1


def test_older_needs_count_less() -> None:
    history = [alone([3.0, 1.0]), alone([1.0, 3.0])]
    even = shares(history, TWO, Directing(need="loss", memory=0.99, floor=0.0))
    now = shares(history, TWO, Directing(need="loss", memory=0.0, floor=0.0))
    assert even["b"] < now["b"]


def test_an_arms_loss_is_the_mean_over_its_examples_without_unreadable_ones() -> None:
    def example(*names: str) -> Example:
        return Example(
            instruction=Instruction(text=" ".join(names), origin=Origin(skills=names)),
            response="done",
        )

    arms = {"s": "one", "t": "one", "u": "two"}
    held_out = [example("s", "t"), example("s", "u"), example("u", "t")]
    assert losses_of(held_out, [1.0, 2.0, nan], arms) == {"one": 1.5, "two": 2.0}


# --- mixes


def test_a_pool_without_topics_can_only_be_directed_by_skill() -> None:
    bare = replace(POOL, skills=tuple(Skill(name=skill.name) for skill in POOL.skills))
    with pytest.raises(ConfigError, match="under no topics"):
        arms_of(bare, "topic")
    assert set(arms_of(bare, "skill").values()) == set(bare.names)


@pytest.mark.parametrize("k", [1, 2, 3])
def test_mixes_follow_the_shares_and_hold_k_different_skills(k: int) -> None:
    mixes = Mixes(POOL, arms_of(POOL, "topic"), k=k, seed=1, avoid_alike=True)
    favoured = TOPICS[0]
    given_shares = {topic: 10.0 if topic == favoured else 1.0 for topic in TOPICS}
    stream = mixes.deal(given_shares)
    dealt = [next(stream) for _ in range(300)]
    assert all(len(set(mix.skills)) == k for mix in dealt)
    assert [mix.number for mix in dealt] == list(range(300))
    drawn = Counter(TOPIC_OF[name] for mix in dealt for name in mix.skills)
    assert drawn[favoured] > 3 * max(n for topic, n in drawn.items() if topic != favoured) / 2
    kinds = Counter(mix.query_type.name for mix in dealt)
    assert max(kinds.values()) - min(kinds.values()) <= 1
    questions = [(frozenset(mix.skills), mix.query_type.name, mix.repeat) for mix in dealt]
    assert len(set(questions)) == 300


def test_covering_mixes_look_at_every_arm_alone() -> None:
    mixes = Mixes(POOL, arms_of(POOL, "topic"), k=2, seed=1, avoid_alike=True)
    covering = mixes.covering(2)
    assert all(len(mix.skills) == 1 for mix in covering)
    assert Counter(TOPIC_OF[mix.skills[0]] for mix in covering) == dict.fromkeys(TOPICS, 2)


def test_skills_that_may_not_meet_are_an_error() -> None:
    pool = replace(POOL, skills=(Skill(name="data_analysis"), Skill(name="big_data_analysis")))
    mixes = Mixes(pool, arms_of(pool, "skill"), k=2, seed=0, avoid_alike=True)
    with pytest.raises(ConfigError, match="may meet"):
        next(mixes.deal({"data_analysis": 1, "big_data_analysis": 1}))
    with pytest.raises(ConfigError, match="k = 3 needs"):
        Mixes(pool, arms_of(pool, "skill"), k=3, seed=0, avoid_alike=True)


# --- ends


def test_a_teacher_that_only_fails_ends_the_run() -> None:
    async def useless(request: Request) -> Completion:
        return Completion(text="No.")

    made = grown(settings(), model=FakeModel(useless))
    assert made.examples == []
    assert {drop.reason for _, drop in made.drops} == {"unparsed"}


def test_a_student_that_fails_ends_the_run() -> None:
    class Sick(Student):
        async def feedback(self, batch: Sequence[Example]) -> BatchSignals:
            raise TrainingError("not a number")

    with pytest.raises(TrainingError):
        grown(settings(), student=Sick())
