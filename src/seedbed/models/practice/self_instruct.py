"""Answers to the prompts of Self-Instruct and Alpaca: new tasks, yes or no, instances.

An instruction either brings its material or works on material that comes with it as an input.
Inputs of the second kind are drawn here, from the instruction's text alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from seedbed.models.practice.asked import Asked
from seedbed.models.practice.bare import TRIES, read, shown, with_material
from seedbed.models.practice.compose import Task, draw_task
from seedbed.models.practice.conversations import favourites, honest_limits
from seedbed.models.practice.imitating import Model, imitable, imitation
from seedbed.models.practice.material import (
    take_materials,
)
from seedbed.models.practice.query_types import QUERY_TYPES
from seedbed.models.practice.reading import section
from seedbed.models.practice.trouble import falsified
from seedbed.models.practice.wording import (
    read_instruction,
    write_instruction,
    write_response,
)
from seedbed.models.practice.world import skill_named, skills
from seedbed.streams import rng as seeded

LABELLING = ("checking_parity", "naming_weekdays")
"""Skills whose results are one of few labels: a task that ends with one is a classification."""

CLASSIFICATIONS = 0.15
"""Their share among new tasks, where the prompt does not ask for them alone."""

_CONTINUED = re.compile(r"(?:^|\n)[ \t]*(?P<label>Task )?(?P<number>\d{1,4})[ \t]*[.:]\s*\Z")
_BLOCK = re.compile(r"###\s*(?P<number>\d{1,4})\.\s*Instruction:\s*\Z")
_LISTED = re.compile(r"\bnumbered (?P<first>\d{1,4}) to (?P<last>\d{1,4})\b[^\n]*\Z")
_ITEM = re.compile(r"^(?:Task )?\d{1,4}[.:] \S", re.MULTILINE)
_TOTAL = re.compile(r"\b(\d{1,4}) (?:\w+ )*?tasks\b")


@dataclass(frozen=True, slots=True)
class Written:
    """A new task; its material stands in the instruction, or apart from it as the input."""

    instruction: str
    input: str
    task: Task


def asks_for_tasks(asked: Asked) -> bool:
    begun = _LISTED.search(asked.prompt) or _CONTINUED.search(asked.prompt)
    return bool(_BLOCK.search(asked.prompt) or (begun and _ITEM.search(asked.prompt)))


def asks_for_kind(asked: Asked) -> bool:
    return bool(_task_to_judge(asked.prompt))


def asks_for_instances(asked: Asked) -> bool:
    return bool(_task_to_show(asked.prompt))


def list_tasks(asked: Asked) -> str:
    """New tasks in the form of the demonstrations, numbered on."""
    if block := _BLOCK.search(asked.prompt):
        return _blocks(int(block["number"]), asked)
    if listed := _LISTED.search(asked.prompt):
        first, last, label = int(listed["first"]), int(listed["last"]), "{}. "
        if "malformed" in asked.trouble:
            label = "- "
    else:
        begun = _CONTINUED.search(asked.prompt)
        first = int(begun["number"]) if begun else 1
        last, label = 2 * first, "Task {}: " if begun and begun["label"] else "{}. "
    lines = [
        label.format(number) + new.instruction
        for number, new in zip(range(first, last + 1), new_tasks(asked), strict=False)
    ]
    text = "\n".join(lines)
    return text if listed else text.removeprefix(label.format(first))


def _blocks(first: int, asked: Asked) -> str:
    """Alpaca's blocks behind "4. Instruction:", up to the wanted total."""
    wanted = _TOTAL.search(asked.prompt)
    last = int(wanted[1]) if wanted else first
    mark = "##" if "malformed" in asked.trouble else "###"
    blocks = [
        f"{number}. Instruction: {new.instruction}\n"
        f"{number}. Input:\n{new.input or '<noinput>'}\n"
        f"{number}. Output:\n{_response(new.task, asked)}\n"
        for number, new in zip(range(first, last + 1), new_tasks(asked), strict=False)
    ]
    return f"{mark}\n".join(blocks).removeprefix(f"{first}. Instruction:")


def new_tasks(asked: Asked) -> Iterator[Written]:
    """Tasks without end; with the `duplicate` dial the second is a favourite of the teacher.

    With `imitated` each has the skills of one that the prompt shows, where those are of this world.
    """
    labels_only = re.search(r"(?i)\bclassification tasks\b", asked.prompt) is not None
    models = imitable(asked) if "imitated" in asked.trouble else []
    yield _new_task(asked, labels_only, models)
    if "duplicate" in asked.trouble:
        favourite = asked.rng.choice(favourites())
        if task := read_instruction(favourite):
            yield Written(favourite, "", task)
    while True:
        yield _new_task(asked, labels_only, models)


