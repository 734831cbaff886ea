"""The benchmark's prompts and, for scoring what is there already, files of responses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from seedbed.errors import DatasetError
from seedbed.evaluate.ifeval.checks import Check
from seedbed.evaluate.ifeval.instructions import check_for
from seedbed.evaluate.lines import json_lines
from seedbed.records import JSON

PROMPTS_FILE = "input_data.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class IfevalPrompt:
    """A prompt, the names of the instructions in it, and a check for each."""

    id: str
    text: str
    instructions: tuple[str, ...]
    checks: tuple[Check, ...]


def read_prompts(path: Path) -> tuple[IfevalPrompt, ...]:
    """The prompts of `input_data.jsonl`: key, prompt, instruction_id_list, kwargs.

    Raises:
        DatasetError: it cannot be read, or a line is not such a prompt.
    """
    prompts = tuple(_prompt(row, place) for place, row in json_lines(path))
    if not prompts:
        raise DatasetError(f"{path}: no prompts in it")
    return prompts


def _prompt(row: Mapping[str, JSON], place: str) -> IfevalPrompt:
    names, arguments = row.get("instruction_id_list"), row.get("kwargs")
    text = row.get("prompt")
    if (
        not isinstance(text, str)
        or not isinstance(names, list)
        or not isinstance(arguments, list)
        or not len(names) == len(arguments) > 0
        or not all(isinstance(given, dict) for given in arguments)
    ):
        raise DatasetError(f"{place}: expected a prompt with instruction_id_list and kwargs")
    return IfevalPrompt(
        id=str(row.get("key", place)),
        text=text,
        instructions=tuple(map(str, names)),
        checks=tuple(
            check_for(str(name), given) for name, given in zip(names, arguments, strict=True)
        ),
    )


def read_responses(path: Path, prompts: Sequence[IfevalPrompt]) -> list[str | None]:
    """The responses of a file with `prompt` and `response`, one for each prompt or None.

    They are joined by the prompt's text. A prompt that the file words otherwise (one of the 541
    does in the published responses) takes the row at its own place, if no other prompt has it.

    Raises:
        DatasetError: it cannot be read, or a line is not such a response.
    """
    rows = []
    for place, row in json_lines(path):
        prompt, response = row.get("prompt"), row.get("response")
        if not isinstance(prompt, str) or not isinstance(response, str):
            raise DatasetError(f"{place}: expected a prompt and a response")
        rows.append((prompt, response))
    by_text = dict(rows)
    texts = {prompt.text for prompt in prompts}
    found = [by_text.get(prompt.text) for prompt in prompts]
    if len(rows) == len(prompts):
        return [
            row[1] if one is None and row[0] not in texts else one
            for one, row in zip(found, rows, strict=True)
        ]
    return found
