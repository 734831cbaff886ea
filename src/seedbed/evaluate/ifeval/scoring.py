"""Verdicts and scores: strict and loose, by prompt and by instruction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from seedbed.evaluate.ifeval.checks import Check
from seedbed.evaluate.ifeval.instructions import check_for
from seedbed.evaluate.ifeval.prompts import IfevalPrompt
from seedbed.evaluate.means import Means
from seedbed.evaluate.measurement import Item, Result
from seedbed.records import JSON, Drop, Example, Filter


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdicts:
    """Whether each instruction of a prompt is followed."""

    strict: tuple[bool, ...]
    loose: tuple[bool, ...]


def verdicts(checks: Sequence[Check], response: str) -> Verdicts:
    """Hold a response to its instructions. An empty response follows none."""
    variants = list(loosened(response))
    return Verdicts(
        strict=tuple(bool(response.strip()) and check(response) for check in checks),
        loose=tuple(any(check(variant) for variant in variants) for check in checks),
    )


def loosened(response: str) -> Iterator[str]:
    """The eight variants of which one has to pass: without the first line, the last, or both (what
    a model says around its answer), each with and without the asterisks of Markdown."""
    lines = response.split("\n")
    for cut in (lines, lines[1:], lines[:-1], lines[1:-1]):
        text = response if cut is lines else "\n".join(cut).strip()
        for variant in (text, text.replace("*", "")):
            if variant.strip():
                yield variant


def score(
    prompts: Sequence[IfevalPrompt],
    responses: Sequence[str | None],
    *,
    student: str,
    settings: Mapping[str, JSON] | None = None,
    notes: tuple[str, ...] = (),
) -> Result:
    """The four metrics of the benchmark, in percent, and the accuracy by instruction.

    `prompt_strict` and `prompt_loose` (all instructions of a prompt), `instruction_strict` and
    `instruction_loose` (each by itself; those of a prompt stand together), `strict_NAME` for each
    of the 25 instructions. A prompt without a response (None) is expected and not counted.
    """
    means = Means(benchmark="ifeval", student=student, settings=dict(settings or {}), notes=notes)
    rows: list[Item] = []
    single: list[Item] = []
    for prompt, response in zip(prompts, responses, strict=True):
        found = None if response is None else verdicts(prompt.checks, response)
        rows.append(_row(prompt, response, found))
        single += _single(prompt, found)
    names = sorted({name for prompt in prompts for name in prompt.instructions})
    measured = [means(rows, "prompt_strict"), means(rows, "prompt_loose")]
    measured += [means(single, f"instruction_{how}") for how in ("strict", "loose")]
    for name in names:
        asked = [item for item in single if item.facts.get(name)]
        measured.append(means(asked, metric_of(name)))
    return Result(measurements=tuple(one for one in measured if one is not None), items=tuple(rows))


def metric_of(instruction: str) -> str:
    """The metric of one kind of instruction: "strict_no_comma"."""
    return f"strict_{instruction.partition(':')[2] or instruction}"


def _row(prompt: IfevalPrompt, response: str | None, found: Verdicts | None) -> Item:
    if response is None or found is None:
        return Item(id=prompt.id, scores={}, chars=0)
    scores = {"prompt_strict": 100.0 * all(found.strict), "prompt_loose": 100.0 * all(found.loose)}
    return Item(id=prompt.id, scores=scores, chars=len(response))


def _single(prompt: IfevalPrompt, found: Verdicts | None) -> Iterator[Item]:
    """An item for each instruction, in the group of its prompt."""
    for place, name in enumerate(prompt.instructions):
        scores = {}
        if found is not None:
            strict, loose = 100.0 * found.strict[place], 100.0 * found.loose[place]
            scores = {
                "instruction_strict": strict,
                "instruction_loose": loose,
                metric_of(name): strict,
            }
        yield Item(
            id=f"{prompt.id}/{place}", scores=scores, chars=0, group=prompt.id, facts={name: 1.0}
        )


def must_follow(name: str, arguments: Mapping[str, JSON]) -> Filter:
    """A filter on data: the response of an example follows an instruction of the 25, strictly.

    Raises:
        DatasetError: an unknown instruction, or arguments that are not its own.
    """
    check = check_for(name, arguments)

    def objection(example: Example) -> Drop | None:
        if verdicts((check,), example.response).strict[0]:
            return None
        return Drop(reason="instruction_not_followed", evidence={"instruction": name})

    return objection
