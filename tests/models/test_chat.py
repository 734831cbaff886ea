from __future__ import annotations

import asyncio
import logging
import socket
import traceback
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from tests.models import servers
from tests.models.servers import Server, Talk, answer, chat_body, serving

from seedbed.errors import (
    AccessDenied,
    ConfigError,
    Garbled,
    ModelError,
    NotFound,
    Overloaded,
    RateLimited,
    RequestRejected,
    TimedOut,
    Transient,
    Unreachable,
)
from seedbed.models.allowances import Allowance, Allowances, duration, retry_after
from seedbed.models.chat import ChatModel
from seedbed.models.prices import worst_case
from seedbed.models.settings import ChatSettings
from seedbed.records import JSON, Completion, Message, Request, Sampling, TokenLogprob

KEY = "sk-proj-AbCdEf0123456789-very-secret"
REQUEST = Request(messages=(Message("system", "Be brief."), Message("user", "Grüße!")))


def settings(server: Server, **changes: JSON) -> ChatSettings:
    values: dict[str, JSON] = {"model": "m", "base_url": server.url}
    return ChatSettings(**(values | changes))


def ask(talk: Talk, request: Request = REQUEST, **changes: JSON) -> Completion:
    """What `ChatModel` makes of a server that answers with `talk`."""

    async def main() -> Completion:
        async with serving(talk) as server:
            environ = {"THE_KEY": KEY}
            async with ChatModel(settings(server, **changes), environ=environ) as model:
                return await model.complete(request)

    return asyncio.run(main())


def sent(request: Request, **changes: JSON) -> servers.Asked:
    """What `ChatModel` sends."""

    async def main() -> servers.Asked:
        async with serving(answer(body=chat_body())) as server:
            environ = {"THE_KEY": KEY}
            async with ChatModel(settings(server, **changes), environ=environ) as model:
                await model.complete(request)
            return server.asked[0]

    return asyncio.run(main())


def test_a_good_answer_becomes_a_completion() -> None:
    usage = {
        "prompt_tokens": 20,
        "completion_tokens": 3,
        "prompt_tokens_details": {"cached_tokens": 16},
    }
    completion = ask(answer(body=chat_body("Hi 👋", usage=usage)))
    assert completion.text == "Hi 👋"
    assert completion.finish_reason == "stop"
    assert completion.usage.prompt_tokens == 20
    assert completion.usage.completion_tokens == 3
    assert completion.usage.cached_tokens == 16
    assert completion.usage.reported


def test_the_body_says_what_the_request_says() -> None:
    sampling = Sampling(
        temperature=0.5, top_p=0.9, max_tokens=7, presence_penalty=1.0, stop=("\n",), top_logprobs=2
    )
    request = Request(messages=(Message("user", "Hi"),), sampling=sampling)
    asked = sent(request, api_key_env="THE_KEY", extra_body={"top_k": 5})
    assert asked.path == "/v1/chat/completions"
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert asked.body == {
        "model": "m",
        "messages": [{"role": "user", "content": "Hi"}],
        "temperature": 0.5,
        "top_p": 0.9,
        "max_tokens": 7,
        "presence_penalty": 1.0,
        "stop": ["\n"],
        "logprobs": True,
        "top_logprobs": 2,
        "top_k": 5,
    }


def test_what_servers_reject_is_only_sent_where_they_take_it() -> None:
    request = Request(messages=(Message("user", "Hi"),), schema={"type": "object"}, draw=3)
    plain = sent(request).body
    assert not plain.keys() & {"seed", "response_format", "stop", "frequency_penalty", "logprobs"}
    rich = sent(
        request,
        json_schema=True,
        seed_from_draw=True,
        max_completion_tokens=True,
        omit=("temperature",),
    ).body
    assert rich["response_format"]["json_schema"]["schema"] == {"type": "object"}
    assert rich["seed"] == 3
    assert rich["max_completion_tokens"] == 2048
    assert not rich.keys() & {"max_tokens", "temperature"}


def test_logprobs_are_read_with_their_alternatives() -> None:
    entry = {
        "token": "Hi",
        "logprob": -0.1,
        "top_logprobs": [{"token": "Hi", "logprob": -0.1}, {"token": "Yo", "logprob": -3}],
    }
    completion = ask(answer(body=chat_body(logprobs={"content": [entry]})))
    assert completion.logprobs == (TokenLogprob("Hi", -0.1, (("Hi", -0.1), ("Yo", -3.0))),)


@pytest.mark.parametrize(
    "logprobs",
    [[], {"content": 3}, {"content": [{"token": "a"}]}, {"content": [{"token": 1, "logprob": 0}]}],
)
def test_logprobs_that_cannot_be_believed_are_left_out(logprobs: JSON) -> None:
    assert ask(answer(body=chat_body("x", logprobs=logprobs))).logprobs == ()


