"""Skills of giving a result a form: JSON, bullets, numbers, a table. Nothing works on a block."""

from __future__ import annotations

import json

from seedbed.models.practice.skill import Parameters, PracticeSkill, says
from seedbed.models.practice.values import Value, block


def _json(value: Value, _: Parameters) -> Value | None:
    entries: list[int] | list[str] = (
        list(value.ints) if value.kind in ("numbers", "number") else list(value.items)
    )
    lists = value.kind in ("numbers", "words")
    return block(json.dumps(entries if lists else {"result": entries[0]}))


def _bullets(value: Value, _: Parameters) -> Value | None:
    return block("\n".join(f"- {item}" for item in value.items))


def _numbered(value: Value, _: Parameters) -> Value | None:
    return block("\n".join(f"{place}. {item}" for place, item in enumerate(value.items, 1)))


def _table(value: Value, _: Parameters) -> Value | None:
    rows = (f"| {place} | {item} |" for place, item in enumerate(value.items, 1))
    return block("\n".join(("| No. | Entry |", "|---|---|", *rows)))


SKILLS: tuple[PracticeSkill, ...] = (
    PracticeSkill(
        name="json_formatting",
        topic="structured_output",
        description='writes a list as JSON, a single value as {"result": ...}',
        phrasings=(
            "write {it} as JSON",
            "give {it} in JSON",
            "format {it} as JSON",
            "present {it} as JSON",
        ),
        accepts=("numbers", "words", "number", "phrase", "date"),
        gives="block",
        apply=_json,
        explain=says("As JSON, {before} looks as below."),
        recogniser=r"\bjson\b",
    ),
    PracticeSkill(
        name="bullet_points",
        topic="structured_output",
        description="writes a list with a bullet before each entry",
        phrasings=(
            "write {it} as bullet points",
            "give {it} as a bullet list",
            "format {it} as bullet points",
            "present {it} as a bullet list",
        ),
        accepts=("numbers", "words"),
        gives="block",
        apply=_bullets,
        explain=says("Each entry of {before} gets a bullet."),
        recogniser=r"\bbullet(?:ed)?[ -](?:points?|list|form)\b",
    ),
    PracticeSkill(
        name="numbered_lists",
        topic="structured_output",
        description="writes a list with a number before each entry",
        phrasings=(
            "write {it} as a numbered list",
            "give {it} as a numbered list",
            "number the entries of {it} line by line",
            "present {it} as a numbered list",
        ),
        accepts=("numbers", "words"),
        gives="block",
        apply=_numbered,
        explain=says("Each entry of {before} gets a number."),
        recogniser=r"\bnumbered list\b",
    ),
    PracticeSkill(
        name="table_layout",
        topic="structured_output",
        description="writes a list as a table with the columns No. and Entry",
        phrasings=(
            "write {it} as a table with the columns No. and Entry",
            "give {it} as a table with the columns No. and Entry",
            "put {it} into a table with the columns No. and Entry",
            "present {it} as a table with the columns No. and Entry",
        ),
        accepts=("numbers", "words"),
        gives="block",
        apply=_table,
        explain=says("Each entry of {before} gets a row."),
        recogniser=r"\b(?:in|as|into) (?:a |the )?table\b|\b(?:create|make) a table of\b",
    ),
)
