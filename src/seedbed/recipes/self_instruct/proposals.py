"""How demonstrations are shown in step 1, and how new tasks are read from what comes back.

A form is a pair of functions: one makes the slots of the prompt, the other reads the completion.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from seedbed.curate.filters import is_no_input
from seedbed.recipes.self_instruct.params import ListForm
from seedbed.records import Drop


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """An instruction; with Alpaca's form also its input and response."""

    instruction: str
    input: str = ""
    response: str = ""


Unread = tuple[str, Drop]
"""A piece of a completion that is no task, and why."""

Show = Callable[[Sequence[Task], int], Mapping[str, object]]
"""Slots of a prompt from the demonstrations and the number of new tasks."""

Read = Callable[[str, int], list[Task | Unread]]
"""Tasks, in order, from a completion and the number of demonstrations that came before."""


@dataclass(frozen=True, slots=True)
class Form:
    show: Show
    read: Read


def one_line(instruction: str) -> str:
    """An instruction as a demonstration shows it: one line, without a colon at its end."""
    return " ".join(instruction.split()).rstrip(":")


def show_continued(tasks: Sequence[Task], new: int) -> Mapping[str, object]:
    return {"demonstrations": _numbered(tasks, "{}. "), "next": f"{len(tasks) + 1}."}


def show_labelled(tasks: Sequence[Task], new: int) -> Mapping[str, object]:
    return {"demonstrations": _numbered(tasks, "Task {}: "), "next": f"Task {len(tasks) + 1}:"}


def show_listed(tasks: Sequence[Task], new: int) -> Mapping[str, object]:
    shown = len(tasks)
    return {
        "demonstrations": _numbered(tasks, "{}. "),
        "first": shown + 1,
        "last": shown + new,
        "count": new,
    }


def _numbered(tasks: Sequence[Task], label: str) -> str:
    lines = (
        label.format(number) + one_line(task.instruction) for number, task in enumerate(tasks, 1)
    )
    return "\n".join(lines)


def show_tasks(tasks: Sequence[Task], new: int) -> Mapping[str, object]:
    """Alpaca's blocks, the last one begun; `total` counts one more than can come, the stop."""
    blocks = [
        f"###\n{number}. Instruction: {one_line(task.instruction)}\n"
        f"{number}. Input:\n{task.input.strip() or '<noinput>'}\n"
        f"{number}. Output:\n{task.response.strip()}\n"
        for number, task in enumerate(tasks, 1)
    ]
    total = len(tasks) + new + 1
    begun = f"###\n{len(tasks) + 1}. Instruction:"
    return {"demonstrations": "".join(blocks) + begun, "total": total}


def read_continued(text: str, shown: int) -> list[Task | Unread]:
    """The code's reading: parted where a line begins with a number, a dot and a space.

    The text goes on behind "9."; a chat model that says "9." again is understood too.
    """
    text = re.sub(rf"\A\s*{shown + 1}\s?\.\s", "", text)
    return [_task(piece) for piece in re.split(r"\n\d+\s?\.\s", text)]


def read_labelled(text: str, shown: int) -> list[Task | Unread]:
    """The same with "Task 10:" for "10."."""
    text = re.sub(rf"\A\s*Task\s?{shown + 1}\s?:", "", text)
    return [_task(piece) for piece in re.split(r"\n\s*Task\s?\d+\s?:", text)]


def _task(piece: str) -> Task:
    return Task(instruction=" ".join(piece.split()))


_ITEM = re.compile(
    r"^[ \t]*(?:#{1,6}[ \t]*)?(?P<bold>\*\*|__)?(?:Task[ \t]+)?(?P<number>\d{1,4})[ \t]*[.):]"
    r"(?(bold)(?:\*\*|__)?)[ \t]*",
    re.MULTILINE | re.IGNORECASE,
)
_LABEL = re.compile(r"\A(?:\*\*|__)?(?:instruction|task)[ \t]*:(?:\*\*|__)?[ \t]*", re.IGNORECASE)
_WRAPPED = re.compile(r"\A(?P<mark>\*\*|__|[\"“`])(?P<inner>[^*_\"“”`]+)(?:\*\*|__|[\"”`])\Z")


def read_listed(text: str, shown: int) -> list[Task | Unread]:
    """A numbered list that counts on from the demonstrations, or from 1.

    Only the next number begins a new item, so that a list inside an instruction does not part it.
    What stands before the first item is the model's preamble. Line breaks inside an item are kept.
    """
    marks: list[re.Match[str]] = []
    for mark in _ITEM.finditer(text.replace("\r\n", "\n")):
        number = int(mark["number"])
        expected = (int(marks[-1]["number"]) + 1,) if marks else (shown + 1, 1)
        if number in expected:
            marks.append(mark)
    if not marks:
        return [unparsed(text, f"a list that goes on with {shown + 1}.")]
    whole = marks[0].string
    ends = [mark.start() for mark in marks[1:]] + [len(whole)]
    return [
        Task(instruction=_bare(whole[mark.end() : end]))
        for mark, end in zip(marks, ends, strict=True)
    ]


def _bare(item: str) -> str:
    """An item without the wrapping that chat models put around it."""
    lines = "\n".join(line.rstrip() for line in _LABEL.sub("", item.strip()).splitlines())
    if lines.count("**") % 2:  # of a bold line, the number took the first mark
        lines = lines.removesuffix("**")
    wrapped = _WRAPPED.match(lines)
    return (wrapped["inner"] if wrapped else lines).strip()


def read_tasks(text: str, shown: int) -> list[Task | Unread]:
    """Alpaca's reading: "###" parts the tasks, and task k has exactly its three labelled fields.

    The first block was begun in the prompt; a chat model that begins it again is understood too.
    """
    if not re.match(rf"\s*(?:###\s*)?{shown + 1}\.\s+Instruction:", text):
        text = f"{shown + 1}. Instruction:{text}"
    pieces = text.strip().removeprefix("###").split("###")
    return [
        _labelled(piece, number) for number, piece in enumerate(pieces, shown + 1) if piece.strip()
    ]


def _labelled(piece: str, number: int) -> Task | Unread:
    parts = re.split(rf"{number}\.\s+(Instruction|Input|Output):", piece)
    if parts[1::2] != ["Instruction", "Input", "Output"]:
        return unparsed(piece, f"{number}. Instruction: … {number}. Input: … {number}. Output: …")
    instruction, given, response = (part.strip() for part in parts[2::2])
    return Task(
        instruction=instruction, input="" if is_no_input(given) else given, response=response
    )


def unparsed(text: str, expected: str) -> Unread:
    found = " ".join(text.split())[:80]
    return text, Drop(reason="unparsed", evidence={"expected": expected, "found": found})


FORMS: Mapping[ListForm, Form] = {
    "continued": Form(show_continued, read_continued),
    "labelled": Form(show_labelled, read_labelled),
    "listed": Form(show_listed, read_listed),
    "tasks": Form(show_tasks, read_tasks),
}
