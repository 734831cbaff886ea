"""Bodies of `/chat/completions` answers, read as what strangers write.

What matters (text, why it ended) is strict: anything else is `Garbled`. What is only counted
(usage, log-probabilities) is believed where it is believable and replaced by a bound or left out
where it is not, because the answer itself is paid for and good.
"""

from __future__ import annotations

import json
from math import inf

from seedbed.errors import Garbled
from seedbed.models.prices import worst_case
from seedbed.models.statuses import message
from seedbed.records import JSON, Completion, FinishReason, Request, TokenLogprob, Usage

MOST_TOKENS = 10_000_000
"""No model takes or writes more in one call (the longest contexts are 10 million tokens)."""

_CUT = {"length", "max_tokens", "model_length", "max_output_tokens"}
_REFUSED = {"content_filter", "refusal", "safety"}


def completion_of(body: bytes, request: Request, *, place: str) -> Completion:
    """The completion in the body of an HTTP 200.

    Raises:
        Garbled: the body is not JSON, or not a chat completion. It may have been paid.
    """
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        start = body[:60].decode("utf-8", "replace")
        kind = "HTML" if body.lstrip()[:1] == b"<" else f"{len(body)} bytes that are no JSON"
        raise _garbled(place, f"{kind}, starting {start!r}") from None
    choice = _choice(content, place)
    answer = choice.get("message")
    if not isinstance(answer, dict):
        raise _garbled(place, "a choice without a message")
    text = _text(answer.get("content"), place)
    refusal = answer.get("refusal")
    note = refusal if isinstance(refusal, str) else ""
    reason = _reason(choice.get("finish_reason"), answer, text=text, refused=bool(note))
    shown = _stopped(text or "", request)
    return Completion(
        text=_encodable(shown),
        finish_reason="stop" if len(shown) < len(text or "") else reason,
        usage=_usage(content.get("usage"), request, text=text or ""),
        logprobs=_logprobs(choice.get("logprobs")),
        note=_encodable(note),
    )


def _choice(content: JSON, place: str) -> dict[str, JSON]:
    if not isinstance(content, dict):
        raise _garbled(place, f"a JSON {type(content).__name__}")
    choices = content.get("choices")
    if not isinstance(choices, list) or not choices:
        told = message(content) if "error" in content else ""
        raise _garbled(place, f"an error in an HTTP 200: {told}" if told else "no choices")
    if not isinstance(choices[0], dict):
        raise _garbled(place, "a choice that is no object")
    return choices[0]


def _text(content: JSON, place: str) -> str | None:
    """The text of a message, which some servers send as a list of parts."""
    if content is None or isinstance(content, str):
        return content
    if isinstance(content, list):
        parts = [part.get("text", "") for part in content if isinstance(part, dict)]
        if len(parts) == len(content) and all(isinstance(part, str) for part in parts):
            return "".join(parts)
    raise _garbled(place, f"a content that is a {type(content).__name__}")


def _stopped(text: str, request: Request) -> str:
    """The text up to its first stop string: some servers ignore those, some leave them in."""
    ends = [place for stop in request.sampling.stop if stop and (place := text.find(stop)) >= 0]
    return text[: min(ends)] if ends else text


def _reason(
    said: JSON, answer: dict[str, JSON], *, text: str | None, refused: bool
) -> FinishReason:
    said = said.lower() if isinstance(said, str) else ""
    if refused or said in _REFUSED:
        return "refused"
    if said in _CUT:
        return "length"
    thought = answer.get("reasoning_content") or answer.get("reasoning")
    # A reasoning model that never came to its answer was cut, whatever the server calls it.
    return "length" if text is None and thought else "stop"


def _usage(content: JSON, request: Request, *, text: str) -> Usage:
    """The usage if it can be believed, else the request's worst case marked as unreported."""
    if not isinstance(content, dict):
        return worst_case(request)
    prompt = _count(content.get("prompt_tokens"))
    completion = _count(content.get("completion_tokens"))
    if not prompt or completion is None or (text and not completion):
        return worst_case(request)
    details = content.get("prompt_tokens_details")
    told = [details.get("cached_tokens")] if isinstance(details, dict) else []
    # DeepSeek has a field of its own, and gateways to Anthropic hand through theirs.
    told += [content.get("prompt_cache_hit_tokens"), content.get("cache_read_input_tokens")]
    cached = next((count for value in told if (count := _count(value)) is not None), 0)
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        cached_tokens=cached if cached <= prompt else 0,
    )


def _count(value: JSON) -> int | None:
    return value if type(value) is int and 0 <= value <= MOST_TOKENS else None


def _logprobs(content: JSON) -> tuple[TokenLogprob, ...]:
    """All the log-probabilities, or none if any of them is not what it should be."""
    tokens = content.get("content") if isinstance(content, dict) else None
    if not isinstance(tokens, list):
        return ()
    read = [_logprob(token) for token in tokens]
    return tuple(token for token in read if token) if all(read) else ()


def _logprob(content: JSON) -> TokenLogprob | None:
    own = _scored(content)
    if own is None:
        return None
    likeliest = content.get("top_logprobs") or []
    top = [_scored(entry) for entry in likeliest] if isinstance(likeliest, list) else [None]
    if not all(top):
        return None
    return TokenLogprob(own[0], own[1], tuple(entry for entry in top if entry))


def _scored(content: JSON) -> tuple[str, float] | None:
    if not isinstance(content, dict):
        return None
    token, logprob = content.get("token"), content.get("logprob")
    if not isinstance(token, str) or not isinstance(logprob, int | float):
        return None
    return (_encodable(token), float(logprob)) if abs(logprob) < inf else None


def _encodable(text: str) -> str:
    """Text that UTF-8 can hold: JSON's escapes can smuggle in lone surrogates, which it cannot."""
    return (
        text
        if text.isascii()
        else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    )


def _garbled(place: str, what: str) -> Garbled:
    return Garbled(f"{place}: expected a chat completion, got {what}", maybe_paid=True)
