"""Where an OpenAI-compatible server is and what it understands."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from seedbed.errors import ConfigError
from seedbed.records import JSON

_OWNED = {
    *("model", "messages", "temperature", "top_p", "max_tokens", "max_completion_tokens", "stop"),
    *("frequency_penalty", "presence_penalty", "logprobs", "top_logprobs", "seed"),
    *("response_format", "n", "stream"),
}
"""What a request or a setting says already, and `n` and `stream`, which would change the answer's
shape (and its price)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatSettings:
    """An endpoint and a model behind it.

    Args:
        model: the model's id, as the server knows it.
        base_url: up to but without `/chat/completions`.
        api_key_env: the environment variable that holds the key; None for a server without keys.
        api_key_command: prints the key instead, and is run again when the server refuses it.
        extra_body: more parameters of the body (`reasoning_effort`, `top_k`, …).
        omit: parameters that this server rejects even at their default ("temperature").
        timeout: seconds for a whole call.
        connect_timeout: seconds for a connection to be made.
        max_completion_tokens: whether the length is limited under this name instead of
            `max_tokens` (OpenAI's reasoning models).
        json_schema: whether the server takes a JSON schema as `response_format`.
        seed_from_draw: whether a request's draw is sent as `seed`.
        max_connections: the most connections at once; at least as many as calls in flight.
        label: overrides `name`.
        choices: asks for so many choices at once (`n`), of which the first is the completion and
            their number its `note`: to find out whether a server obeys, and for nothing else.

    Raises:
        ConfigError: a value that no server could be reached with.
    """

    model: str
    base_url: str = "https://api.openai.com/v1"
    api_key_env: str | None = None
    api_key_command: str = ""
    extra_body: Mapping[str, JSON] = field(default_factory=dict)
    omit: tuple[str, ...] = ()
    timeout: float = 600.0
    connect_timeout: float = 10.0
    max_completion_tokens: bool = False
    json_schema: bool = False
    seed_from_draw: bool = False
    max_connections: int = 256
    label: str = ""
    choices: int = 1

    def __post_init__(self) -> None:
        if not self.model.strip():
            raise ConfigError("model: expected the id of a model, got an empty text")
        _check_address(self.base_url)
        if taken := sorted(_OWNED & self.extra_body.keys()):
            raise ConfigError(
                f"extra_body.{taken[0]}: this parameter is set elsewhere",
                hint="Sampling has settings of its own; `n` and `stream` are not used.",
            )
        for name, value in (
            ("timeout", self.timeout),
            ("connect_timeout", self.connect_timeout),
            ("max_connections", self.max_connections),
        ):
            if not value > 0:
                raise ConfigError(f"{name} = {value}: expected more than 0")

    @property
    def name(self) -> str:
        """The model's id, with the extra parameters if there are any, since they change answers.

        Not the address: the same weights served from another place are the same model, and moving
        a server must not pay for everything again. Give two servers that differ behind one id
        (another quantisation, say) a `label` each.
        """
        if self.label:
            return self.label
        extra = dict(self.extra_body) | ({"omit": sorted(self.omit)} if self.omit else {})
        if not extra:
            return self.model
        told = json.dumps(extra, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return f"{self.model} {told}"

    @property
    def url(self) -> str:
        return self.base_url.rstrip("/").removesuffix("/chat/completions") + "/chat/completions"

    @property
    def host(self) -> str:
        """Who is asked, for messages."""
        return urlsplit(self.base_url).netloc


def _check_address(base_url: str) -> None:
    hint = 'For example base_url = "http://127.0.0.1:8000/v1".'
    try:
        parts = urlsplit(base_url)
        port = parts.port
    except ValueError:
        raise ConfigError("base_url: not an address", hint=hint) from None
    if parts.username is not None or parts.password is not None:
        raise ConfigError(
            "base_url holds a user name or a password", hint="Keys belong in `api_key_env`."
        )
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise ConfigError(
            f"base_url = {base_url!r}: expected http:// or https://, and a host", hint=hint
        )
    if parts.query or parts.fragment:
        raise ConfigError("base_url: expected no `?` and no `#`", hint=hint)