@pytest.mark.parametrize(
    "usage",
    [
        "none",
        {},
        {"prompt_tokens": "12", "completion_tokens": 3},
        {"prompt_tokens": 12.5, "completion_tokens": 3},
        {"prompt_tokens": -12, "completion_tokens": 3},
        {"prompt_tokens": True, "completion_tokens": 3},
        {"prompt_tokens": 12, "completion_tokens": 10**12},
        {"prompt_tokens": 0, "completion_tokens": 0},
        {"prompt_tokens": 12, "completion_tokens": 0},
        {"prompt_tokens": 12},
    ],
)
def test_an_unbelievable_usage_is_replaced_by_the_bound(usage: JSON) -> None:
    completion = ask(answer(body=chat_body("text", usage=usage)))
    assert completion.text == "text"
    assert completion.usage == worst_case(REQUEST)
    assert not completion.usage.reported


@pytest.mark.parametrize("field", ["prompt_cache_hit_tokens", "cache_read_input_tokens"])
def test_cached_tokens_have_other_names_elsewhere(field: str) -> None:
    usage = {"prompt_tokens": 2000, "completion_tokens": 3, field: 1536}
    assert ask(answer(body=chat_body(usage=usage))).usage.cached_tokens == 1536


def test_more_cached_than_prompt_tokens_is_not_believed() -> None:
    usage = {
        "prompt_tokens": 2,
        "completion_tokens": 3,
        "prompt_tokens_details": {"cached_tokens": 9},
    }
    assert ask(answer(body=chat_body(usage=usage))).usage.cached_tokens == 0


@pytest.mark.parametrize(
    ("body", "text", "reason"),
    [
        (chat_body(finish_reason="length"), "Hello.", "length"),
        (chat_body(finish_reason=None), "Hello.", "stop"),
        (chat_body(finish_reason="content_filter"), "Hello.", "refused"),
        (chat_body(None, finish_reason="content_filter"), "", "refused"),
        (chat_body(None, refusal="I will not."), "", "refused"),
        (chat_body(None, finish_reason="length"), "", "length"),
        (chat_body(None, reasoning_content="Let me think"), "", "length"),
        (chat_body(None), "", "stop"),
        (chat_body([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]), "ab", "stop"),
    ],
)
def test_why_an_answer_ended_is_understood(body: JSON, text: str, reason: str) -> None:
    completion = ask(answer(body=body))
    assert (completion.text, completion.finish_reason) == (text, reason)


def test_a_refusal_keeps_the_models_words() -> None:
    assert ask(answer(body=chat_body(None, refusal="I will not."))).note == "I will not."


def test_a_lone_surrogate_does_not_reach_the_text() -> None:
    completion = ask(answer(body=b'{"choices": [{"message": {"content": "a\\ud800b"}}]}'))
    assert completion.text.encode() == b"a\xef\xbf\xbdb"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b'{"choices": [{"message": {"content": "Hel',
        b"<html><body>Gateway</body></html>",
        b"\xff\xfe\x00garbage",
        b"[" * 100_000,
        b"null",
        b'"text"',
        b"[]",
        b"{}",
        b'{"choices": []}',
        b'{"choices": null}',
        b'{"choices": ["text"]}',
        b'{"choices": [{}]}',
        b'{"choices": [{"message": {"content": 7}}]}',
        b'{"choices": [{"message": {"content": [7]}}]}',
        b'{"error": {"message": "overloaded"}}',
    ],
)
def test_what_is_no_chat_completion_is_garbled(body: bytes) -> None:
    with pytest.raises(Garbled) as caught:
        ask(answer(body=body))
    assert caught.value.maybe_paid
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("status", "expected", "maybe_paid"),
    [
        (307, NotFound, False),
        (400, RequestRejected, False),
        (401, AccessDenied, False),
        (402, AccessDenied, False),
        (403, AccessDenied, False),
        (404, NotFound, False),
        (405, NotFound, False),
        (408, TimedOut, True),
        (409, Overloaded, False),
        (413, RequestRejected, False),
        (422, RequestRejected, False),
        (425, Overloaded, False),
        (429, RateLimited, False),
        (500, Overloaded, False),
        (502, Overloaded, True),
        (503, Overloaded, False),
        (504, TimedOut, True),
        (529, Overloaded, False),
        (204, Garbled, True),
    ],
)
def test_every_status_has_its_error(
    status: int, expected: type[ModelError], maybe_paid: bool
) -> None:
    body = b"" if status == 204 else b'{"error": {"message": "the reason"}}'
    with pytest.raises(ModelError) as caught:
        ask(answer(status=status, body=body))
    assert type(caught.value) is expected
    assert caught.value.maybe_paid is maybe_paid
    assert f"HTTP {status}" in str(caught.value)
    assert status == 204 or "the reason" in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"code": "insufficient_quota", "message": "You exceeded your quota."}},
        {"error": {"type": "insufficient_quota", "code": None, "message": "No money."}},
    ],
)
def test_an_empty_account_is_not_worth_another_try(body: JSON) -> None:
    with pytest.raises(AccessDenied) as caught:
        ask(answer(status=429, body=body))
    assert "credit" in caught.value.hint


