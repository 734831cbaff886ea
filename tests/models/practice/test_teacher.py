from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import fields, replace

import pytest

from seedbed.config_tables import TroubleTable
from seedbed.errors import ConfigError, Overloaded, RateLimited
from seedbed.models.model import Model
from seedbed.models.practice import PracticeTeacher, Trouble, make, verify
from seedbed.models.practice.conversations import favourites
from seedbed.models.practice.teacher import REMEMBERED, count_pieces
from seedbed.prompts import load_prompts
from seedbed.recipes.skillmix.parse import parse_conversation
from seedbed.records import Completion, Drop, Message, Request, Sampling
from seedbed.streams import rng

PROMPTS = load_prompts("seedbed.recipes.skillmix")
TRIALS = 400


def plain(text: str, *, draw: int = 0, sampling: Sampling = Sampling()) -> Request:
    return Request(messages=(Message("user", text),), sampling=sampling, draw=draw)


def draft(draw: int) -> Request:
    text = PROMPTS.fill(
        "draft", skills="adding_numbers, naming_weekdays", query_type="Planning", definition="d"
    )
    return plain(text, draw=draw)


def refine(draw: int) -> Request:
    instruction, response = make(["adding_numbers", "naming_weekdays"], "Planning", rng(draw))
    turns = (
        *draft(draw).messages,
        Message("assistant", f"### Instruction:\n{instruction}\n\n### Response:\n{response}"),
        Message("user", PROMPTS.fill("refine")),
    )
    return Request(messages=turns, draw=draw)


def complete(teacher: Model, request: Request) -> Completion:
    return asyncio.run(teacher.complete(request))


def answers(requests: list[Request], **dials: float) -> list[Completion]:
    teacher = PracticeTeacher(Trouble(**dials))

    async def all_of_them() -> list[Completion]:
        return [await teacher.complete(request) for request in requests]

    return asyncio.run(all_of_them())


def about(share: float) -> tuple[float, float]:
    """Four standard errors around a share of `TRIALS`; the draws are fixed, so no test is shaky."""
    error = 4 * (share * (1 - share) / TRIALS) ** 0.5
    return TRIALS * (share - error), TRIALS * (share + error)


def test_a_request_has_one_answer_in_any_process_and_order() -> None:
    first = [complete(PracticeTeacher(), draft(draw)) for draw in range(5)]
    again = PracticeTeacher()
    assert [complete(again, draft(draw)) for draw in reversed(range(5))] == first[::-1]


def test_draws_and_seeds_differ() -> None:
    assert len({complete(PracticeTeacher(), draft(draw)).text for draw in range(20)}) == 20
    assert len({complete(PracticeTeacher(seed=seed), draft(0)).text for seed in range(20)}) == 20


def test_temperature_zero_has_no_draws() -> None:
    cold = Sampling(temperature=0)
    texts = {
        complete(PracticeTeacher(), replace(draft(draw), sampling=cold)).text for draw in range(5)
    }
    assert texts == {complete(PracticeTeacher(), draft(0)).text}


def test_max_tokens_cut_and_say_so() -> None:
    instruction, _ = make(["adding_numbers"], "", rng(1))
    cut = complete(PracticeTeacher(), plain(instruction, sampling=Sampling(max_tokens=5)))
    whole = complete(PracticeTeacher(), plain(instruction))
    assert (cut.finish_reason, whole.finish_reason) == ("length", "stop")
    assert cut.usage.completion_tokens == 5
    assert whole.text.startswith(cut.text)
    assert len(cut.text) < len(whole.text)
    exact = Sampling(max_tokens=whole.usage.completion_tokens)
    assert complete(PracticeTeacher(), plain(instruction, sampling=exact)) == whole


def test_stop_sequences_end_an_answer() -> None:
    instruction, _ = make(["adding_numbers"], "", rng(1))
    sampling = Sampling(stop=("never there", "Answer"))
    stopped = complete(PracticeTeacher(), plain(instruction, sampling=sampling))
    assert stopped.finish_reason == "stop"
    assert stopped.text
    assert "Answer" not in stopped.text


def test_usage_counts_word_pieces() -> None:
    assert count_pieces("") == 0
    assert count_pieces("cat, elephant") == 4
    instruction, _ = make(["adding_numbers"], "", rng(1))
    usage = complete(PracticeTeacher(), plain(instruction)).usage
    assert usage.prompt_tokens == count_pieces(instruction)
    assert usage.reported


def test_logprobs_are_certain_and_spell_the_text() -> None:
    instruction, _ = make(["adding_numbers"], "", rng(1))
    completion = complete(PracticeTeacher(), plain(instruction, sampling=Sampling(top_logprobs=2)))
    assert "".join(entry.token for entry in completion.logprobs) == completion.text
    assert {entry.logprob for entry in completion.logprobs} == {0.0}
    assert complete(PracticeTeacher(), plain(instruction)).logprobs == ()


