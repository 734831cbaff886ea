from __future__ import annotations

from collections import Counter
from itertools import combinations

import pytest

from seedbed.errors import ConfigError
from seedbed.evaluate.measurement import Result
from seedbed.evaluate.practice import (
    PracticeItem,
    PracticeMark,
    PracticeSettings,
    commonest,
    held_out,
    mark,
    pairs_of,
    score,
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


def test_a_falsified_response_is_wrong() -> None:
    two = [item for item in held_out(SMALL) if "Answer (b)" in item.response]
    assert two
    for item in two:
        task = read_instruction(item.instruction)
        assert task
        wrong = write_response(falsified(task, rng("wrong", item.id)), rng("words", item.id))
        assert not mark(item, wrong).right


def test_a_part_that_is_right_counts_as_a_part_only() -> None:
    instruction = (
        "Take the numbers 9, 2, 4. Take the date 2024-02-29. There are several parts. "
        "(a) Sort the numbers from smallest to largest. (b) Name the weekday of the date."
    )
    item = PracticeItem(
        instruction=instruction, skills=("naming_weekdays", "sorting_numbers"), response=""
    )
    half = PracticeMark(right=False, parts=0.5)
    assert mark(item, "Answer (a): 2, 4, 9\nAnswer (b): Friday") == half
    assert mark(item, "Answer (a): 2, 4, 9") == PracticeMark(right=False, parts=0.0)


def test_the_same_arguments_give_the_same_set_and_more_items_begin_with_the_fewer() -> None:
    more = PracticeSettings(skills=SKILLS[::-1], counts={2: 40})
    fewer = PracticeSettings(skills=SKILLS, counts={2: 30})
    assert held_out(more)[:30] == held_out(fewer) == held_out(fewer)
    other = PracticeSettings(skills=SKILLS, counts={2: 30}, seed=1)
    assert held_out(other) != held_out(fewer)
    assert len({item.id for item in held_out(more)}) == 40


def test_no_item_is_a_task_that_was_trained_on_however_worded() -> None:
    settings = PracticeSettings(skills=("square_area", "number_words"), counts={1: 50, 2: 10})
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


def _metric(result: Result, name: str) -> tuple[float, int, int]:
    found = result.measurement(name)
    return found.value, found.n, found.expected_n


def test_a_perfect_student_has_100_percent_in_every_split_and_a_guess_has_not() -> None:
    items = held_out(SMALL)
    trained = [item.instruction for item in held_out(PracticeSettings(skills=SKILLS, seed=7))]
    result = score(items, [item.response for item in items], student="perfect", trained=trained)
    values = {one.metric: one.value for one in result.measurements}
    guesses = values.pop("guess"), values.pop("guess_skill")
    assert set(values.values()) == {100.0}
    assert guesses[0] <= guesses[1] < 40
    assert {"accuracy_k1", "accuracy_k3", "accuracy_skill_json_formatting", "parts"} <= set(values)
    assert _metric(result, "accuracy_k2") == (100.0, 30, 30)
    low, high = result.measurement("accuracy_k2").low, result.measurement("accuracy_k2").high
    assert low is not None
    assert 85 < low < 100 == high


def test_accuracy_is_split_by_whether_pairs_of_skills_were_trained_on() -> None:
    trained = [
        make(["adding_numbers", "sorting_numbers"], "", rng("train", number))[0]
        for number in range(5)
    ]
    known = pairs_of(("adding_numbers", "sorting_numbers"))
    items = held_out(SMALL, trained=trained, balance=known)
    responses = [item.response if item.pairs <= known else "no idea" for item in items]
    result = score(items, responses, student="pairs", trained=trained)
    assert _metric(result, "accuracy_k2_pairs_seen")[0] == 100.0
    assert _metric(result, "accuracy_k2_pairs_unseen")[0] == 0.0
    seen_n, unseen_n = (
        _metric(result, f"accuracy_k2_pairs_{kind}")[1] for kind in ("seen", "unseen")
    )
    assert (seen_n, unseen_n) == (15, 15)
    assert _metric(result, "accuracy_k3_pairs_partly")[0] == 0.0


def test_a_missing_response_is_neither_right_nor_wrong_but_expected() -> None:
    items = held_out(SMALL)
    responses = [None if item.k == 2 else item.response for item in items]
    result = score(items, responses, student="silent", truncated=3)
    assert _metric(result, "accuracy") == (100.0, 40, 70)
    assert "accuracy_k2" not in {one.metric for one in result.measurements}
    assert result.measurement("accuracy").notes == ("3 responses ended at the length limit",)


def test_a_metric_is_the_mean_of_the_items_that_carry_its_name() -> None:
    items = held_out(SMALL)
    responses = [item.response if int(item.id, 16) % 3 else "?" for item in items]
    result = score(items, responses, student="some")
    for one in result.measurements:
        if not one.metric.startswith("guess"):
            carried = [
                item.scores[one.metric] for item in result.items if one.metric in item.scores
            ]
            assert one.value == pytest.approx(sum(carried) / len(carried))
            assert one.n == len(carried)
    assert 50 < _metric(result, "accuracy")[0] < 80
