"""One question to the practice teacher, as its tasks see it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from random import Random

from seedbed.models.practice.reading import user_turns
from seedbed.records import Message


@dataclass(frozen=True)
class Asked:
    """`trouble` names the dials that hit this request; `rng` is seeded by the request's content."""

    messages: tuple[Message, ...]
    rng: Random
    trouble: frozenset[str] = frozenset()

    @cached_property
    def turns(self) -> list[str]:
        return user_turns(self.messages)

    @property
    def first(self) -> str:
        return self.turns[0] if self.turns else ""

    @property
    def prompt(self) -> str:
        """What the user said last."""
        return self.turns[-1] if self.turns else ""


@dataclass(frozen=True, slots=True)
class PracticeTask:
    """A kind of prompt that the teacher knows: how to recognise it, and how to answer it.

    `troubles` are the dials that can hit an answer of this kind.
    """

    name: str
    recognise: Callable[[Asked], bool]
    answer: Callable[[Asked], str]
    troubles: frozenset[str] = frozenset()


ANSWER = frozenset({"refused", "truncated", "wrong"})
EXAMPLE = ANSWER | {"malformed"}
