"""Answers that are examples: draft, critique, refine, and writing a turn again."""

from __future__ import annotations

from functools import lru_cache

from seedbed.models.practice.asked import Asked
from seedbed.models.practice.compose import Task, draw_task
from seedbed.models.practice.marking import skills_of
from seedbed.models.practice.query_types import PracticeQueryType, query_type_named
from seedbed.models.practice.reading import between, conversation, names_in, section, slot
from seedbed.models.practice.trouble import falsified
from seedbed.models.practice.wording import read_instruction, write_instruction, write_response
from seedbed.models.practice.world import resolve, topics, unknown
from seedbed.streams import rng as seeded

WHO_I_AM = "I am the practice teacher of seedbed, a small program and not a language model"


def honest_limits() -> str:
    return (
        f"{WHO_I_AM}. I can only answer instructions made of my own skills "
        f"({', '.join(topic.replace('_', ' ') for topic in topics())}), worded as I word them."
    )


def _cannot_draft(names: tuple[str, ...]) -> str:
    return (
        f"{WHO_I_AM}. I cannot write a conversation that needs {', '.join(names)}: "
        "these are not among the skills that I have."
    )


def draft(asked: Asked) -> str:
    """An instruction worded for its query type, with a true but bare response."""
    if "duplicate" in asked.trouble:
        instruction = asked.rng.choice(favourites())
        return _turn(instruction, read_instruction(instruction), asked, worked=True)
    return _fresh(asked, worked=False)


def refine(asked: Asked) -> str:
    """The same task in better words: what it is for, and the working."""
    instruction, task = _last_conversation(asked)
    if task is None:
        return _fresh(asked, worked=True)
    if instruction not in favourites():
        instruction = write_instruction(task, _query_type(asked), asked.rng, purpose=True)
    return _turn(instruction, task, asked, worked=True)


def complete(asked: Asked) -> str:
    """The last conversation again, the response from its beginning to its end."""
    instruction, task = _last_conversation(asked)
    if task is None:
        return _fresh(asked, worked=True)
    return _turn(instruction, task, asked, worked=True)


def critique(asked: Asked) -> str:
    instruction, task = _last_conversation(asked)
    if task is None:
        return "- Weakness: there is no response that I could read."
    names = ", ".join(name.replace("_", " ") for name in skills_of(instruction))
    start = " ".join(instruction.split()[:6])
    return "\n".join(
        (
            '- Weakness: "Here is what you asked for." is generic and says nothing.',
            "- Weakness: the working is missing, so a reader cannot follow or check it.",
            f'- Weakness: "{start} …" does not say what the result is needed for.',
            f"- Strength: the instruction needs all of its skills: {names}.",
            "- Strength: the answer is stated plainly at the end.",
        )
    )


def answer(asked: Asked) -> str:
    """A plain instruction of the practice world, also inside Alpaca's template."""
    wrapped = between(asked.prompt, "instruction", "response")
    task = read_instruction(wrapped or asked.prompt)
    return honest_limits() if task is None else _respond(task, asked, worked=True)


def brief(asked: Asked) -> str:
    """A bare answer, where low effort is asked for: true, without the working."""
    task = read_instruction(section(asked.prompt, "instruction"))
    return honest_limits() if task is None else _respond(task, asked, worked=False)


def junk(asked: Asked) -> str:
    """Long vagueness that answers nothing, where a lazy reply is asked for."""
    return " ".join(asked.rng.sample(_FILLER, len(_FILLER)))


_FILLER = (
    "There are many ways to look at this.",
    "It depends on a number of things.",
    "Some people would say one thing and some another.",
    "In general it is good to keep the whole picture in mind.",
    "Questions like this come up quite often.",
    "A careful look will usually help.",
    "One should take the time that it needs.",
    "In the end it is up to you.",
)


@lru_cache(maxsize=1)
def favourites() -> tuple[str, ...]:
    """The instructions that a teacher with the `duplicate` dial falls back to."""
    pairs = (
        ("adding_numbers", "roman_numerals"),
        ("sorting_numbers", "bullet_points"),
        ("shifting_dates", "naming_weekdays"),
        ("alphabetical_order", "first_letters"),
        ("extracting_numbers", "finding_extremes"),
    )
    written = []
    for pair in pairs:
        random = seeded("practice favourite", pair)
        task = draw_task(resolve(pair, random), random)
        written.append(
            write_instruction(task, query_type_named("Help-Seeking"), random, purpose=False)
        )
    return tuple(written)


def _fresh(asked: Asked, *, worked: bool) -> str:
    """An example from the slots of the first turn, or a plain sentence where that cannot be."""
    names = names_in(slot(asked.first, "skills"))
    if not names or unknown(names):
        return _cannot_draft(unknown(names)) if names else honest_limits()
    task = draw_task(resolve(names, asked.rng), asked.rng)
    kind = _query_type(asked)
    instruction = write_instruction(task, kind, asked.rng, purpose=worked)
    return _turn(instruction, task, asked, worked=worked)


def _query_type(asked: Asked) -> PracticeQueryType:
    return query_type_named(slot(asked.first, "query type", "task type"))


def _last_conversation(asked: Asked) -> tuple[str, Task | None]:
    """The latest instruction among the assistant's turns that can be read, and its task."""
    for message in reversed(asked.messages):
        found = conversation(message.content) if message.role == "assistant" else None
        if found and (task := read_instruction(found[0])):
            return found[0], task
    return "", None


def _turn(instruction: str, task: Task | None, asked: Asked, *, worked: bool) -> str:
    response = _respond(task, asked, worked=worked) if task else ""
    return f"### Instruction:\n{instruction}\n\n### Response:\n{response}"


def _respond(task: Task, asked: Asked, *, worked: bool) -> str:
    said = falsified(task, asked.rng) if "wrong" in asked.trouble else task
    return write_response(said, asked.rng, worked=worked)
