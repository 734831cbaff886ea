"""A model in process: what it writes, and that it writes the same in any company."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.training.students import make_base
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

from seedbed.errors import ConfigError, RequestRejected, Stopped
from seedbed.models.local import LocalModel, LocalSettings
from seedbed.records import Completion, Message, Request, Sampling

torch.set_num_threads(1)

CPU = LocalSettings(device="cpu", dtype="float32")

TEXTS = (
    "sort the list",
    "count how many numbers are even, then sort the list of red green blue numbers",
    "red",
    "then count how many are even then count how many are even",
    "green blue",
    "the list of numbers: red, green, blue, red, green",
)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # Larger first weights make a random model's chances uneven, so that greedy is not a tie.
    return make_base(tmp_path_factory.mktemp("base"), initializer_range=0.3)


def ask(text: str, *, draw: int = 0, **sampling: Any) -> Request:
    given: dict[str, Any] = {"temperature": 0.0, "max_tokens": 20} | sampling
    return Request(messages=(Message("user", text),), sampling=Sampling(**given), draw=draw)


def answers(base: Path, requests: Sequence[Request], *, rows: int = 64) -> list[Completion]:
    settings = LocalSettings(device="cpu", dtype="float32", rows=rows)

    async def work() -> list[Completion]:
        async with LocalModel(base, settings=settings) as model:
            return await asyncio.gather(*(model.complete(request) for request in requests))

    return asyncio.run(work())


def test_a_text_is_answered_alike_alone_and_in_a_batch(base: Path) -> None:
    requests = [ask(text, temperature=heat) for text in TEXTS for heat in (0.0, 1.0)]
    together = answers(base, requests)
    alone = answers(base, requests, rows=1)
    backwards = answers(base, requests[::-1])[::-1]
    assert together == alone == backwards
    # Three at once, of which some end while others go on: so new ones join in their place.
    short = [
        replace(request, sampling=replace(request.sampling, max_tokens=3 + 5 * (n % 3)))
        for n, request in enumerate(requests)
    ]
    assert answers(base, short, rows=3) == answers(base, short, rows=1)
    assert len({completion.text for completion in together}) > len(TEXTS)


def test_long_prompts_are_read_in_parts_and_padding_is_cut_off(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = [ask("red " * (n * 12), max_tokens=2 + 40 * (n < 3)) for n in range(1, 9)]
    whole = answers(base, requests)
    monkeypatch.setattr("seedbed.models.decoding._PROMPT_TOKENS", 300)
    monkeypatch.setattr("seedbed.models.decoding._PADDING", 1)
    assert answers(base, requests) == whole == answers(base, requests, rows=1)


def test_draws_differ_and_are_reproduced(base: Path) -> None:
    requests = [ask(TEXTS[0], temperature=1.0, draw=draw) for draw in range(5)]
    first, second = answers(base, requests), answers(base, requests)
    assert first == second
    assert len({completion.text for completion in first}) == 5


def test_greedy_is_what_generate_writes(base: Path) -> None:
    loaded: Any = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    tokenizer: Any = AutoTokenizer.from_pretrained(base)
    written = answers(base, [ask(text, max_tokens=30) for text in TEXTS])
    for text, completion in zip(TEXTS, written, strict=True):
        chat = [{"role": "user", "content": text}]
        ids = tokenizer.apply_chat_template(
            chat, add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        config = GenerationConfig(
            do_sample=False, max_new_tokens=30, eos_token_id=tokenizer.eos_token_id, pad_token_id=0
        )
        whole = loaded.generate(**ids, generation_config=config)[0, ids["input_ids"].shape[1] :]
        assert completion.text == tokenizer.decode(whole, skip_special_tokens=True)
        assert completion.usage.completion_tokens == len(whole)
        assert completion.usage.prompt_tokens == ids["input_ids"].shape[1]


def test_the_generation_config_of_a_checkpoint_does_not_decide_how_is_sampled(base: Path) -> None:
    plain = answers(base, [ask(TEXTS[0], temperature=1.0), ask(TEXTS[0])])
    path = base / "generation_config.json"
    before = path.read_text()
    trap = {"do_sample": False, "temperature": 0.01, "top_k": 1, "max_new_tokens": 2}
    path.write_text(json.dumps(json.loads(before) | trap))
    try:
        assert answers(base, [ask(TEXTS[0], temperature=1.0), ask(TEXTS[0])]) == plain
    finally:
        path.write_text(before)
    assert plain[0].text != plain[1].text


def test_a_stop_string_ends_an_answer_and_is_not_in_it(base: Path) -> None:
    whole = answers(base, [ask(TEXTS[0], max_tokens=40)])[0]
    stop = whole.text[12:15]
    cut = answers(base, [ask(TEXTS[0], max_tokens=40, stop=("never written", stop))])[0]
    assert cut.text == whole.text[: whole.text.index(stop)]
    assert cut.finish_reason == "stop"
    assert cut.usage.completion_tokens < whole.usage.completion_tokens


def test_an_answer_that_is_cut_says_so(base: Path) -> None:
    cut = answers(base, [ask(TEXTS[0], max_tokens=3)])[0]
    assert (cut.finish_reason, cut.usage.completion_tokens) == ("length", 3)


def test_the_end_of_the_context_cuts_too_and_a_longer_prompt_is_rejected(base: Path) -> None:
    long = ask("red " * 250, max_tokens=100_000)
    cut = answers(base, [long])[0]
    assert cut.finish_reason == "length"
    assert cut.usage.prompt_tokens + cut.usage.completion_tokens == 512
    with pytest.raises(RequestRejected, match="expected 1 to 511"):
        answers(base, [ask("red " * 600)])


def test_log_probabilities_are_those_of_a_forward_pass(base: Path) -> None:
    requests = [ask(text, temperature=1.0, top_logprobs=3, max_tokens=8) for text in TEXTS]
    loaded: Any = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    tokenizer: Any = AutoTokenizer.from_pretrained(base)
    said = [tokenizer.decode([token]) for token in range(len(tokenizer))]
    tokens = 0
    for request, completion in zip(requests, answers(base, requests), strict=True):
        chat = [{"role": "user", "content": request.messages[0].content}]
        ids = tokenizer.apply_chat_template(chat, add_generation_prompt=True)["input_ids"]
        tokens += len(completion.logprobs)
        for entry in completion.logprobs:
            with torch.no_grad():
                chances = loaded(torch.tensor([ids])).logits[0, -1].log_softmax(-1)
            # Parts of a character all decode to the same sign.
            alike = [place for place, text in enumerate(said) if text == entry.token]
            token = min(alike, key=lambda place: abs(float(chances[place]) - entry.logprob))
            assert entry.logprob == pytest.approx(float(chances[token]), abs=1e-4)
            assert entry.top[0][1] == pytest.approx(float(chances.max()), abs=1e-4)
            assert len(entry.top) == 3
            ids.append(token)
    assert tokens > 10


def test_top_p_takes_only_the_likeliest(base: Path) -> None:
    greedy = answers(base, [ask(TEXTS[0])])[0]
    narrow = answers(base, [ask(TEXTS[0], temperature=1.0, top_p=1e-6, draw=d) for d in range(3)])
    assert {completion.text for completion in narrow} == {greedy.text}


def test_penalties_keep_tokens_from_coming_again(base: Path) -> None:
    free = ask(TEXTS[0], max_tokens=40, top_logprobs=0)
    held = ask(TEXTS[0], max_tokens=40, top_logprobs=0, presence_penalty=100.0)
    repeated, distinct = answers(base, [free, held])

    def whole(completion: Completion) -> list[str]:
        return [entry.token for entry in completion.logprobs if entry.token != "\ufffd"]

    assert len(set(whole(distinct))) == len(whole(distinct)) > 10
    assert len(set(whole(repeated))) < len(whole(repeated))


def test_a_caller_that_leaves_costs_the_others_nothing(base: Path) -> None:
    requests = [ask(text, max_tokens=200, temperature=1.0) for text in TEXTS]

    async def work() -> list[Completion]:
        async with LocalModel(base, settings=CPU) as model:
            tasks = [asyncio.create_task(model.complete(request)) for request in requests]
            await asyncio.sleep(0.05)
            tasks[0].cancel()
            return await asyncio.gather(*tasks[1:])

    assert asyncio.run(work()) == answers(base, requests[1:])


def test_closing_gives_up_what_runs_and_what_waits(base: Path) -> None:
    async def work() -> list[object]:
        async with LocalModel(base, settings=LocalSettings(device="cpu", rows=1)) as model:
            asked = [ask(text, max_tokens=100_000, temperature=1.0) for text in TEXTS * 20]
            tasks = [asyncio.create_task(model.complete(request)) for request in asked]
            await asyncio.sleep(0.3)
        return list(await asyncio.gather(*tasks, return_exceptions=True))

    ended = asyncio.run(work())
    assert isinstance(ended[-1], Stopped)
    assert all(isinstance(outcome, Completion | Stopped) for outcome in ended)


def test_the_name_follows_weights_and_template(base: Path, tmp_path: Path) -> None:
    name = LocalModel(base).name
    assert name.startswith(f"hf/{base.name}@")
    assert LocalModel(f"hf/{base}").name == name
    other = make_base(tmp_path / base.name, initializer_range=0.3, chat_template="{{ 'other' }}")
    assert LocalModel(other).name != name


def test_what_cannot_be_asked_is_an_error_with_advice(base: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such folder"):
        LocalModel(tmp_path / "missing")
    with pytest.raises(ConfigError, match=r"without config\.json"):
        LocalModel(tmp_path)
    bare = make_base(tmp_path / "bare", chat_template=None)
    with pytest.raises(ConfigError, match="has no chat template"):
        answers(bare, [ask("red")])
    tuned = make_base(tmp_path / "tuned")
    note = {"template": {"name": "alpaca", "digest": "0123456789abcdef"}}
    (tuned / "seedbed_checkpoint.json").write_text(json.dumps(note))
    with pytest.raises(ConfigError, match="tuned with the chat template 0123456789abcdef"):
        answers(tuned, [ask("red")])


def test_a_template_that_refuses_rejects_one_request(tmp_path: Path) -> None:
    text = (
        "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}"
        "{{ messages[0].content }}"
    )
    strict = make_base(tmp_path / "strict", chat_template=text)
    request = Request(messages=(Message("system", "Be brief."), Message("user", "red")))
    with pytest.raises(RequestRejected, match="no system"):
        answers(strict, [request])