@pytest.mark.parametrize(
    ("properties", "keys"),
    [
        ({"instruction": {"type": "string"}, "response": {"type": "string"}}, 2),
        ({"conversation": {"type": "string"}}, 1),
        ({"lines": {"type": "array"}}, 1),
    ],
)
def test_a_schema_is_obeyed_where_it_makes_sense(
    properties: Mapping[str, object], keys: int
) -> None:
    schema = {"type": "object", "properties": properties}
    found = json.loads(complete(PracticeTeacher(), replace(draft(0), schema=schema)).text)
    assert found.keys() == properties.keys()
    assert len(found) == keys


def test_the_name_tells_all_that_shapes_answers_and_nothing_else() -> None:
    assert PracticeTeacher().name == "practice-1"
    assert PracticeTeacher(Trouble(latency=1, failed=0.5, slow=0.1)).name == "practice-1"
    assert PracticeTeacher(Trouble(wrong=0.2), seed=3).name == "practice-1(seed=3,wrong=0.2)"


def test_the_config_has_all_dials_and_no_other() -> None:
    assert set(TroubleTable.model_fields) == {entry.name for entry in fields(Trouble)}
    assert Trouble(**TroubleTable().model_dump()) == Trouble()


@pytest.mark.parametrize(
    "dials", [{"wrong": 1.5}, {"failed": -0.1}, {"slow": float("nan")}, {"latency": -1.0}]
)
def test_impossible_dials_are_errors_that_name_them(dials: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=next(iter(dials))):
        Trouble(**dials)


@pytest.mark.parametrize("share", [0.0, 0.2, 1.0])
@pytest.mark.parametrize(
    "dial", ["duplicate", "truncated", "refused", "malformed", "leaked_commentary", "wrong"]
)
def test_dials_hit_their_rates(dial: str, share: float) -> None:
    make_request = refine if dial == "leaked_commentary" else draft
    found = answers([make_request(draw) for draw in range(TRIALS)], **{dial: share})
    low, high = about(share)
    assert low <= sum(is_hit(dial, completion) for completion in found) <= high


def is_hit(dial: str, completion: Completion) -> bool:
    parsed = parse_conversation(completion.text)
    match dial:
        case "truncated":
            return completion.finish_reason == "length"
        case "refused":
            return completion.finish_reason == "refused" and bool(completion.note)
        case "malformed":
            return isinstance(parsed, Drop)
    assert not isinstance(parsed, Drop), completion.text
    instruction, response = parsed
    match dial:
        case "duplicate":
            return instruction in favourites()
        case "wrong":
            return verify(instruction, response) is not True
    said = ("refined", "revised", "improved")
    return any(word in response.lower() for word in said)


def test_trouble_with_one_request_leaves_the_others_as_they_were() -> None:
    requests = [draft(draw) for draw in range(100)]
    calm, troubled = answers(requests), answers(requests, refused=0.3)
    kept = [pair for pair in zip(calm, troubled, strict=True) if pair[1].finish_reason == "stop"]
    assert 50 < len(kept) < 90
    assert all(before == after for before, after in kept)


def test_duplicates_survive_refining() -> None:
    first = answers([draft(0)], duplicate=1.0)[0]
    turns = (*draft(0).messages, Message("assistant", first.text))
    request = Request(messages=(*turns, Message("user", PROMPTS.fill("refine"))))
    parsed = parse_conversation(answers([request])[0].text)
    assert not isinstance(parsed, Drop)
    assert parsed[0] in favourites()
    assert verify(*parsed) is True


@pytest.mark.parametrize(("dial", "error"), [("rate_limited", RateLimited), ("failed", Overloaded)])
def test_transient_errors_hit_the_first_attempt_only(dial: str, error: type[Exception]) -> None:
    teacher = PracticeTeacher(Trouble(**{dial: 0.3}))
    hit = 0
    for draw in range(TRIALS):
        try:
            complete(teacher, draft(draw))
        except error:
            hit += 1
            assert complete(teacher, draft(draw)) == complete(PracticeTeacher(), draft(draw))
    low, high = about(0.3)
    assert low <= hit <= high


def test_a_429_comes_before_a_500_and_carries_the_wish_to_wait() -> None:
    teacher = PracticeTeacher(Trouble(rate_limited=1, failed=1), retry_after=2.5)
    with pytest.raises(RateLimited) as caught:
        complete(teacher, draft(0))
    assert caught.value.retry_after == 2.5
    with pytest.raises(Overloaded):
        complete(teacher, draft(0))
    assert complete(teacher, draft(0)).text


def test_the_memory_of_attempts_is_bounded() -> None:
    teacher = PracticeTeacher(Trouble(failed=1))

    async def fail_often() -> int:
        failures = 0
        for draw in [*range(REMEMBERED + 1), 0]:
            try:
                await teacher.complete(plain("hello", draw=draw))
            except Overloaded:
                failures += 1
        return failures

    assert asyncio.run(fail_often()) == REMEMBERED + 2


def test_slow_calls_wait_while_others_do_not() -> None:
    """A slow call of ten minutes that is still waiting, beside twenty that are not."""

    async def race() -> bool:
        slow = asyncio.ensure_future(
            PracticeTeacher(Trouble(slow=1, slow_seconds=600)).complete(draft(0))
        )
        quick = PracticeTeacher(Trouble(slow_seconds=600))
        for draw in range(20):
            await quick.complete(draft(draw))
        waiting = not slow.done()
        slow.cancel()
        return waiting

    assert asyncio.run(race())
