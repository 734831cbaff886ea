"""The recipe: rounds, what goes back, which calls are made, and that it replays."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest
from tests.recipes.evol_instruct.teachers import (
    RESPONSE,
    Teacher,
    given,
    grown,
    harder,
    kind_of,
    seeds,
)

from seedbed.curate.review import filtered
from seedbed.errors import ConfigError
from seedbed.journal import Journal
from seedbed.models.journaled import Journaled
from seedbed.models.model import FakeModel
from seedbed.recipes.evol_instruct.operations import operation_of
from seedbed.recipes.evol_instruct.params import OPERATIONS, Elimination, Params
from seedbed.recipes.evol_instruct.presets import PRESETS
from seedbed.records import (
    Completion,
    Drop,
    Example,
    FinishReason,
    Instruction,
    Origin,
    Request,
    digest,
)

QUIET = Params(elimination=replace(Elimination(), equality=False))


def failing(share: float) -> Teacher:
    """Gives a share of the prompts back unchanged, which their content decides."""

    def rewrite(request: Request) -> str:
        key = int(digest(request.to_json())[:4], 16)
        return given(request) if key < share * 65536 else harder(request)

    return Teacher(rewrite=rewrite)


def test_every_seed_is_evolved_in_every_round_with_three_calls_each() -> None:
    teacher = Teacher()
    examples, drops = grown(teacher, Params())
    assert (len(examples), drops) == (40, [])
    assert [teacher.count(kind) for kind in ("rewrite", "judge", "answer")] == [40, 40, 40]
    assert [example.instruction.origin.round for example in examples] == [1, 2, 3, 4] * 10
    assert all(len(example.instruction.origin.calls) == 3 for example in examples)
    assert all(example.response == RESPONSE and example.input == "" for example in examples)


def test_each_round_evolves_what_the_round_before_kept_and_says_of_whom() -> None:
    start = seeds(3)
    examples, _ = grown(Teacher(), Params(), given=start)
    for number, example in enumerate(examples):
        seed, round_before = start[number // 4], examples[number - 1].instruction
        parent = seed if number % 4 == 0 else round_before
        assert example.instruction.text.startswith(parent.text)
        origin = example.instruction.origin
        assert origin.parents == tuple(dict.fromkeys((parent.id, seed.id)))
        assert (origin.recipe, origin.draw) == ("evol_instruct", 0)


def test_all_operations_are_drawn_about_equally_often_and_the_seed_shapes_the_draw() -> None:
    drawn = {}
    for seed in (1, 2):
        examples, _ = grown(Teacher(), replace(QUIET, seed=seed, rounds=1), given=seeds(300))
        drawn[seed] = [example.instruction.origin.step for example in examples]
    counts = [sum(operation_of(step) == name for step in drawn[1]) for name in OPERATIONS]
    assert sum(counts) == 300
    assert min(counts) > 30
    formats = {step for step in drawn[1] if step.startswith("complicate_input:")}
    assert {"complicate_input:sql_database", "complicate_input:shell_command"} <= formats
    assert drawn[1] != drawn[2]


def test_a_failed_evolution_sends_its_parent_back_to_be_tried_again() -> None:
    teacher = failing(0.4)
    examples, drops = grown(teacher, QUIET, given=seeds(30))
    assert len(examples) + len(drops) == 120
    assert {drop.reason for _, drop in drops} == {"unchanged"}
    assert 25 < len(drops) < 75
    kept = {example.instruction.id: example for example in examples}
    first = {seed.id for seed in seeds(30)}
    for example in examples:
        parent = example.instruction.origin.parents[0]
        assert parent in first or parent in kept
    retried = [example for example in examples if example.instruction.origin.draw]
    assert retried
    assert all(e.instruction.origin.draw < e.instruction.origin.round for e in retried)


def test_trying_again_is_another_draw_so_no_answer_is_asked_twice() -> None:
    teacher = Teacher(rewrite=given)
    examples, drops = grown(teacher, replace(QUIET, operations=("deepen",)), given=seeds(5))
    assert examples == []
    assert len({digest(request.to_json()) for request in teacher.asked}) == 20 == len(drops)
    assert [request.draw for request in teacher.asked if "number 3." in given(request)] == [
        0,
        1,
        2,
        3,
    ]


def test_an_evolution_that_fails_early_is_not_paid_on() -> None:
    teacher = Teacher(rewrite=given)
    grown(teacher, Params())
    assert (teacher.count("rewrite"), teacher.count("judge"), teacher.count("answer")) == (40, 0, 0)
    teacher = Teacher(judge=lambda request: "Equal.")
    _, drops = grown(teacher, Params())
    assert (teacher.count("judge"), teacher.count("answer")) == (40, 0)
    assert {drop.reason for _, drop in drops} == {"equal"}
    assert all(isinstance(item, Instruction) for item, _ in drops)
    assert all(len(item.origin.calls) == 2 for item, _ in drops if isinstance(item, Instruction))


def test_the_judge_may_be_another_model() -> None:
    teacher, judge = Teacher(), Teacher()
    grown(teacher, Params(), judge=judge)
    assert {kind_of(request) for request in judge.asked} == {"judge"}
    assert teacher.count("judge") == 0


def test_the_review_can_make_an_evolution_fail() -> None:
    def odd(example: Example) -> Drop | None:
        round_, seed = example.instruction.origin.round, example.instruction.text
        return Drop(reason="odd") if round_ == 2 and "number 1" in seed else None

    examples, drops = grown(Teacher(), QUIET, given=seeds(4), review=filtered(odd))
    assert len(examples) == 15
    [(item, _)] = drops
    assert isinstance(item, Example)
    third = examples[5]
    assert third.instruction.origin.round == 3
    assert third.instruction.origin.draw == 1
    assert third.instruction.text.startswith(examples[4].instruction.text)


@pytest.mark.parametrize(
    ("finish", "reason"),
    [("length", "truncated"), ("refused", "refused"), ("rejected", "rejected")],
)
@pytest.mark.parametrize("call", ["rewrite", "answer"])
def test_what_the_model_does_not_end_by_itself_fails(
    finish: FinishReason, reason: str, call: str
) -> None:
    def broken(request: Request) -> Completion:
        text = harder(request) if call == "rewrite" else RESPONSE
        return Completion(text=text, finish_reason=finish, note="why")

    teacher = Teacher(rewrite=broken) if call == "rewrite" else Teacher(answer=broken)
    examples, drops = grown(teacher, replace(QUIET, rounds=1), given=seeds(2))
    assert examples == []
    for _, drop in drops:
        assert (drop.reason, drop.evidence) == (reason, {"call": call, "note": "why"})


def test_a_preset_that_keeps_what_was_cut_keeps_it() -> None:
    def cut(request: Request) -> Completion:
        return Completion(text=RESPONSE, finish_reason="length")

    examples, _ = grown(Teacher(answer=cut), PRESETS["wizardlm"])
    assert len(examples) == 10


def test_no_verdict_is_no_yes() -> None:
    _, drops = grown(Teacher(judge=lambda request: "Hard to say."), replace(Params(), rounds=1))
    assert {drop.reason for _, drop in drops} == {"unjudged"}


def test_a_seed_that_comes_again_is_not_evolved_again() -> None:
    start = seeds(3)
    teacher = Teacher()
    examples, drops = grown(teacher, replace(QUIET, rounds=2), given=[*start, start[1]])
    assert len(examples) == 6
    [(item, drop)] = drops
    assert drop.reason == "repeated_seed"
    assert isinstance(item, Instruction)
    assert item.text == start[1].text


def test_two_lineages_that_meet_leave_one_example() -> None:
    teacher = Teacher(rewrite=lambda request: "Explain how bees find their way home.")
    params = replace(QUIET, rounds=1)
    examples, drops = grown(teacher, params, given=seeds(3))
    assert len(examples) == 1
    assert [drop.reason for _, drop in drops] == ["duplicate", "duplicate"]
    assert drops[0][1].evidence == {"of": examples[0].id}
    loose = replace(params, elimination=replace(params.elimination, duplicate=False))
    assert len(grown(teacher, loose, given=seeds(3))[0]) == 3


def test_an_input_is_evolved_with_its_instruction_and_seeds_keep_theirs_apart() -> None:
    ask = Instruction(text="Translate into French.", origin=Origin(step="translate"))
    start = [
        Example(instruction=ask, input="Good morning", response="Bonjour"),
        Example(instruction=ask, input="Good night", response="Bonne nuit"),
        Example(instruction=ask, input="<noinput>", response="What?"),
    ]
    params = replace(QUIET, rounds=1, originals="keep")
    examples, _ = grown(Teacher(), params, given=start)
    originals, evolved = examples[::2], examples[1::2]
    assert [(one.input, one.response) for one in originals] == [
        (one.input, one.response) for one in start
    ]
    assert all(one.instruction.text == ask.text for one in originals)
    assert all(one.instruction.origin.step == "original" for one in originals)
    assert all(one.instruction.origin.parents == (ask.id,) for one in examples)
    assert evolved[0].instruction.text.startswith("Translate into French.\n\nGood morning Mention")
    assert evolved[2].instruction.text.startswith("Translate into French. Mention")
    assert [one.input for one in evolved] == ["", "", ""]


def test_originals_are_answered_where_that_is_wanted() -> None:
    seed = Example(
        instruction=Instruction(text="Name a metal."), input="a soft one", response="Tin"
    )
    teacher = Teacher()
    params = replace(QUIET, rounds=1, originals="answer")
    examples, _ = grown(teacher, params, given=[seed])
    assert (examples[0].response, examples[0].input) == (RESPONSE, "a soft one")
    assert teacher.asked[0].messages[-1].content == "Name a metal.\n\na soft one"
    assert len(examples[0].instruction.origin.calls) == 1
    unanswered = grown(Teacher(), replace(params, originals="keep"), given=seeds(2))[0]
    assert [one.instruction.origin.step == "original" for one in unanswered] == [False, False]


def test_the_system_prompt_goes_with_rewriting_and_answering() -> None:
    teacher = Teacher()
    grown(teacher, PRESETS["wizardlm"])
    roles = {tuple(message.role for message in request.messages) for request in teacher.asked}
    assert roles == {("system", "user")}
    assert {request.sampling.top_p for request in teacher.asked} == {0.95}
    assert teacher.count("judge") == 0


def test_a_count_begins_no_more_seeds_than_it_surely_needs() -> None:
    teacher = Teacher()
    examples, _ = grown(teacher, replace(QUIET, count=13), given=seeds(100))
    assert len(examples) == 13
    assert teacher.count("rewrite") == 16
    asked = {}
    whole, _ = grown(failing(0.3), QUIET, given=seeds(100))
    for count in (40, 41):
        teacher = failing(0.3)
        examples, _ = grown(teacher, replace(QUIET, count=count), given=seeds(100))
        assert examples == whole[:count]
        asked[count] = {digest(request.to_json()) for request in teacher.asked}
    assert asked[40] <= asked[41]
    assert len(grown(failing(0.3), replace(QUIET, count=1000), given=seeds(20))[0]) < 80


def test_a_replay_costs_nothing_and_yields_the_same_whatever_the_window(tmp_path: Path) -> None:
    """The teacher never says the same thing twice; every window and order must replay the rest."""
    chance = random.Random(7)

    def whim(request: Request) -> str:
        return given(request) if chance.random() < 0.2 else f"{harder(request)} {chance.random()}"

    def verdict(request: Request) -> str:
        return chance.choice(("Equal", "Not equal", "Not equal", "hm"))

    def answer(request: Request) -> str:
        return chance.choice((RESPONSE, RESPONSE, "I'm sorry, but I can't help with that."))

    async def free(request: Request) -> Completion:
        raise AssertionError("asked again")

    params = Params(window=16)
    teacher = Teacher(rewrite=whim, judge=verdict, answer=answer)
    with Journal(tmp_path / "j.db") as journal:
        first = grown(Journaled(teacher, journal), params, given=seeds(25))
    assert {drop.reason for _, drop in first[1]} >= {"unchanged", "equal", "unjudged", "refusal"}
    assert len(first[0]) > 5
    for window in (1, 3, 1000):
        with Journal(tmp_path / "j.db") as journal:
            model = Journaled(FakeModel(free), journal)
            again = grown(model, replace(params, window=window), given=seeds(25))
            assert again == first
            assert journal.performed == 0
    keys = {key for example in first[0] for key in example.instruction.origin.calls}
    with Journal(tmp_path / "j.db") as journal:
        assert keys < {entry.key for entry in journal.entries("completion")}


def test_a_lost_tail_of_the_journal_is_all_that_is_paid_again(tmp_path: Path) -> None:
    class Stop(Exception):
        pass

    def stopping(request: Request) -> str:
        if len(first.asked) > 50:
            raise Stop
        return RESPONSE

    first = Teacher(answer=stopping)
    params = replace(Params(), window=4)
    with Journal(tmp_path / "j.db") as journal, pytest.raises(Stop):
        grown(Journaled(first, journal), params)
    second = Teacher()
    with Journal(tmp_path / "j.db") as journal:
        settled = sum(1 for _ in journal.entries("completion"))
        resumed = grown(Journaled(second, journal), params)
    assert settled > 0
    assert len(second.asked) == 120 - settled
    straight = grown(Teacher(), params)
    assert [example.id for example in resumed[0]] == [example.id for example in straight[0]]


def test_parameters_that_leave_nothing_to_draw_are_refused() -> None:
    with pytest.raises(ConfigError, match="operations: none"):
        Params(operations=())
    with pytest.raises(ConfigError, match="formats: none"):
        Params(formats=())
    assert Params(operations=("deepen",), formats=()).formats == ()