@pytest.mark.parametrize("status", [401, 403])
def test_who_is_refused_without_a_key_is_told_that_none_was_sent(status: int) -> None:
    refusal = answer(status=status, body={"error": {"message": "You need a key."}})
    with pytest.raises(AccessDenied) as caught:
        ask(refusal)
    assert caught.value.hint.startswith("No key was sent.")
    assert "`api_key_env`" in caught.value.hint
    with pytest.raises(AccessDenied) as caught:
        ask(refusal, api_key_env="THE_KEY")
    assert caught.value.hint.startswith("Check the key")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "0.5"}, 0.5),
        ({"retry-after-ms": "1500", "Retry-After": "9"}, 1.5),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-3"}, None),
        ({"Retry-After": "nan"}, None),
    ],
)
def test_the_servers_wish_to_wait_is_read(headers: dict[str, str], seconds: float | None) -> None:
    with pytest.raises(RateLimited) as caught:
        ask(answer(status=429, headers=headers))
    assert caught.value.retry_after == seconds


def test_a_date_in_retry_after_is_counted_from_now() -> None:
    now = datetime(2030, 1, 1, 12, 0, 0, tzinfo=UTC)
    later = format_datetime(now.replace(second=30), usegmt=True)
    assert retry_after({"retry-after": later}, now=now.timestamp()) == 30
    assert retry_after({"retry-after": later}, now=now.timestamp() + 99) == 0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("12ms", 0.012), ("1s", 1.0), ("6m0s", 360.0), ("1h2m3.5s", 3723.5), ("8", 8.0), ("x", None)],
)
def test_durations_of_rate_limit_headers_are_read(text: str, seconds: float | None) -> None:
    assert duration(text) == pytest.approx(seconds)


def test_rate_limit_headers_reach_the_allowances() -> None:
    headers = {
        "x-ratelimit-limit-requests": "500",
        "x-ratelimit-remaining-requests": "499",
        "x-ratelimit-reset-requests": "120ms",
    }
    allowances = Allowances()

    async def main() -> None:
        async with (
            serving(answer(body=chat_body(), headers=headers)) as server,
            ChatModel(settings(server), allowances=allowances) as model,
        ):
            await model.complete(REQUEST)

    asyncio.run(main())
    assert allowances.requests == Allowance(remaining=499, reset=0.12, limit=500)
    assert allowances.tokens is None


def test_a_servers_message_is_one_short_printable_line() -> None:
    body = {"error": {"message": "bad\n\x1b[2Jthing\x00 " + "x" * 5000}}
    with pytest.raises(RequestRejected) as caught:
        ask(answer(status=400, body=body))
    text = str(caught.value)
    assert "bad [2Jthing" in text
    assert text.isprintable()
    assert len(text) < 400


@pytest.mark.parametrize("body", [b"", b"<html><b>Oops</b></html>", b"\xff\xfe", b"[1, 2]"])
def test_an_error_with_any_body_is_still_that_error(body: bytes) -> None:
    with pytest.raises(Overloaded):
        ask(answer(status=500, body=body))


def test_a_server_that_hangs_times_out_and_may_have_been_paid() -> None:
    with pytest.raises(TimedOut) as caught:
        ask(servers.hang, timeout=0.1)
    assert caught.value.maybe_paid


@pytest.mark.parametrize("talk", [servers.reset_in_body, servers.drop])
def test_a_connection_that_breaks_off_may_have_been_paid(talk: Talk) -> None:
    with pytest.raises(Unreachable) as caught:
        ask(talk)
    assert caught.value.maybe_paid


def test_what_is_not_http_is_garbled() -> None:
    with pytest.raises(Transient) as caught:
        ask(servers.no_http)
    assert type(caught.value) is Garbled


def test_a_refused_connection_was_not_paid() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]

    async def main() -> None:
        address = ChatSettings(model="m", base_url=f"http://127.0.0.1:{port}/v1")
        async with ChatModel(address) as model:
            await model.complete(REQUEST)

    with pytest.raises(Unreachable) as caught:
        asyncio.run(main())
    assert not caught.value.maybe_paid


def test_a_trickled_answer_is_read_whole() -> None:
    assert ask(servers.trickle).text == "Slowly, but whole."


