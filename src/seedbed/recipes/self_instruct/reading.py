"""Reading instances: inputs and outputs from the text of step 3."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from seedbed.curate.filters import is_no_input
from seedbed.records import Drop


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """An input, empty where the task needs none, and the output that is the response."""

    input: str
    response: str


Parse = Callable[[str], list[Instance] | Drop]
"""Instances in order (there may be none), or the objection to the text as a whole."""

_EXAMPLE = re.compile(r"Example\s?\d*\.?")
_OUTPUT = re.compile(r"Output\s*\d*\s*:")
_INPUT = re.compile(r"Input\s*\d*\s*:")


def read_input_first(text: str) -> list[Instance] | Drop:
    """The code's reading of "Example 1 / Input: … / Output: …" (`prepare_for_finetuning.py`).

    Without "Example" the text is one instance, if it says "Output:" at all. Field names of the
    input other than "Input:" stay in it.
    """
    text = text.strip()
    if _EXAMPLE.search(text):
        pieces = (piece.strip() for piece in _EXAMPLE.split(text))
        return [_instance(piece) for piece in pieces if piece]
    if _OUTPUT.search(text):
        return [_instance(text)]
    return Drop(reason="unparsed", evidence={"expected": "Output: …", "found": text[:80]})


def _instance(piece: str) -> Instance:
    """An instance's text; without "Output:" all of it is output, and a further "Input:" ends it."""
    before, mark, after = _parted(_OUTPUT, piece)
    if not mark:
        before, after = "", piece
    response = _INPUT.split(_OUTPUT.split(after)[0])[0]
    given = re.sub(rf"\A{_INPUT.pattern}", "", before.strip())
    return Instance(input=given.strip(), response=response.strip())


def _parted(pattern: re.Pattern[str], text: str) -> tuple[str, bool, str]:
    match = pattern.search(text)
    return (text[: match.start()], True, text[match.end() :]) if match else (text, False, "")


def read_output_first(text: str) -> list[Instance] | Drop:
    """The code's reading of "Class label: X", then the input, again and again."""
    first, *pieces = text.split("Class label:")
    if not pieces:
        return Drop(
            reason="unparsed", evidence={"expected": "Class label: …", "found": first.strip()[:80]}
        )
    instances = []
    for piece in pieces:
        label, _, given = piece.strip().partition("\n")
        instances.append(Instance(input=given.strip(), response=label.strip()))
    return instances


_HEADING = re.compile(
    r"^[ \t]*#{1,6}[ \t]*(?P<name>Class label|Label|Input|Output)[ \t]*(?P<number>\d{1,2})?"
    r"[ \t]*(?::[ \t]*(?P<inline>[^\n]*))?$",
    re.MULTILINE | re.IGNORECASE,
)


def read_headed_input_first(text: str) -> list[Instance] | Drop:
    """Headings "### Input 1:" (left out where there is none) and "### Output 1:", in turn."""
    return _headed(text, begins="input", answer="output")


def read_headed_output_first(text: str) -> list[Instance] | Drop:
    """Headings "### Label 1:" and "### Input 1:" (left out where there is none), in turn."""
    return _headed(text, begins="label", answer="label")


def _headed(text: str, *, begins: str, answer: str) -> list[Instance] | Drop:
    """Strict: headings out of turn or out of number make the whole text doubtful.

    An output that itself shows such headings would else be cut in two. What stands before the
    first heading is the model's preamble.
    """
    text = text.replace("\r\n", "\n")
    marks = list(_HEADING.finditer(text))
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    groups: list[dict[str, str]] = []
    in_turn = True
    for mark, end in zip(marks, ends, strict=False):
        name = mark["name"].lower().removeprefix("class ")
        if not groups or name == begins or name in groups[-1]:
            groups.append({})
        groups[-1][name] = f"{mark['inline'] or ''}\n{text[mark.end() : end]}".strip()
        in_turn &= name in ("input", answer) and int(mark["number"] or len(groups)) == len(groups)
    if not groups or not in_turn or not all(answer in group for group in groups):
        expected = f"### {begins.title()} 1: …, its {'output' if begins == 'input' else 'input'}, …"
        shown = ", ".join(mark[0].strip(" \t#:")[:20] for mark in marks[:10])
        return Drop(
            reason="unparsed", evidence={"expected": expected, "found": shown or "no headings"}
        )
    return [
        Instance(
            input="" if is_no_input(given := group.get("input", "")) else given,
            response=group[answer],
        )
        for group in groups
    ]
