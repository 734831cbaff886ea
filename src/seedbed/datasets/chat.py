"""Conversations: OpenAI's `messages` and ShareGPT's `conversations`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from seedbed.datasets.rows import Bad, kind_of, text_of
from seedbed.records import JSON, Role

CHAT_COLUMNS = ("messages", "conversations", "conversation")

_ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "prompter": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bing": "assistant",
    "bard": "assistant",
    "model": "assistant",
    "bot": "assistant",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    """The first question of a conversation and its answer, and how much was left aside."""

    question: str
    answer: str
    turns_ignored: int
    systems_ignored: int


def first_exchange(value: JSON, column: str) -> Turns | Bad:
    """The first user turn, and the assistant turn right after it.

    A later question is asked in the light of what came before, so it is no instruction by itself;
    nor is the system message, which says how to answer and is left out as well. Both are counted.
    """
    turns = _turns(value, column)
    if isinstance(turns, Bad):
        return turns
    spoken = [turn for turn in turns if turn[0] != "system"]
    start = next((index for index, (role, _) in enumerate(spoken) if role == "user"), None)
    if start is None:
        return Bad("no_question", f"`{column}` has no user turn", malformed=False)
    answered = start + 1 < len(spoken) and spoken[start + 1][0] == "assistant"
    return Turns(
        question=spoken[start][1],
        answer=spoken[start + 1][1] if answered else "",
        turns_ignored=len(spoken) - 1 - answered,
        systems_ignored=len(turns) - len(spoken),
    )


def _turns(value: JSON, column: str) -> Sequence[tuple[Role | None, str]] | Bad:
    """Role and text of each turn; the role is None for tools and their like."""
    if isinstance(value, str):  # a conversation as JSON text, in a CSV
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return Bad("not_a_conversation", f"`{column}` is {kind_of(value)}; expected a list")
    if not isinstance(value, list):
        return Bad("not_a_conversation", f"`{column}` is {kind_of(value)}; expected a list")
    turns: list[tuple[Role | None, str]] = []
    for number, turn in enumerate(value, start=1):
        read = _turn(turn, f"{column}[{number}]")
        if isinstance(read, Bad):
            return read
        turns.append(read)
    return turns


def _turn(turn: JSON, place: str) -> tuple[Role | None, str] | Bad:
    if not isinstance(turn, Mapping):
        return Bad("not_a_conversation", f"`{place}` is {kind_of(turn)}; expected an object")
    role = turn.get("role", turn.get("from"))
    if not isinstance(role, str) or not {"content", "value"} & turn.keys():
        expected = "expected role and content, or from and value"
        return Bad("not_a_conversation", f"`{place}` is {kind_of(turn)}; {expected}")
    text = _content(turn.get("content", turn.get("value")), place)
    return text if isinstance(text, Bad) else (_ROLES.get(role.lower()), text)


def _content(value: JSON, place: str) -> str | Bad:
    """A turn's text; OpenAI allows it in parts, of which only texts can be read."""
    if not isinstance(value, list):
        return text_of(value, place)
    pieces: list[str] = []
    for part in value:
        if not isinstance(part, Mapping) or not isinstance(part.get("text"), str):
            return Bad("not_text", f"`{place}` has a part that is {kind_of(part)}; expected text")
        pieces.append(part["text"])
    return "".join(pieces)
