from __future__ import annotations

from itertools import combinations
from random import Random

from seedbed.models.practice import make, skills, skills_of, verify
from seedbed.models.practice.compose import arrangements, every_step_matters
from seedbed.models.practice.query_types import FRAME_SENTENCES, QUERY_TYPES
from seedbed.models.practice.skill import RESULT
from seedbed.models.practice.wording import read_instruction
from seedbed.streams import rng

NAMES = [skill.name for skill in skills()]


def check(names: tuple[str, ...], query_type: str) -> str:
    instruction, response = make(names, query_type, rng("test", names))
    assert sorted(skills_of(instruction)) == sorted(names), instruction
    assert verify(instruction, response) is True, f"{instruction}\n{response}"
    task = read_instruction(instruction)
    assert task is not None
    assert all(every_step_matters(part) for part in task)
    return instruction


def test_every_pair_composes_and_its_response_verifies() -> None:
    for pair in combinations(NAMES, 2):
        check(pair, "Help-Seeking")


def test_random_triples_compose_and_verify() -> None:
    random = Random(3)
    for number in range(600):
        kind = QUERY_TYPES[number % len(QUERY_TYPES)].name
        check(tuple(random.sample(NAMES, 3)), kind)


def test_up_to_ten_skills_compose() -> None:
    random = Random(10)
    for k in (1, 4, 5, 7, 10):
        for _ in range(10):
            check(tuple(random.sample(NAMES, k)), "a type that nobody has heard of")


def test_a_good_part_of_the_pairs_are_real_chains() -> None:
    chained = sum(len(arrangements(pair)[0][0]) == 1 for pair in combinations(sorted(NAMES), 2))
    assert chained >= 400


def test_a_chain_never_has_a_step_that_the_next_one_undoes() -> None:
    for seed in range(50):
        instruction, _ = make(["sorting_numbers", "adding_numbers"], "", Random(seed))
        assert RESULT not in instruction


def test_sorting_then_json_is_one_chain() -> None:
    instruction, response = make(["json_formatting", "sorting_numbers"], "", Random(0))
    task = read_instruction(instruction)
    assert task is not None
    assert [[step.skill.name for step in part.steps] for part in task] == [
        ["sorting_numbers", "json_formatting"]
    ]
    assert response.splitlines()[-1].startswith("Answer: [")


def test_the_same_generator_makes_the_same_example_and_another_one_another() -> None:
    first = make(["adding_numbers", "naming_weekdays"], "Planning", Random(1))
    assert first == make(["adding_numbers", "naming_weekdays"], "Planning", Random(1))
    assert first != make(["adding_numbers", "naming_weekdays"], "Planning", Random(2))


def test_pairs_alone_give_more_than_twenty_thousand_instructions() -> None:
    pairs = list(combinations(NAMES, 2))
    made = {make(pairs[n % len(pairs)], "Planning", Random(n))[0] for n in range(21_000)}
    assert len(made) > 20_000


def test_query_types_word_the_same_skills_differently() -> None:
    for kind in QUERY_TYPES:
        instruction, _ = make(["adding_numbers"], kind.name, Random(5))
        assert instruction.startswith(kind.openings)


def test_an_unknown_query_type_gets_a_neutral_wording() -> None:
    openings = tuple(opening for kind in QUERY_TYPES for opening in kind.openings)
    instruction, _ = make(["adding_numbers"], "Séance", Random(5))
    assert not instruction.startswith(openings)


def test_frame_sentences_say_nothing_about_the_task() -> None:
    for sentence in FRAME_SENTENCES:
        assert read_instruction(sentence) is None
        framed = f"{sentence} Take the numbers 3, 5. Add up the numbers. {sentence}"
        assert skills_of(framed) == ("adding_numbers",)


def test_instructions_are_short() -> None:
    for pair in combinations(NAMES, 2):
        instruction, response = make(pair, "Planning", rng("short", pair))
        assert len(instruction.split()) <= 90
        assert len(response.split()) <= 110
