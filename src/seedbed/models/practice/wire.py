"""OpenAI's chat protocol, from the server's side: reading requests, writing completions."""

from __future__ import annotations

import time
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from seedbed.records import (
    JSON,
    Completion,
    FinishReason,
    Message,
    Request,
    Role,
    Sampling,
    TokenLogprob,
    digest,
)

Count = Annotated[int, Field(ge=1)]


class ContentPart(BaseModel):
    type: Literal["text"]
    text: str


class ChatMessage(BaseModel):
    role: Role
    content: str | list[ContentPart]

    def message(self) -> Message:
        if isinstance(self.content, str):
            return Message(self.role, self.content)
        return Message(self.role, "".join(part.text for part in self.content))


class SchemaFormat(BaseModel):
    format: dict[str, JSON] = Field(default_factory=dict, alias="schema")


class ResponseFormat(BaseModel):
    type: str
    json_schema: SchemaFormat | None = None


class ChatRequest(BaseModel):
    """The body of a request. What is not named here is accepted and ignored, as servers do."""

    model_config = ConfigDict(extra="ignore")

    model: str
    messages: Annotated[list[ChatMessage], Field(min_length=1)]
    temperature: Annotated[float, Field(ge=0, le=2)] = 1.0
    top_p: Annotated[float, Field(ge=0, le=1)] = 1.0
    max_tokens: Count | None = None
    max_completion_tokens: Count | None = None
    stop: str | list[str] | None = None
    n: Literal[1] = 1
    stream: Literal[False] = False
    seed: int | None = None
    draw: Annotated[int, Field(ge=0)] | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    response_format: ResponseFormat | None = None

    @property
    def prompt(self) -> str:
        """What counts as the same question, repeats told apart where the client does so."""
        messages = [[entry.role, entry.message().content] for entry in self.messages]
        return digest(messages, self.seed, self.draw)

    @property
    def repeat(self) -> int | None:
        """Which repeat the client says this is: our `draw`, or OpenAI's `seed`."""
        return self.draw if self.draw is not None else self.seed

    def request(self, draw: int) -> Request:
        stop = [self.stop] if isinstance(self.stop, str) else self.stop or []
        shape = self.response_format and self.response_format.json_schema
        return Request(
            messages=tuple(entry.message() for entry in self.messages),
            sampling=Sampling(
                temperature=self.temperature,
                top_p=self.top_p,
                max_tokens=self.max_completion_tokens or self.max_tokens or 4096,
                stop=tuple(stop),
                top_logprobs=(self.top_logprobs or 0) if self.logprobs else None,
            ),
            schema=shape.format if shape else None,
            draw=draw,
        )


_REASONS: dict[FinishReason, str] = {"refused": "content_filter", "rejected": "content_filter"}


def completion_body(completion: Completion, *, model: str, key: str) -> dict[str, JSON]:
    """The JSON of a chat completion. A refusal has no content but says why in `refusal`."""
    usage = completion.usage
    refused = completion.finish_reason == "refused"
    return {
        "id": f"chatcmpl-{key[:24]}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model,
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": None if refused else completion.text,
                    "refusal": completion.note if refused else None,
                },
                "finish_reason": _REASONS.get(
                    completion.finish_reason, str(completion.finish_reason)
                ),
                "logprobs": {"content": [_logprob(entry) for entry in completion.logprobs]}
                if completion.logprobs
                else None,
            }
        ],
        "usage": {
            "prompt_tokens": usage.prompt_tokens,
            "completion_tokens": usage.completion_tokens,
            "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        },
    }


def _logprob(entry: TokenLogprob) -> dict[str, JSON]:
    return _token(entry.token, entry.logprob) | {
        "top_logprobs": [_token(token, logprob) for token, logprob in entry.top]
    }


def _token(token: str, logprob: float) -> dict[str, JSON]:
    return {"token": token, "logprob": logprob, "bytes": list(token.encode())}


def error_body(message: str, kind: str, code: str | None = None) -> dict[str, JSON]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}