def test_an_endless_answer_is_cut() -> None:
    with pytest.raises(Garbled, match="more than"):
        ask(servers.endless)


def test_connections_are_kept_and_no_more_than_needed() -> None:
    async def main() -> int:
        async with serving(answer(body=chat_body())) as server:
            async with ChatModel(settings(server, max_connections=4)) as model:
                for _ in range(5):
                    await asyncio.gather(*(model.complete(REQUEST) for _ in range(4)))
            return server.connections

    assert asyncio.run(main()) <= 4


def test_a_missing_key_variable_is_named_before_the_first_call() -> None:
    with pytest.raises(ConfigError, match="NO_SUCH_KEY") as caught:
        ChatModel(ChatSettings(model="m", api_key_env="NO_SUCH_KEY"), environ={})
    assert "export NO_SUCH_KEY" in caught.value.hint


@pytest.mark.parametrize("key", [f"{KEY}\n", f" {KEY}", f"{KEY}\x00", "schlüssel-0123456789"])
def test_what_cannot_be_a_key_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(ConfigError, match="THE_KEY") as caught:
        ChatModel(ChatSettings(model="m", api_key_env="THE_KEY"), environ={"THE_KEY": key})
    assert key.strip() not in f"{caught.value}{caught.value.hint}{caught.value!r}"


def everything_said(error: BaseException) -> str:
    """All that an exception and those behind it hold, down to their attributes."""
    seen: list[str] = []
    todo: list[BaseException | None] = [error]
    while todo:
        one = todo.pop()
        if one is None:
            continue
        seen += ["".join(traceback.format_exception(one)), repr(one), repr(vars(one)), str(one)]
        todo += [one.__cause__, one.__context__]
    return "\n".join(seen)


def echo_key(status: int) -> Talk:
    return answer(
        status=status,
        body={"error": {"message": f"Incorrect API key provided: {KEY}"}},
        headers={"X-Echo": KEY},
    )


@pytest.mark.parametrize(
    "talk",
    [
        *(echo_key(status) for status in (200, 302, 400, 401, 404, 429, 500)),
        answer(body=KEY.encode()),
        servers.hang,
        servers.drop,
        servers.reset_in_body,
        servers.no_http,
    ],
)
def test_the_key_never_leaks(talk: Talk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(ModelError) as caught:
        ask(talk, api_key_env="THE_KEY", timeout=0.2)
    assert KEY not in everything_said(caught.value)
    assert KEY not in caplog.text


def test_the_key_is_in_no_repr() -> None:
    model = ChatModel(ChatSettings(model="m", api_key_env="K"), environ={"K": KEY})
    assert KEY not in f"{model!r}{model}{model.name}{ChatSettings(model='m', api_key_env='K')!r}"


def test_a_short_stand_in_for_a_key_does_not_cut_holes_into_answers() -> None:
    async def main() -> str:
        async with serving(answer(body=chat_body("x marks the box"))) as server:
            environ = {"K": "x"}
            async with ChatModel(settings(server, api_key_env="K"), environ=environ) as model:
                return (await model.complete(REQUEST)).text

    assert asyncio.run(main()) == "x marks the box"


def test_the_name_holds_what_changes_answers_and_nothing_else() -> None:
    def name(**changes: JSON) -> str:
        values: dict[str, JSON] = {"model": "m"}
        return ChatSettings(**(values | changes)).name

    assert name() == name(base_url="http://127.0.0.1:1/v1", timeout=1.0) == "m"
    assert name(extra_body={"b": 1, "a": 2}) == name(extra_body={"a": 2, "b": 1}) != "m"
    assert name(extra_body={"top_k": 1}, label="mine") == "mine"


@pytest.mark.parametrize(
    "base_url",
    ["", "example.com/v1", "ftp://a/v1", "http://", "http://a:x/v1", "http://a/v1?key=1"],
)
def test_an_impossible_address_is_refused(base_url: str) -> None:
    with pytest.raises(ConfigError, match="base_url"):
        ChatSettings(model="m", base_url=base_url)


def test_a_password_in_the_address_is_refused_and_not_shown() -> None:
    with pytest.raises(ConfigError) as caught:
        ChatSettings(model="m", base_url=f"http://me:{KEY}@host/v1")
    assert KEY not in everything_said(caught.value)


def test_the_address_may_already_hold_the_path() -> None:
    url = "http://127.0.0.1:8000/v1/chat/completions"
    assert ChatSettings(model="m", base_url=url).url == url
    assert ChatSettings(model="m", base_url="http://127.0.0.1:8000/v1/").url == url


def test_a_parameter_that_is_set_elsewhere_is_refused() -> None:
    with pytest.raises(ConfigError, match="temperature"):
        ChatSettings(model="m", extra_body={"temperature": 0.1})
