"""HTTP answers that are not completions, as errors of ours.

What a server writes is untrusted: its message is shortened, and nothing in it can move a cursor
or break a line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from http import HTTPStatus

from seedbed.errors import (
    AccessDenied,
    Garbled,
    ModelError,
    NotFound,
    Overloaded,
    RateLimited,
    RequestRejected,
    TimedOut,
)
from seedbed.models.allowances import retry_after
from seedbed.records import JSON

_DENIED = {401, 402, 403}
_UNKNOWN = {401, 403}
_ABSENT = {404, 405, 410}
_PERHAPS_PAID = {408, 502, 504, 520, 524}
"""A gateway gave up on a model that may have gone on writing (520, 524: Cloudflare)."""

_NO_KEY = {"invalid_api_key", "API_KEY_INVALID"}
_NO_MONEY = {"insufficient_quota", "billing_hard_limit_reached", "insufficient_balance"}
_LONGEST = 300


def failure(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    place: str,
    now: float,
    keyed: bool = True,
) -> ModelError:
    """The error that an HTTP answer with a status other than 200 stands for.

    Args:
        status: the answer's status.
        headers: the answer's headers, names in any case.
        body: the answer's body, which may be anything.
        place: who answered, for the message.
        now: seconds since 1970, to understand a date in `Retry-After`.
        keyed: whether a key was sent.
    """
    content = _parsed(body)
    words = message(content) or _plain(body.decode("utf-8", "replace"))
    told = f"{place}: HTTP {status}{_phrase(status)}: {words or 'no message'}"
    codes = _codes(content)
    wait = retry_after(headers, now=now)
    if codes & _NO_MONEY:
        return AccessDenied(
            told,
            hint="The account has no credit left, or its spending limit is reached: trying again "
            "cannot help. Top it up and run again; everything is kept.",
        )
    if not keyed and (status in _UNKNOWN or codes & _NO_KEY):
        return AccessDenied(
            told,
            hint="No key was sent. Where this model is configured, set `api_key_env` to the name "
            "of the environment variable that holds your key, or set `api_key_command` (for "
            "`seedbed eval`: --key-env, --judge-key-env). Everything that was answered is kept.",
        )
    if status in _DENIED or codes & _NO_KEY:
        return AccessDenied(
            told,
            hint="Check the key, and whether it may use this model at this address. Everything "
            "that was answered is kept; a key that expires can come from `api_key_command`.",
        )
    if status in _ABSENT or 300 <= status < 400:
        return NotFound(
            told,
            hint="Check the model's name and `base_url` (it usually ends in /v1, without "
            "/chat/completions).",
        )
    if status == 429:
        return RateLimited(told, retry_after=wait)
    if status in (408, 504, 524):
        return TimedOut(told, retry_after=wait, maybe_paid=True)
    if status in (409, 425) or status >= 500:
        return Overloaded(told, retry_after=wait, maybe_paid=status in _PERHAPS_PAID)
    if 400 <= status < 500:
        return RequestRejected(told)
    return Garbled(f"{told} (expected 200)", maybe_paid=True)


def message(content: JSON) -> str:
    """The server's own words in a decoded error body, made safe to print; "" if it has none."""
    if not isinstance(content, dict):
        return ""
    error = content.get("error", content)
    for words in (error, *_values(error, "message", "detail", "msg"), content.get("message")):
        if isinstance(words, str) and words:
            return _plain(words)
        if isinstance(words, list) and words:
            return _plain(json.dumps(words, ensure_ascii=False))
    return ""


def _codes(content: JSON) -> set[str]:
    """What the server calls the error, in any of the places where servers do."""
    if not isinstance(content, dict):
        return set()
    error = content.get("error", content)
    found = {value for value in _values(error, "code", "type", "status") if isinstance(value, str)}
    details = _values(error, "details")
    for detail in details[0] if details and isinstance(details[0], list) else ():
        found |= {value for value in _values(detail, "reason") if isinstance(value, str)}
    return found


def _values(content: JSON, *names: str) -> list[JSON]:
    return [content[name] for name in names if name in content] if isinstance(content, dict) else []


def _parsed(body: bytes) -> JSON:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _phrase(status: int) -> str:
    try:
        return f" {HTTPStatus(status).phrase}"
    except ValueError:
        return ""


def _plain(text: str) -> str:
    """One line of printable characters, without HTML tags, at most 300 long."""
    text = re.sub(r"<[^<>]{0,200}>", " ", text[: 20 * _LONGEST])
    text = "".join(char if char.isprintable() else " " for char in text)
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
