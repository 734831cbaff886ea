"""Which demonstrations an ask is shown, and that timing has no say in it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from tests.recipes.self_instruct.made import PROMPTS, demonstrations

from seedbed.errors import ConfigError
from seedbed.recipes.self_instruct import PRESETS, Preset, Seed, shipped_seeds
from seedbed.recipes.self_instruct.pool import Pool, draw
from seedbed.recipes.self_instruct.proposals import Task
from seedbed.records import Drop, Instruction, Origin

CHAT = PRESETS["chat"]


def machine(count: int) -> list[Instruction]:
    origin = Origin(recipe="self_instruct")
    return [Instruction(text=f"Machine task {n}", origin=origin) for n in range(count)]


@pytest.mark.parametrize(
    ("size", "human", "written"), [(0, 8, 0), (1, 7, 1), (2, 6, 2), (100, 6, 2)]
)
@pytest.mark.parametrize("preset", ["chat", "paper", "repo"])
def test_demonstrations_are_8_0_then_7_1_then_6_2(
    size: int, human: int, written: int, preset: Preset
) -> None:
    for number in range(50):
        shown = draw(shipped_seeds(), machine(size), number=number, params=PRESETS[preset])
        recipes = Counter(instruction.origin.recipe for instruction, _ in shown)
        assert (recipes["seed"], recipes["self_instruct"]) == (human, written)
        assert len({instruction.id for instruction, _ in shown}) == 8


def test_alpaca_shows_three_seeds_and_nothing_else() -> None:
    shown = draw(shipped_seeds(), machine(100), number=3, params=PRESETS["alpaca"])
    assert [instruction.origin.recipe for instruction, _ in shown] == ["seed"] * 3
    assert all(task.response for _, task in shown)


def test_machine_written_demonstrations_stand_at_any_place() -> None:
    places = {
        place
        for number in range(200)
        for place, (instruction, _) in enumerate(
            draw(shipped_seeds(), machine(9), number=number, params=CHAT)
        )
        if instruction.origin.recipe == "self_instruct"
    }
    assert places == set(range(8))


def test_few_seeds_are_all_shown() -> None:
    seeds = shipped_seeds()[:3]
    shown = draw(seeds, machine(5), number=0, params=CHAT)
    assert sorted(i.origin.recipe for i, _ in shown) == ["seed"] * 3 + ["self_instruct"] * 2


def test_the_prompt_shows_what_the_lineage_says() -> None:
    pool = Pool(shipped_seeds(), prompts=PROMPTS, params=CHAT)
    (ask,) = pool.asks(1)
    by_id = {seed.instruction.id: seed.instruction.text for seed in shipped_seeds()}
    wanted = [" ".join(by_id[parent].split()).rstrip(":") for parent in ask.origin.parents]
    assert demonstrations(ask.request.messages[0].content) == wanted
    assert "numbered 9 to 16" in ask.request.messages[0].content


def test_an_ask_sees_the_pool_as_it_stood_lag_asks_before() -> None:
    pool = Pool(shipped_seeds(), prompts=PROMPTS, params=replace(CHAT, lag=3))
    made = []
    for number in range(8):
        (ask,) = pool.asks(1)
        made.append(ask)
        text = f"Wholly new task number {number} " + "abcdefgh"[number] * 5
        assert not isinstance(
            pool.admit(Instruction(text=text, origin=ask.origin), Task(instruction=text)), Drop
        )
        pool.settle()
    seeds = {seed.instruction.id for seed in shipped_seeds()}
    written = [sum(parent not in seeds for parent in ask.origin.parents) for ask in made]
    assert written == [0, 0, 0, 1, 2, 2, 2, 2]


def test_a_question_that_comes_again_is_another_draw() -> None:
    pool = Pool(shipped_seeds()[:1], prompts=PROMPTS, params=CHAT)
    asks = list(pool.asks(3))
    assert len({ask.request.messages for ask in asks}) == 1
    assert [ask.request.draw for ask in asks] == [0, 1, 2]


def test_classification_alone_starts_from_the_classification_seeds() -> None:
    params = replace(CHAT, classification_only=True, lag=40)
    pool = Pool(shipped_seeds(), prompts=PROMPTS, params=params)
    marked = {seed.instruction.id for seed in shipped_seeds() if seed.is_classification}
    asks = list(pool.asks(40))
    assert {parent for ask in asks for parent in ask.origin.parents} == marked
    assert "classification" in asks[0].request.messages[0].content


def test_no_seed_that_can_be_shown_is_an_error() -> None:
    bare = [Seed(instruction=Instruction(text="Sing."))]
    with pytest.raises(ConfigError, match="no seed tasks"):
        Pool([], prompts=PROMPTS, params=CHAT)
    with pytest.raises(ConfigError, match="with responses"):
        Pool(bare, prompts=PROMPTS, params=PRESETS["alpaca"])
    with pytest.raises(ConfigError, match="classification"):
        Pool(bare, prompts=PROMPTS, params=replace(CHAT, classification_only=True))


def test_scores_are_recorded_where_they_are_asked_for() -> None:
    text = "Name the capital of the country."
    for scores in (True, False):
        pool = Pool(shipped_seeds(), prompts=PROMPTS, params=replace(CHAT, scores=scores))
        found = pool.admit(Instruction(text=text), Task(instruction=text))
        assert not isinstance(found, Drop)
        assert len(found.nearest) == (10 if scores else 0)
        assert (found.mean is not None) == scores
        if scores:
            values = [score for _, score in found.nearest]
            assert values == sorted(values, reverse=True)
            assert 0 < (found.mean or 0) < values[0] <= 0.7


@pytest.mark.parametrize(("preset", "novel"), [("repo", True), ("paper", False)])
def test_at_exactly_seven_tenths_the_code_keeps_and_the_paper_drops(
    preset: Preset, novel: bool
) -> None:
    """Seven of ten words are shared. The paper says "less than 0.7", the code "not over"."""
    seed = Seed(instruction=Instruction(text="a b c d e f g h i j"))
    pool = Pool([seed], prompts=PROMPTS, params=PRESETS[preset])
    text = "a b c d e f g x y z"
    found = pool.admit(Instruction(text=text), Task(instruction=text))
    assert isinstance(found, Drop) != novel
