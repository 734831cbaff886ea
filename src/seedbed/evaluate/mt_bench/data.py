"""The files of MT-Bench: questions, judge prompts and reference answers, read from a folder.

They are the benchmark's own (FastChat, Apache-2.0) and not shipped here:

    question.jsonl   judge_prompts.jsonl   reference_answer/<judge>.jsonl
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from seedbed.errors import DatasetError
from seedbed.evaluate.lines import json_lines, read_file
from seedbed.records import JSON, digest

TEMPERATURES: Mapping[str, float] = {
    "writing": 0.7,
    "roleplay": 0.7,
    "extraction": 0.0,
    "math": 0.0,
    "coding": 0.0,
    "reasoning": 0.0,
    "stem": 0.1,
    "humanities": 0.1,
}
"""At which a category is answered; 0.7 for any other."""

WITH_REFERENCE = frozenset({"math", "reasoning", "coding"})
"""The categories whose judge sees a reference answer."""

PROMPTS = ("single-v1", "single-math-v1", "single-v1-multi-turn", "single-math-v1-multi-turn")


@dataclass(frozen=True, slots=True, kw_only=True)
class MtQuestion:
    """Two turns; `references` are answers to both, where the category has them."""

    id: str
    category: str
    turns: tuple[str, str]
    temperature: float
    references: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class JudgePrompt:
    system: str
    template: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MtBench:
    """The benchmark; `digest` names its questions, prompts and references together."""

    questions: tuple[MtQuestion, ...]
    prompts: Mapping[str, JudgePrompt]
    digest: str


def read_mt_bench(folder: Path) -> MtBench:
    """Read the benchmark.

    Raises:
        DatasetError: a file is missing, or a line of it is not what it should be.
    """
    references = _references(_reference_file(folder))
    questions = tuple(
        _question(row, place, references) for place, row in json_lines(folder / "question.jsonl")
    )
    if not questions:
        raise DatasetError(f"{folder / 'question.jsonl'}: no questions in it")
    prompts = _prompts(folder / "judge_prompts.jsonl")
    files = [folder / "question.jsonl", folder / "judge_prompts.jsonl", _reference_file(folder)]
    return MtBench(questions=questions, prompts=prompts, digest=digest(*map(read_file, files))[:16])


def _reference_file(folder: Path) -> Path:
    """`reference_answer/gpt-4.jsonl` as FastChat keeps it, or the one file of such a name."""
    found = sorted(
        [*folder.glob("reference_answer/*.jsonl"), *folder.glob("reference_answer*.jsonl")]
    )
    preferred = [path for path in found if path.name == "gpt-4.jsonl"]
    if len(found) != 1 and len(preferred) != 1:
        raise DatasetError(
            f"{folder}: {len(found)} files of reference answers; expected one",
            hint="MT-Bench keeps them in reference_answer/gpt-4.jsonl.",
        )
    return (preferred or found)[0]


def _question(
    row: Mapping[str, JSON], place: str, references: Mapping[str, tuple[str, str]]
) -> MtQuestion:
    name, category = str(row.get("question_id", "")), row.get("category")
    turns = _two(row.get("turns"))
    if not name or not isinstance(category, str) or turns is None:
        raise DatasetError(f"{place}: expected question_id, category and two turns")
    if category in WITH_REFERENCE and name not in references:
        raise DatasetError(f"{place}: the category {category} needs a reference answer; none there")
    temperature = row.get("required_temperature", TEMPERATURES.get(category, 0.7))
    return MtQuestion(
        id=name,
        category=category,
        turns=turns,
        temperature=float(temperature),
        references=references[name] if category in WITH_REFERENCE else None,
    )


def _references(path: Path) -> dict[str, tuple[str, str]]:
    found = {}
    for place, row in json_lines(path):
        choices = row.get("choices")
        turns = _two(choices[0].get("turns")) if isinstance(choices, list) and choices else None
        if turns is None:
            raise DatasetError(f"{place}: expected choices with two turns")
        found[str(row.get("question_id", ""))] = turns
    return found


def _two(value: JSON) -> tuple[str, str] | None:
    if isinstance(value, list) and len(value) == 2 and all(isinstance(one, str) for one in value):
        return value[0], value[1]
    return None


def _prompts(path: Path) -> Mapping[str, JudgePrompt]:
    found = {}
    for place, row in json_lines(path):
        system, template = row.get("system_prompt"), row.get("prompt_template")
        if not isinstance(system, str) or not isinstance(template, str):
            raise DatasetError(f"{place}: expected system_prompt and prompt_template")
        found[str(row.get("name"))] = JudgePrompt(system, template)
    if missing := [name for name in PROMPTS if name not in found]:
        raise DatasetError(f"{path}: no prompt {missing[0]!r}; expected {', '.join(PROMPTS)}")
    return found
