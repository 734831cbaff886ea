"""Filters that need more than one part of an example."""

from __future__ import annotations

import re

from seedbed.curate.filters.responses import is_no_input
from seedbed.records import Drop, Example, Filter

_LABEL = re.compile(
    r"^[ \t]*(?P<mark>#{2,6}[ \t]*)?(?P<number>\d{1,3}[.)][ \t]*)?\**"
    r"(?P<name>instruction|input|output|response|task)"
    r"(?:[ \t]*\d{1,3})?\**[ \t]*:",
    re.IGNORECASE | re.MULTILINE,
)
_ADDRESS = re.compile(r"(?:https?://|www\.)[^\s<>\"'\])]+", re.IGNORECASE)


def merged_tasks() -> Filter:
    """Reason `merged_tasks`: a second task stands in the same example.

    The teacher wrote "##" for "###", or went on after its response, and the parser did not part
    the tasks. Objects to a line that begins with a numbered field label ("6. Instruction:"), to a
    heading that is one ("### Input:"), and to a bare "Instruction:" that an "Input:" or "Output:"
    follows, anywhere but in the first line of a field. Rightly so written exercises (a lesson on
    prompting) are objected to as well.
    """

    def check(example: Example) -> Drop | None:
        parts = (
            ("instruction", example.instruction.text),
            ("input", example.input),
            ("response", example.response),
        )
        for field, text in parts:
            if found := _second_task(text):
                return Drop(
                    reason="merged_tasks",
                    evidence={"field": field, "label": found[0].strip(), "at": found.start()},
                )
        return None

    return check


def _second_task(text: str) -> re.Match[str] | None:
    labels = [match for match in _LABEL.finditer(text) if match.start() > 0]
    names = [match["name"].lower() for match in labels]
    for place, label in enumerate(labels):
        asks = names[place] in ("instruction", "task")
        if label["number"] and (asks or names[place] == "output"):
            return label
        if label["mark"] and names[place] != "task":
            return label
        if asks and {"input", "output", "response"} & set(names[place + 1 :]):
            return label
    return None


def url_only_input(*, other_words: int = 4) -> Filter:
    """Reason `url_only_input`: the input is a web address that a model cannot open.

    Up to `other_words` words may stand around the addresses ("Article link:"); with more, the
    input has something to say. Without access the response was invented.
    """

    def check(example: Example) -> Drop | None:
        addresses = _ADDRESS.findall(example.input)
        words = len(re.findall(r"[^\W_]+", _ADDRESS.sub(" ", example.input)))
        if not addresses or words > other_words:
            return None
        return Drop(
            reason="url_only_input",
            evidence={"address": addresses[0][:120], "other_words": words, "maximum": other_words},
        )

    return check


def input_equals_response() -> Filter:
    """Reason `input_equals_response`: the response repeats the input, apart from white space.

    Self-Instruct's rule. For "sort this list" an input that is sorted already is objected to too.
    """

    def check(example: Example) -> Drop | None:
        repeated = " ".join(example.input.split())
        if is_no_input(example.input) or repeated != " ".join(example.response.split()):
            return None
        return Drop(reason="input_equals_response", evidence={"characters": len(repeated)})

    return check
