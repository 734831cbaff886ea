"""The files of WildBench v2: tasks, judge templates and the references' outputs, from a folder.

They are the benchmark's own and not shipped here. The tasks come from the hub (`allenai/WildBench`,
v2), the templates from its repository (Apache-2.0), the references' outputs from
`allenai/WildBench-V2-Model-Outputs`:

    tasks.jsonl, tasks.json or one .parquet file
    eval_template.score.v2.md   eval_template.pairwise.v2.md
    references/<model>.json or .jsonl      (session_id, output), for WB-Reward
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seedbed.errors import DatasetError
from seedbed.evaluate.lines import json_lines, read_file
from seedbed.records import JSON, Message, digest

CREATIVE = "Creative Tasks"
PLANNING = "Planning & Reasoning"
MATH = "Math & Data Analysis"
INFORMATION = "Information/Advice seeking"
CODING = "Coding & Debugging"

CATEGORIES: Mapping[str, str] = {
    "Creative Writing": CREATIVE,
    "Editing": CREATIVE,
    "Brainstorming": CREATIVE,
    "Role playing": CREATIVE,
    "Others": CREATIVE,
    "Reasoning": PLANNING,
    "Planning": PLANNING,
    "Math": MATH,
    "Data Analysis": MATH,
    "Information seeking": INFORMATION,
    "Advice seeking": INFORMATION,
    "Coding & Debugging": CODING,
}
"""The 12 tags, and the 5 categories that they are reported in."""

WEIGHTS: Mapping[str, float] = {
    CREATIVE: 0.5,
    PLANNING: 1.25,
    MATH: 1.0,
    INFORMATION: 0.75,
    CODING: 1.25,
}
"""What a category counts in the task-macro averages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WildTask:
    """A conversation up to the user's last query, a checklist for the judge, and categories."""

    id: str
    before: tuple[Message, ...]
    query: str
    checklist: tuple[str, ...]
    categories: tuple[str, ...]

    @property
    def history(self) -> str:
        """The conversation before the query, as the judge reads it."""
        names = {"user": "USER", "assistant": "ASSISTANT"}
        return "".join(
            f"{names[one.role]}: {one.content}\n\n" for one in self.before if one.role in names
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WildBench:
    """The benchmark. `references` are outputs by task, for each reference model there is."""

    tasks: tuple[WildTask, ...]
    score_template: str
    pairwise_template: str
    references: Mapping[str, Mapping[str, str]]
    digest: str


def read_wild_bench(folder: Path) -> WildBench:
    """Read the benchmark; without a folder `references` there is no WB-Reward.

    Raises:
        DatasetError: a file is missing, or a row is not what it should be.
    """
    path = _tasks_file(folder)
    tasks = tuple(_task(row, place) for place, row in _rows(path))
    if not tasks:
        raise DatasetError(f"{path}: no tasks in it")
    score = read_file(folder / "eval_template.score.v2.md")
    files = sorted(one for one in folder.glob("references/*") if one.suffix in (".json", ".jsonl"))
    pairwise = read_file(folder / "eval_template.pairwise.v2.md") if files else ""
    content = [[task.id, task.query, task.checklist, task.categories] for task in tasks]
    return WildBench(
        tasks=tasks,
        score_template=score,
        pairwise_template=pairwise,
        references={one.stem: _outputs(one) for one in files},
        digest=digest(content, score, pairwise)[:16],
    )


def _tasks_file(folder: Path) -> Path:
    named = [folder / name for name in ("tasks.jsonl", "tasks.json") if (folder / name).exists()]
    found = named or sorted(folder.rglob("*.parquet"))
    if len(found) != 1:
        raise DatasetError(
            f"{folder}: {len(found)} files of tasks; expected tasks.jsonl, or one .parquet",
            hint="The tasks are the v2 test split of allenai/WildBench on the hub.",
        )
    return found[0]


def _rows(path: Path) -> Iterator[tuple[str, Mapping[str, JSON]]]:
    """Rows of a JSONL, JSON or Parquet file, each with its place."""
    if path.suffix == ".jsonl":
        yield from json_lines(path)
        return
    try:
        content = _parquet(path) if path.suffix == ".parquet" else json.loads(read_file(path))
    except ValueError as error:
        raise DatasetError(f"{path}: cannot be read: {error}") from error
    if not isinstance(content, list):
        raise DatasetError(f"{path}: expected a list of rows")
    for number, row in enumerate(content, 1):
        if not isinstance(row, dict):
            raise DatasetError(f"{path}: row {number}: expected an object")
        yield f"{path}: row {number}", row


def _parquet(path: Path) -> list[dict[str, Any]]:
    import pyarrow.parquet

    try:
        rows: list[dict[str, Any]] = pyarrow.parquet.read_table(path).to_pylist()
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read: {error}") from error
    return rows


def _task(row: Mapping[str, JSON], place: str) -> WildTask:
    turns, checklist = row.get("conversation_input"), row.get("checklist")
    name = str(row.get("session_id") or row.get("id") or "")
    tags = [row.get("primary_tag"), *(row.get("secondary_tags") or ())]
    if not name or not isinstance(turns, list) or not turns or not isinstance(checklist, list):
        raise DatasetError(f"{place}: expected session_id, conversation_input and checklist")
    if unknown := [tag for tag in tags if tag not in CATEGORIES]:
        raise DatasetError(f"{place}: unknown tag {unknown[0]!r}", hint=", ".join(CATEGORIES))
    messages = tuple(_message(turn, place) for turn in turns)
    if messages[-1].role != "user":
        raise DatasetError(f"{place}: the conversation does not end with the user")
    return WildTask(
        id=name,
        before=messages[:-1],
        query=messages[-1].content,
        checklist=tuple(map(str, checklist)),
        categories=tuple(dict.fromkeys(CATEGORIES[str(tag)] for tag in tags)),
    )


def _message(turn: JSON, place: str) -> Message:
    role = turn.get("role") if isinstance(turn, dict) else None
    content = turn.get("content") if isinstance(turn, dict) else None
    if role not in ("system", "user", "assistant") or not isinstance(content, str):
        raise DatasetError(f"{place}: expected turns with a role and content")
    return Message(role, content)


def _outputs(path: Path) -> dict[str, str]:
    """A model's outputs by task; an output may be a list whose first entry counts."""
    found = {}
    for place, row in _rows(path):
        output = row.get("output")
        text = output[0] if isinstance(output, list) and output else output
        if not isinstance(text, str) or not row.get("session_id"):
            raise DatasetError(f"{place}: expected session_id and output")
        found[str(row["session_id"])] = text
    return found
