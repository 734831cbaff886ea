"""Small benchmarks of our own in the official layouts: no published text, no number."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from seedbed.records import JSON

TAGS = ("Creative Writing", "Planning", "Math", "Advice seeking", "Coding & Debugging")


def write_rows(path: Path, rows: Iterable[JSON]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def write_mt_bench(folder: Path) -> Path:
    """Three questions: one with a reference, one with a temperature of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    write_rows(
        folder / "question.jsonl",
        [
            {"question_id": 1, "category": "writing", "turns": ["Write {answer}.", "Shorter."]},
            {"question_id": 2, "category": "math", "turns": ["2 + 3?", "Twice that?"]},
            {"question_id": 3, "category": "x", "turns": ["A", "B"], "required_temperature": 0.3},
        ],
    )
    templates = {
        "single-v1": "Q {question} A {answer} E",
        "single-math-v1": "Q {question} R {ref_answer_1} A {answer} E",
        "single-v1-multi-turn": "Q {question_1} {answer_1} {question_2} {answer_2} E",
        "single-math-v1-multi-turn": "R {ref_answer_1} {ref_answer_2} "
        "Q {question_1} {answer_1} {question_2} {answer_2} E",
    }
    write_rows(
        folder / "judge_prompts.jsonl",
        [
            {"name": name, "system_prompt": f"You judge: {name}.", "prompt_template": template}
            for name, template in templates.items()
        ],
    )
    write_rows(
        folder / "reference_answer_gpt-4.jsonl",
        [{"question_id": 2, "choices": [{"turns": ["5", "10"]}]}],
    )
    return folder


def wild_task(name: str, tag: str, *more: str) -> dict[str, JSON]:
    return {
        "session_id": name,
        "conversation_input": [
            {"role": "user", "content": "Hello", "language": "English"},
            {"role": "assistant", "content": "Hi"},
            {"role": "user", "content": f"Query of {name}"},
        ],
        "checklist": ["Is it right?", "Is it {$model_output}?"],
        "primary_tag": tag,
        "secondary_tags": list(more),
    }


def write_wild_bench(
    folder: Path, *, references: Mapping[str, Mapping[str, str]] | None = None
) -> Path:
    """Ten tasks, two in each category, all in the creative one as well."""
    folder.mkdir(parents=True, exist_ok=True)
    tasks = (wild_task(f"t{number}", TAGS[number % 5], "Editing") for number in range(10))
    write_rows(folder / "tasks.jsonl", tasks)
    (folder / "eval_template.score.v2.md").write_text(
        "H {$history} Q {$user_query} O {$model_output} C {$checklist} E"
    )
    (folder / "eval_template.pairwise.v2.md").write_text(
        "H {$history} Q {$user_query} A {$candidate_A} B {$candidate_B} C {$checklist} E"
    )
    for name, outputs in (references or {}).items():
        (folder / "references").mkdir(exist_ok=True)
        rows = [{"session_id": task, "output": [text]} for task, text in outputs.items()]
        (folder / "references" / f"{name}.json").write_text(json.dumps(rows))
    return folder


def write_ifeval(folder: Path) -> Path:
    """Two prompts, three instructions."""
    folder.mkdir(parents=True, exist_ok=True)
    write_rows(
        folder / "input_data.jsonl",
        [
            {
                "key": 1,
                "prompt": "No commas. Two bullets.",
                "instruction_id_list": [
                    "punctuation:no_comma",
                    "detectable_format:number_bullet_lists",
                ],
                "kwargs": [{}, {"num_bullets": 2}],
            },
            {
                "key": 2,
                "prompt": "In capitals.",
                "instruction_id_list": ["change_case:english_capital"],
                "kwargs": [{"relation": None}],
            },
        ],
    )
    return folder
