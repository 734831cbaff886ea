"""Asking the student: the questions of a benchmark, its answers, and what became of each."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from seedbed.files import json_line, make_folder, write_jsonl, write_text
from seedbed.models.metered import Metered, Tally
from seedbed.models.model import Model
from seedbed.models.prices import PICO
from seedbed.records import JSON, Message, Request, Sampling
from seedbed.streams import ordered

WINDOW = 1024
"""Questions under way at once: many more than calls in flight, so that a slow one idles none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a benchmark asks: user turns one after the other, each after the student's own answers.

    `before` is a conversation that comes before the first turn.
    """

    id: str
    turns: tuple[str, ...]
    sampling: Sampling
    before: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What the student said to one turn; `truncated` where it ended at the length limit."""

    text: str
    truncated: bool = False


Answers = tuple[Answer | None, ...]
"""One for each turn. None where the server would not take the request, and from there on."""


class Student:
    """Asks the model that is measured, meters what it takes, and counts what is no full answer.

    The model applies its own chat template: a checkpoint the one that it was trained with. What a
    content filter refused is an empty answer, since it is what a user would get.
    """

    def __init__(self, model: Model) -> None:
        self.name = model.name
        self.tally = Tally()
        self.answered = 0
        self.truncated = 0
        self.refused = 0
        self.rejected = 0
        self._model = Metered(model, self.tally)

    async def answer(self, question: Question) -> Answers:
        """Hold one conversation.

        Raises:
            ModelError: no answer could be had.
        """
        messages = list(question.before)
        answers: list[Answer | None] = []
        for turn in question.turns:
            messages.append(Message("user", turn))
            answer = await self._say(Request(messages=tuple(messages), sampling=question.sampling))
            answers.append(answer)
            if answer is None:
                break
            messages.append(Message("assistant", answer.text))
        missing = len(question.turns) - len(answers)
        return (*answers, *[None] * missing)

    def answer_all(self, questions: Iterable[Question]) -> AsyncGenerator[Answers, None]:
        """The answers in the order of the questions."""
        return ordered(self.answer, questions, limit=WINDOW)

    async def _say(self, request: Request) -> Answer | None:
        completion = await self._model.complete(request)
        if completion.finish_reason == "rejected":
            self.rejected += 1
            return None
        self.answered += 1
        self.truncated += completion.finish_reason == "length"
        self.refused += completion.finish_reason == "refused"
        return Answer(completion.text, truncated=completion.finish_reason == "length")

    @property
    def dollars(self) -> float | None:
        """What the answers cost when they were paid; None where a price is unknown."""
        return None if self.tally.unpriced else self.tally.picodollars / PICO

    def notes(self) -> tuple[str, ...]:
        """What a reader of the measurement has to know about these answers."""
        said = (
            (self.truncated, "ended at the length limit"),
            (self.refused, "were refused by the provider and count as empty"),
            (self.rejected, "could not be asked for (the server would not take the request)"),
        )
        asked = self.answered + self.rejected
        return tuple(f"{count:,} of {asked:,} answers {what}." for count, what in said if count)


def sampling_json(sampling: Sampling) -> dict[str, JSON]:
    """The sampling as it stands in a measurement's settings."""
    return {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "max_tokens": sampling.max_tokens,
    }


def write_answers(path: Path, questions: Sequence[Question], answers: Sequence[Answers]) -> None:
    """Keep the answers as JSON lines: id, turns, responses, truncated.

    Raises:
        StorageError: it cannot be written.
    """
    make_folder(path.parent)
    write_jsonl(
        path,
        (
            {
                "id": question.id,
                "turns": list(question.turns),
                "responses": [one.text if one else None for one in said],
                "truncated": [one.truncated if one else False for one in said],
            }
            for question, said in zip(questions, answers, strict=True)
        ),
    )


def write_outputs(
    path: Path, questions: Sequence[Question], answers: Sequence[Answers], *, generator: str
) -> None:
    """Write single-turn answers as AlpacaEval's tools read them: instruction, output, generator.

    Raises:
        StorageError: it cannot be written.
    """
    make_folder(path.parent)
    rows = [
        {"instruction": question.turns[0], "output": said[0].text, "generator": generator}
        for question, said in zip(questions, answers, strict=True)
        if said[0] is not None
    ]
    write_text(path, json_line(rows))
