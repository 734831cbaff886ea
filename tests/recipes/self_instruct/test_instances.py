"""What is kept of the instances of one task, and why the rest is not."""

from __future__ import annotations

import pytest

from seedbed.recipes.self_instruct import PRESETS, Accepted
from seedbed.recipes.self_instruct.instances import PARSERS, conflicts, sifted, whole
from seedbed.recipes.self_instruct.params import Conflict, Instances
from seedbed.recipes.self_instruct.proposals import Task
from seedbed.records import Attempt, Completion, Example, FinishReason, Instruction

ASKED = Instruction(text="Name the colour of the thing.")


def step(preset: str) -> Instances:
    found = {"repo": PRESETS["repo"], "chat": PRESETS["chat"]}[preset].instances
    assert found is not None
    return found


def written(*pairs: tuple[str, str]) -> str:
    return "\n".join(f"Example {n}\nInput: {a}\nOutput: {b}" for n, (a, b) in enumerate(pairs, 1))


def outcome(
    text: str, *, finish: FinishReason = "stop", preset: str = "repo"
) -> tuple[list[tuple[str, str]], list[str]]:
    """The kept pairs, and the reasons for the rest."""
    form = step(preset).form
    completion = Completion(text=text, finish_reason=finish)
    found = sifted(ASKED, completion, PARSERS[form, False], step(preset))
    kept = [(entry.input, entry.response) for entry in found if isinstance(entry, Example)]
    return kept, [entry[1].reason for entry in found if not isinstance(entry, Example)]


def test_sound_instances_are_kept_in_order() -> None:
    pairs = [("grass", "green"), ("snow", "white")]
    assert outcome(written(*pairs)) == (pairs, [])


@pytest.mark.parametrize(
    ("pair", "reason"),
    [
        (("same", "same"), "input_equals_response"),
        (("a", ""), "empty"),
        (("the list:", "b"), "ends_with_colon"),
        (("a", "Here it is:"), "ends_with_colon"),
    ],
)
def test_the_codes_rules_drop_one_instance_each(pair: tuple[str, str], reason: str) -> None:
    assert outcome(written(("grass", "green"), pair)) == ([("grass", "green")], [reason])
    assert outcome(written(pair)) == ([], [reason, "no_instance"])


def test_one_contradiction_costs_the_code_all_instances_and_chat_only_the_two() -> None:
    pairs = [("sky", "blue"), ("sky", "grey"), ("snow", "white")]
    assert outcome(written(*pairs)) == ([], ["conflict"] * 3 + ["no_instance"])
    headed = "\n".join(
        f"### Input {n}:\n{a}\n### Output {n}:\n{b}" for n, (a, b) in enumerate(pairs, 1)
    )
    assert outcome(headed, preset="chat") == ([("snow", "white")], ["conflict"] * 2)


@pytest.mark.parametrize(
    ("rule", "dropped"),
    [("drop_all", [0, 1, 2, 3]), ("drop_conflicting", [0, 2]), ("keep", [])],
)
def test_the_conflict_rule_is_a_setting(rule: Conflict, dropped: list[int]) -> None:
    pairs = [("a", "1"), ("", "2"), ("a", "3"), ("", "4")]
    examples = [Example(instruction=ASKED, input=a, response=b) for a, b in pairs]
    assert list(conflicts(examples, rule)) == dropped


def test_answers_without_an_input_do_not_contradict_each_other() -> None:
    assert outcome("Example 1\nOutput: red\nExample 2\nOutput: blue") == (
        [("", "red"), ("", "blue")],
        [],
    )


def test_a_repeated_instance_is_kept_once() -> None:
    assert outcome(written(("a", "b"), ("c", "d"), ("a", "b"))) == (
        [("a", "b"), ("c", "d")],
        ["repeated"],
    )


def test_the_last_of_a_cut_completion_is_dropped() -> None:
    text = written(("a", "b"), ("c", "half a sen"))
    assert outcome(text, finish="length") == ([("a", "b")], ["truncated"])
    assert outcome(written(("a", "b")), finish="length") == ([], ["truncated", "no_instance"])


def test_more_than_the_limit_is_thinned_at_random_but_always_alike() -> None:
    pairs = [(f"thing {n}", f"colour {n}") for n in range(9)]
    kept, reasons = outcome(written(*pairs))
    assert len(kept) == 5
    assert reasons == ["over_limit"] * 4
    assert kept == [pair for pair in pairs if pair in kept] != pairs[:5]
    assert outcome(written(*pairs)) == (kept, reasons)


@pytest.mark.parametrize("finish", ["refused", "rejected"])
def test_what_was_not_answered_says_so(finish: FinishReason) -> None:
    assert outcome("", finish=finish) == ([], [finish])


def test_unparsed_text_is_kept_as_evidence() -> None:
    (found,) = sifted(ASKED, Completion(text="Hm."), PARSERS["headed", False], step("chat"))
    assert isinstance(found, tuple)
    item, drop = found
    assert isinstance(item, Attempt)
    assert (item.text, drop.reason) == ("Hm.", "unparsed")


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        ("N/A", "placeholder_response"),
        ("I'm sorry, but I can't help with that.", "refusal"),
        ("blue\n### Response:\n(the response)", "merged_tasks"),
        ("", "empty"),
    ],
)
def test_chat_drops_what_should_be_wrong_with_no_example(response: str, reason: str) -> None:
    text = f"### Input 1:\nthe sky\n### Output 1:\n{response}"
    assert outcome(text, preset="chat") == ([], [reason, "no_instance"])


def test_chat_lets_code_end_with_a_colon() -> None:
    text = "### Input 1:\na loop\n### Output 1:\nfor item in items:"
    assert outcome(text, preset="chat")[0] == [("a loop", "for item in items:")]


def test_a_whole_task_without_a_response_is_dropped() -> None:
    def outcome_of(response: str) -> object:
        task = Task(instruction=ASKED.text, input="grass", response=response)
        (found,) = whole(Accepted(instruction=ASKED, task=task))
        return found.response if isinstance(found, Example) else found[1].reason

    assert outcome_of("green") == "green"
    assert outcome_of(" ") == "empty"
