"""Evol-Instruct's prompts: rewriting an instruction, making a rarer one, comparing two.

Instructions of the practice world are evolved as tasks. Of any other the teacher takes the words
or numbers and makes a task of its own world about them; where it finds none, it says that it can't.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from random import Random

from seedbed.models.practice import conversations, evolved_tasks
from seedbed.models.practice.asked import Asked
from seedbed.models.practice.compose import Task
from seedbed.models.practice.data_formats import as_data, fits_formats, format_named, plain
from seedbed.models.practice.query_types import NEUTRAL, QUERY_TYPES, PracticeQueryType
from seedbed.models.practice.wording import read_instruction, write_instruction, write_response

EVOLVING = frozenset({"refused", "truncated", "duplicate", "wrong"})
"""`duplicate` gives the prompt back as it was; `wrong` answers it, or copies our markers."""

_GIVEN = re.compile(r"^[^\w\n]*(?:the )?given prompt[#*:\s]*$", re.IGNORECASE | re.MULTILINE)
_ENDING = re.compile(
    r"^[^\w\n]*(?:the )?(?P<kind>rewritten|created|new) prompt"
    r"(?:\W*must contain an? (?:specific )?(?P<format>[^)\n]*?) as input)?[^\w\n]*\s*\Z",
    re.IGNORECASE | re.MULTILINE,
)
_METHOD = re.compile(r"\bmethods?\b[^\n:]*:\s*(?P<method>[^\n]+)", re.IGNORECASE)
_FORMAT = re.compile(
    r"^[^\w\n]*data ?format\W*:\s*(?P<format>[^\n]+)", re.IGNORECASE | re.MULTILINE
)
_COMPARED = re.compile(
    r"^[^\w\n]*(?:the )?first prompt[#*:\s]*(?P<first>.*?)"
    r"^[^\w\n]*(?:the )?second prompt[#*:\s]*(?P<second>.*)"
    r"^[^\w\n]*(?:your )?judge?ment\b[^\n]*\s*\Z",
    re.IGNORECASE | re.MULTILINE | re.DOTALL,
)

_METHODS: tuple[tuple[str, evolved_tasks.Way], ...] = (
    (r"\breasoning\b|\bsteps?\b", evolved_tasks.reason),
    (r"\bspecific\b|\bconcrete", evolved_tasks.concretize),
    (r"\bdepth\b|\bdeep", evolved_tasks.deepen),
    (r"\bcondition|\bconstraint|\brequirement", evolved_tasks.constrain),
)

CANNOT = (
    "I'm sorry, but I can't help with this prompt. "
    f"{conversations.WHO_I_AM}, and I find nothing in it that my skills could work on."
)


def asks_to_evolve(asked: Asked) -> bool:
    return _ENDING.search(asked.prompt) is not None and _GIVEN.search(asked.prompt) is not None


def asks_to_compare(asked: Asked) -> bool:
    return _COMPARED.search(asked.prompt) is not None


def evolve(asked: Asked) -> str:
    """The given instruction, evolved by the operation that the prompt describes."""
    given, ending = _parts(asked.prompt)
    if "duplicate" in asked.trouble:
        return given
    task = read_instruction(given)
    source = task or evolved_tasks.adopt(given, asked.rng)
    if source is None:
        return CANNOT
    if "wrong" in asked.trouble:
        return _wrong(given, source, ending, asked.rng)
    if ending["kind"].lower() != "rewritten":
        made = evolved_tasks.broaden(source, asked.rng)
        return _worded(made, _kind(given), asked.rng) if made else given
    if name := _format(asked.prompt, ending):
        return _with_data(source, _kind(given), name, "```" in given, asked.rng)
    made = _way(asked.prompt)(source, asked.rng) or (source if task is None else None)
    return _worded(made, _kind(given), asked.rng) if made else given


def compare(asked: Asked) -> str:
    """Whether two instructions set the same task, on data in the same form; of instructions of
    another world, whether they have the same words."""
    found = _COMPARED.search(asked.prompt)
    texts = [found[name].strip() for name in ("first", "second")] if found else ["", ""]
    tasks = [read_instruction(text) for text in texts]
    if all(tasks):
        as_before = [plain(text) == text for text in texts]
        return "Equal" if tasks[0] == tasks[1] and as_before[0] == as_before[1] else "Not equal"
    words = [set(re.findall(r"\w+", text.casefold())) for text in texts]
    return "Equal" if words[0] == words[1] else "Not equal"


def _parts(prompt: str) -> tuple[str, Mapping[str, str]]:
    """The instruction under the last heading for it, and what the last heading of all says."""
    marks = list(_GIVEN.finditer(prompt))
    ending = _ENDING.search(prompt, marks[-1].end()) if marks else None
    if ending is None:
        return "", {"kind": "rewritten", "format": ""}
    given = prompt[marks[-1].end() : ending.start()].strip()
    return given, {name: text or "" for name, text in ending.groupdict().items()}


def _way(prompt: str) -> evolved_tasks.Way:
    found = _METHOD.search(prompt)
    method = found["method"].lower() if found else ""
    return next(
        (way for words, way in _METHODS if re.search(words, method)), evolved_tasks.constrain
    )


def _format(prompt: str, ending: Mapping[str, str]) -> str:
    named = [found["format"].strip() for found in _FORMAT.finditer(prompt)]
    return ending["format"] or (named[-1] if named else "")


def _with_data(task: Task, kind: PracticeQueryType, name: str, again: bool, rng: Random) -> str:
    """The task with a material as data; one that has some already gets a step more."""
    task = (evolved_tasks.reason(task, rng) or task) if again else task
    text = _worded(task, kind, rng)
    materials = [part.material for part in task if fits_formats(part.material)]
    return as_data(text, rng.choice(materials), format_named(name)) if materials else text


def _wrong(given: str, task: Task, ending: Mapping[str, str], rng: Random) -> str:
    if rng.random() < 0.5:
        return write_response(task, rng)
    marker = f"#{ending['kind'].title()} Prompt#"
    return f"The {marker} asks for more than the #Given Prompt#: {given}"


def _worded(task: Task, kind: PracticeQueryType, rng: Random) -> str:
    return write_instruction(task, kind, rng, purpose=rng.random() < 0.5)


def _kind(text: str) -> PracticeQueryType:
    """The query type whose sentences a text holds; a neutral one for other texts."""
    return next(
        (
            kind
            for kind in QUERY_TYPES
            if any(sentence and sentence in text for sentence in (*kind.openings, *kind.closings))
        ),
        NEUTRAL,
    )
