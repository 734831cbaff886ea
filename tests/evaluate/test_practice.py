from __future__ import annotations

from collections import Counter
from itertools import combinations

import pytest

from seedbed.errors import ConfigError
from seedbed.evaluate.practice import (
    PracticeItem,
    PracticeMark,
    PracticeSettings,
    commonest,
    held_out,
    mark,
    pairs_of,
    seen,
    skills_in,
    task_key,
)
from seedbed.models.practice import make, skills_of, verify
from seedbed.models.practice.trouble import falsified
from seedbed.models.practice.wording import read_instruction, write_response
from seedbed.streams import rng

SKILLS = (
    "adding_numbers",
    "sorting_numbers",
    "counting_vowels",
    "naming_weekdays",
    "json_formatting",
)
SMALL = PracticeSettings(skills=SKILLS, counts={1: 20, 2: 30, 3: 20})


def test_every_true_response_is_right_and_every_item_needs_exactly_its_skills() -> None:
    for item in held_out(SMALL):
        assert mark(item, item.response) == PracticeMark(right=True, parts=1.0)
        assert verify(item.instruction, item.response) is True
        assert tuple(sorted(skills_of(item.instruction))) == item.skills
        assert not mark(item, "").right


def test_a_falsified_response_is_wrong_and_keeps_what_is_right_of_its_parts() -> None:
    two = [item for item in held_out(SMALL) if "Answer (b)" in item.response]
    assert two
    for item in two:
        task = read_instruction(item.instruction)
        assert task
        wrong = write_response(falsified(task, rng("wrong", item.id)), rng("words", item.id))
        assert not mark(item, wrong).right
        half = mark(item, item.response.replace("Answer (a):", "Answer (a): no"))
        assert not half.right
        assert 0 < half.parts < 1


def test_the_same_arguments_give_the_same_set_and_more_items_begin_with_the_fewer() -> None:
    more = PracticeSettings(skills=SKILLS[::-1], counts={2: 40})
    fewer = PracticeSettings(skills=SKILLS, counts={2: 30})
    assert held_out(more)[:30] == held_out(fewer) == held_out(fewer)
    other = PracticeSettings(skills=SKILLS, counts={2: 30}, seed=1)
    assert held_out(other) != held_out(fewer)
    assert len({item.id for item in held_out(more)}) == 40


def test_no_item_is_a_task_that_was_trained_on_however_worded() -> None:
    settings = PracticeSettings(skills=("square_area", "number_words"), counts={1: 50, 2: 40})
    first = held_out(settings)
    trained = [text for item in first for text in (item.instruction, _reworded(item))]
    again = held_out(settings, trained=trained)
    tasks = {task_key(read_instruction(text)) for text in trained}
    assert not tasks & {task_key(read_instruction(item.instruction)) for item in again}
    assert len(again) == len(first)


def _reworded(item: PracticeItem) -> str:
    """The same task said otherwise: a frame more around it."""
    return f"Let us try something. {item.instruction} That is all."


def test_a_reworded_task_has_the_same_key() -> None:
    for item in held_out(SMALL)[:20]:
        assert task_key(read_instruction(_reworded(item))) == task_key(
            read_instruction(item.instruction)
        )


def test_where_everything_was_trained_on_it_is_an_error() -> None:
    settings = PracticeSettings(skills=("square_area",), counts={1: 80})
    with pytest.raises(ConfigError, match="no task is left"):
        held_out(settings)


def test_balance_gives_seen_and_unseen_mixes_their_turns() -> None:
    known = frozenset(list(combinations(sorted(SKILLS), 2))[:3])
    items = held_out(SMALL, balance=known)
    kinds = Counter((item.k, seen(item.pairs, known)) for item in items if item.k > 1)
    assert kinds[2, "seen"] == kinds[2, "unseen"] == 15
    assert kinds[3, "seen"] + kinds[3, "unseen"] + kinds[3, "partly"] == 20


def test_seen_needs_all_pairs_and_unseen_none() -> None:
    known = pairs_of(("a", "b", "c"))
    assert seen(pairs_of(("c", "a")), known) == "seen"
    assert seen(pairs_of(("a", "d")), known) == "unseen"
    assert seen(pairs_of(("a", "b", "d")), known) == "partly"


def test_the_commonest_answers_are_marked_like_any_response() -> None:
    settings = PracticeSettings(skills=("checking_parity", "naming_weekdays"), counts={1: 80})
    others = PracticeSettings(skills=settings.skills, counts={1: 80}, seed=1)
    guesses = commonest(item.instruction for item in held_out(others))
    items = held_out(settings)
    by_skill = sum(mark(item, guesses.response(item, by_skill=True)).right for item in items) / 80
    overall = sum(mark(item, guesses.response(item, by_skill=False)).right for item in items) / 80
    assert guesses.by_skill["checking_parity"] in ("even", "odd")
    assert 0.1 < overall < by_skill < 0.6


def test_guesses_answer_every_part() -> None:
    guesses = commonest(item.instruction for item in held_out(SMALL))
    for item in held_out(SMALL):
        for by_skill in (True, False):
            mark(item, guesses.response(item, by_skill=by_skill))
    with pytest.raises(ConfigError, match="none of these"):
        commonest(["Write a poem."])


def test_skills_of_instructions_come_from_their_texts() -> None:
    instruction, _ = make(["sorting_numbers", "adding_numbers"], "", rng("one"))
    assert skills_in([instruction, "Write a poem."]) == [("adding_numbers", "sorting_numbers"), ()]


@pytest.mark.parametrize("skills", [("poetry",), ("numbers",)])
def test_unknown_skills_and_too_large_k_are_refused(skills: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match="no skill"):
        held_out(PracticeSettings(skills=skills, counts={1: 1}))
    with pytest.raises(ConfigError, match="k = 2"):
        held_out(PracticeSettings(skills=("adding_numbers",), counts={2: 1}))