def _new_task(asked: Asked, labels_only: bool, models: Sequence[Model]) -> Written:
    rng = asked.rng
    if (found := imitation(models, asked)) is not None:
        return Written(*found)
    task = _draw(rng, labelling=labels_only or rng.random() < CLASSIFICATIONS)
    kind = rng.choice(QUERY_TYPES)
    text = write_instruction(task, kind, rng, purpose=rng.random() < 0.5)
    if rng.random() < 0.5:
        return Written(text, "", task)
    _, bare = take_materials(text)
    return Written(bare, shown(task, rng), task)


def _response(task: Task, asked: Asked) -> str:
    said = falsified(task, asked.rng) if "wrong" in asked.trouble else task
    return write_response(said, asked.rng)


def _draw(rng: Random, *, labelling: bool) -> Task:
    """A task of one to three skills; a labelling one is a single chain that ends in a label."""
    while True:
        drawn = rng.sample(skills(), rng.choice((1, 2, 2, 3)))
        if labelling:
            drawn = [*drawn[: rng.randrange(3)], skill_named(rng.choice(LABELLING))]
        task = draw_task(list({skill.name: skill for skill in drawn}.values()), rng)
        if not labelling or _is_labelling(task):
            return task


def _is_labelling(task: Task) -> bool:
    return len(task) == 1 and task[0].steps[-1].skill.name in LABELLING


def tell_kind(asked: Asked) -> str:
    """Yes where the task ends in a label; of what is not of this world: a guess by its words."""
    text = _task_to_judge(asked.prompt)
    task = read(text) or with_material(text, seeded("practice kind", text))
    if task is None:
        return "Yes" if re.search(r"(?i)\b(?:classify|true or false|yes or no)\b", text) else "No"
    return "Yes" if _is_labelling(task) else "No"


def _task_to_judge(prompt: str) -> str:
    """The task that a yes or no is wanted for: the question about it is the prompt's last line."""
    if re.search(r"(?i)\bclassification\b[^\n]*\?\s*\Z", prompt) is None:
        return ""
    plain = re.search(r"\nTask:([^\n]*)\n[^\n]*\Z", prompt.rstrip())
    return plain[1].strip() if plain else section(prompt, "task")


def show_instances(asked: Asked) -> str:
    """Inputs and outputs of a task, the label first where the prompt shows it first."""
    text = _task_to_show(asked.prompt)
    headed = section(asked.prompt, "task") == text
    label_first = re.search(r"(?m)^(?:#+ *Label 1|Class label:)", asked.prompt) is not None
    pairs = list(_instances(text, asked, limit=_limit(asked.prompt), distinct=label_first))
    if not pairs:
        return honest_limits()
    if label_first:
        form = "### Label {n}:\n{output}" if headed else "Class label: {output}"
        given = "\n\n### Input {n}:\n{input}" if headed else "\n{input}"
    else:
        form = "### Output {n}:\n{output}" if headed else "Output: {output}"
        given = "### Input {n}:\n{input}\n\n" if headed else "Example {n}\nInput: {input}\n"
    shapes = [form, given] if label_first else [given, form]
    return ("\n\n" if headed else "\n").join(
        "".join(shape for shape in shapes if material or shape is form).format(
            n=number, input=material, output=output
        )
        for number, (material, output) in enumerate(pairs, 1)
    )


def _limit(prompt: str) -> int:
    found = re.search(r"\bup to (\d{1,2})\b", prompt)
    return int(found[1]) if found else 2


def _task_to_show(prompt: str) -> str:
    """The task that instances are wanted of: the last section, or behind the last "Task:"."""
    if re.search(r"(?m)^#+ *(?:Output|Label) 1\b", prompt):
        return section(prompt, "task")
    if re.search(r"(?m)^(?:Output|Class label):", prompt):
        return prompt.rpartition("\nTask:")[2].strip()
    return ""


def _instances(text: str, asked: Asked, *, limit: int, distinct: bool) -> Iterator[tuple[str, str]]:
    """Pairs of a shown material, empty where the instruction has its own, and the response."""
    if task := read(text):
        yield "", task[-1].result.text if distinct else _response(task, asked)
        return
    seen: set[str] = set()
    for _ in range(limit * TRIES if distinct else limit):
        task = with_material(text, asked.rng)
        if task is None or len(seen) == limit:
            return
        output = task[-1].result.text if distinct else _response(task, asked)
        if output not in seen:
            seen.add(output)
            yield shown(task, asked.rng), output
