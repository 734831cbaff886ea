"""The recipe as a whole: what it asks, accepts, drops and repeats for nothing."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
from tests.recipes.self_instruct.made import (
    PROMPTS,
    content,
    grown,
    is_ask,
    numbered,
    scripted,
)

from seedbed.errors import AccessDenied
from seedbed.journal import Journal
from seedbed.models.announced import Announced
from seedbed.models.journaled import KIND, Journaled
from seedbed.models.model import FakeModel, Model
from seedbed.models.practice import PracticeTeacher, Trouble
from seedbed.recipes.self_instruct import PRESETS, Preset, self_instruct, shipped_seeds
from seedbed.recipes.self_instruct.bootstrap import HOPELESS
from seedbed.recipes.self_instruct.classify import says_yes
from seedbed.records import (
    Attempt,
    Completion,
    Drop,
    Example,
    FinishReason,
    Request,
)
from seedbed.streams import rng

CHAT = PRESETS["chat"]
WORDS = ("amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heath", "inlet", "jetty")


def novel(random: random.Random) -> str:
    return " ".join(random.choices(WORDS, k=9)).capitalize() + "."


class Whimsical:
    """A practice teacher that answers the same question differently each time, out of order."""

    name = "whimsical"

    def __init__(self) -> None:
        self.calls = 0

    async def complete(self, request: Request, /) -> Completion:
        self.calls += 1
        await asyncio.sleep(random.random() / 500)
        return await PracticeTeacher(
            Trouble(truncated=0.05, duplicate=0.2, refused=0.03), seed=random.randrange(10**9)
        ).complete(request)


async def forbidden(request: Request) -> Completion:
    raise AssertionError(f"asked again: {request.messages[0].content[-80:]}")


def test_examples_come_from_asks_classes_and_instances() -> None:
    texts = iter([numbered("Fold the paper crane slowly.", "Weigh seven green apples today."), ""])
    made = grown(scripted(lambda _: next(texts)), replace(CHAT, count=2))
    assert [accepted.instruction.text for accepted in made.accepted] == [
        "Fold the paper crane slowly.",
        "Weigh seven green apples today.",
    ]
    assert [(e.instruction.text[:4], e.input, e.response) for e in made.examples] == [
        ("Fold", "some material", "a response"),
        ("Weig", "some material", "a response"),
    ]
    assert made.drops == []


def test_a_classification_gets_its_label_first() -> None:
    teacher = scripted(
        lambda _: numbered("Is the message spam or not?"),
        kind="Yes",
        instances="### Label 1:\nspam\n\n### Input 1:\nBuy now!",
    )
    (example,) = grown(teacher, replace(CHAT, count=1)).examples
    assert (example.input, example.response) == ("Buy now!", "spam")
    assert example.instruction.origin.query_type == "classification"


@pytest.mark.parametrize(
    ("text", "yes"),
    [
        *(("Yes", True), (" YES.", True), ("**yes**", True), ("Is it classification? Yes", True)),
        *(("No", False), ("Yesterday", False), ("I think yes", False), ("", False)),
    ],
)
def test_only_an_answer_that_begins_with_yes_is_one(text: str, yes: bool) -> None:
    assert says_yes(text) == yes


def test_later_candidates_are_compared_with_earlier_ones_of_the_same_completion() -> None:
    text = numbered(
        "Count the red balloons in the story.",
        "Count the red balloons in the tale.",
        "Paint a wall with words of sorrow.",
    )
    made = grown(scripted(lambda _: text), replace(CHAT, count=2))
    assert [a.instruction.text[:5] for a in made.accepted] == ["Count", "Paint"]
    ((item, drop),) = made.drops
    assert isinstance(item, Attempt)
    assert drop.reason == "too_similar"
    assert drop.evidence["text"] == "Count the red balloons in the story."
    assert float(drop.evidence["score"]) > 0.7


def test_a_seed_cannot_come_back_as_a_new_instruction() -> None:
    seed = shipped_seeds()[0].instruction.text
    texts = (numbered(seed) if n == 0 else numbered(novel(rng(n))) for n in count())
    made = grown(scripted(lambda _: next(texts)), replace(CHAT, count=1))
    assert made.reasons == ["too_similar"]


def test_every_example_leads_to_its_parents_and_its_calls(tmp_path: Path) -> None:
    with Journal(tmp_path / "j.db") as journal:
        teacher = PracticeTeacher()
        made = grown(
            Journaled(Announced(teacher, journal), journal), replace(CHAT, count=60, lag=2)
        )
    known = {seed.instruction.id for seed in shipped_seeds()}
    for accepted in made.accepted:
        assert len(accepted.instruction.origin.parents) == 8
        assert set(accepted.instruction.origin.parents) <= known
        known.add(accepted.instruction.id)
    written = known - {seed.instruction.id for seed in shipped_seeds()}
    assert any(written & set(a.instruction.origin.parents) for a in made.accepted)
    for example in made.examples:
        origin = example.instruction.origin
        assert example.instruction.id in written
        assert (origin.recipe, origin.step, len(set(origin.calls))) == (
            "self_instruct",
            "bootstrap",
            3,
        )
        assert all(len(key) == 64 for key in origin.calls)
    assert len({example.id for example in made.examples}) == len(made.examples)


@pytest.mark.parametrize("preset", ["chat", "repo", "alpaca"])
def test_replay_costs_nothing_and_changes_nothing(tmp_path: Path, preset: Preset) -> None:
    params = replace(PRESETS[preset], count=60, lag=4)
    whimsical = Whimsical()
    with Journal(tmp_path / "j.db") as journal:
        first = grown(Journaled(Announced(whimsical, journal), journal), params)
        free = FakeModel(forbidden, name="whimsical")
        for window in (1, 7, 1000):
            again = grown(Journaled(free, journal), replace(params, window=window))
            assert again == first
    assert whimsical.calls > 0
    assert len(first.accepted) == 60


def test_what_was_lost_is_asked_again_and_nothing_else(tmp_path: Path) -> None:
    params = replace(CHAT, count=40, lag=4)
    calls = 0

    async def mortal(request: Request) -> Completion:
        nonlocal calls
        calls += 1
        if calls == 50:
            raise AccessDenied("the key has run out")
        return await PracticeTeacher().complete(request)

    with Journal(tmp_path / "j.db") as journal, pytest.raises(AccessDenied):
        grown(Journaled(Announced(FakeModel(mortal), journal), journal), params)
    assert calls >= 50
    with Journal(tmp_path / "j.db") as journal:
        settled = len(list(journal.entries(KIND)))
        resumed = grown(Journaled(Announced(FakeModel(mortal), journal), journal), params)
        performed = journal.performed
    with Journal(tmp_path / "whole.db") as journal:
        teacher = FakeModel(PracticeTeacher().complete)
        assert grown(Journaled(Announced(teacher, journal), journal), params) == resumed
        assert settled + performed == journal.performed
    assert settled > 20


def shuffled(seed: int) -> Model:
    """The practice teacher behind delays that come out otherwise for each seed."""
    delays = random.Random(seed)
    teacher = PracticeTeacher(Trouble(duplicate=0.3, truncated=0.1, malformed=0.1))

    async def answer(request: Request) -> Completion:
        for _ in range(delays.randrange(12)):
            await asyncio.sleep(0)
        return await teacher.complete(request)

    return FakeModel(answer)


def test_neither_the_window_nor_timing_shapes_what_is_made() -> None:
    params = replace(CHAT, count=80, lag=5)
    first = grown(shuffled(0), params)
    assert len(first.accepted) == 80
    assert first.drops
    for seed, window in ((1, 1), (2, 3), (3, 5000)):
        assert grown(shuffled(seed), replace(params, window=window)) == first


def test_the_lag_shapes_what_is_made() -> None:
    one, other = (grown(shuffled(0), replace(CHAT, count=80, lag=lag)) for lag in (1, 6))
    assert {e.id for e in one.examples} != {e.id for e in other.examples}


def test_more_instructions_begin_like_fewer() -> None:
    few = grown(shuffled(0), replace(CHAT, count=50, lag=4))
    many = grown(shuffled(0), replace(CHAT, count=90, lag=4))
    assert many.accepted[:50] == few.accepted
    assert many.examples[: len(few.examples)] == few.examples


def test_another_seed_shows_other_demonstrations() -> None:
    one, other = (grown(shuffled(0), replace(CHAT, count=9, seed=seed)) for seed in (0, 1))
    assert {e.id for e in one.examples}.isdisjoint(e.id for e in other.examples)


def test_no_ask_is_made_in_vain() -> None:
    """Every ask could be needed: with a teacher that never fails, count / new of them."""
    asks: list[Request] = []

    def new_tasks(request: Request) -> str:
        asks.append(request)
        return numbered(*(novel(rng("task", len(asks), n)) for n in range(8)))

    grown(scripted(new_tasks), replace(CHAT, count=80, lag=64))
    assert len(asks) == 10


def test_more_than_is_wanted_is_neither_kept_nor_a_drop() -> None:
    text = numbered(*(novel(rng("more", n)) for n in range(8)))
    made = grown(scripted(lambda _: text), replace(CHAT, count=3))
    assert len(made.accepted) == 3
    assert made.drops == []


def test_a_teacher_without_new_ideas_ends_the_run() -> None:
    asked: list[Request] = []

    def same(request: Request) -> str:
        asked.append(request)
        return numbered("Weigh seven green apples today.")

    made = grown(scripted(same), replace(CHAT, count=40))
    assert len(made.accepted) == 1
    assert HOPELESS <= len(asked) <= HOPELESS + 10
    assert set(made.reasons) == {"too_similar"}


def test_rounds_bound_the_asks() -> None:
    made = grown(scripted(lambda _: "No."), replace(CHAT, count=8, rounds=3))
    assert made.reasons == ["unparsed"] * 3


@pytest.mark.parametrize(
    ("finish", "preset", "accepted", "reasons"),
    [
        ("length", "chat", 1, ["truncated"]),
        ("length", "repo", 0, ["truncated"]),
        ("refused", "chat", 0, ["refused"]),
        ("rejected", "repo", 0, ["rejected"]),
    ],
)
def test_a_cut_list_loses_its_last_item_or_all(
    finish: FinishReason, preset: Preset, accepted: int, reasons: list[str]
) -> None:
    async def answer(request: Request) -> Completion:
        if is_ask(request) or preset == "repo":
            text = numbered("Weigh seven green apples today.", "Fold the paper cra")
            return Completion(text=text, finish_reason=finish)
        return Completion(text="### Output 1:\nDone.")

    made = grown(FakeModel(answer), replace(PRESETS[preset], count=9, rounds=1, lag=1))
    assert len(made.accepted) == accepted
    assert made.reasons[0] == reasons[0]
    assert set(made.reasons) <= {*reasons, "too_similar"}


def test_capitalize_is_a_quirk_of_the_code_alone() -> None:
    for preset, text in (
        ("repo", "Write a sql query for nasa data"),
        ("paper", "Write a SQL query for NASA data"),
    ):

        async def answer(request: Request) -> Completion:
            return Completion(text=" Write a SQL query for NASA data")

        chosen = PRESETS["repo"] if preset == "repo" else PRESETS["paper"]
        made = grown(FakeModel(answer), replace(chosen, count=1))
        assert made.accepted[0].instruction.text == text


def test_the_codes_rules_are_applied_in_its_order() -> None:
    texts = [
        *(" Too short.", "Draw a map of the whole county.", "Write a program that adds numbers."),
        *(
            "- Begin with a dash and go on.",
            "Übersetze den Satz ins Deutsche bitte.",
            "",
            "Go on " * 80,
        ),
    ]
    text = "\n".join(f"{n}. {t}" for n, t in enumerate(texts, 9)).removeprefix("9.")

    async def answer(request: Request) -> Completion:
        return Completion(text=text)

    made = grown(FakeModel(answer), replace(PRESETS["repo"], count=7, rounds=1))
    assert made.reasons == [
        *("too_short", "keyword", "banned_start", "starts_with_punctuation"),
        *("starts_outside_ascii", "empty", "too_long"),
    ]


def test_chat_takes_other_scripts_quotes_and_maps() -> None:
    texts = (
        "把下面的句子翻译成英文，并解释每个词。",
        '"Carpe diem": what does it mean, and who said it?',
        "Write a function that uses map to square a list.",
        "Übersetze den Satz ins Deutsche.",
    )
    made = grown(scripted(lambda _: numbered(*texts)), replace(CHAT, count=4))
    assert [a.instruction.text for a in made.accepted] == list(texts)


def test_two_equal_chinese_instructions_are_one_for_chat_and_two_for_the_paper() -> None:
    text = "把下面的句子翻译成英文，并解释每个词。"
    chat = grown(scripted(lambda _: numbered(text, text)), replace(CHAT, count=2, rounds=1))
    assert (len(chat.accepted), chat.reasons) == (1, ["too_similar"])
    rouge = replace(CHAT, count=2, bootstrap=replace(CHAT.bootstrap, tokenizer="rouge"))
    assert len(grown(scripted(lambda _: numbered(text, text)), rouge).accepted) == 2


def test_an_instruction_that_copies_the_prompt_is_dropped() -> None:
    copied = "Make clear what is wanted, in one to three sentences, as a person would say it."
    made = grown(scripted(lambda _: numbered(copied)), replace(CHAT, count=1, rounds=1))
    assert made.reasons == ["leaked_prompt"]


def test_the_review_has_the_last_word() -> None:
    async def strict(example: Example) -> Example | Drop:
        if "amber" in example.instruction.text.lower():
            return Drop(reason="amber")
        return replace(example, repairs=("mended",))

    teacher = scripted(
        lambda r: numbered(*(novel(rng(r.messages[0].content, n)) for n in range(8)))
    )
    made = grown(teacher, replace(CHAT, count=30), review=strict)
    assert len(made.accepted) == 30 == len(made.examples) + len(made.drops)
    assert set(made.reasons) == {"amber"}
    assert all(example.repairs == ("mended",) for example in made.examples)


def test_the_first_error_ends_the_run_and_leaves_nothing_behind() -> None:
    async def broken(request: Request) -> Completion:
        if is_ask(request):
            return Completion(text=numbered("Weigh seven green apples today."))
        raise AccessDenied("no")

    async def run() -> int:
        with pytest.raises(AccessDenied):
            async for _ in self_instruct(
                shipped_seeds(),
                model=FakeModel(broken),
                prompts=PROMPTS,
                review=content,
                drop=lambda *_: None,
                accept=lambda _: None,
                params=replace(CHAT, count=50),
            ):
                pass
        await asyncio.sleep(0.01)
        return len(asyncio.all_tasks())

    assert asyncio.run(run()) == 1
