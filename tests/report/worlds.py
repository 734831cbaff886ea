"""Runs to report on: made by the practice teacher, by hand, or full of hostile text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from benchmarks.view import manifest

from seedbed.evaluate.measurement import Item, Measurement, Result, write_result
from seedbed.export import drop_to_json, example_to_json
from seedbed.files import write_jsonl, write_text
from seedbed.records import Attempt, Drop, Dropped, Example, Instruction, Origin
from seedbed.report.document import Block, Chapter, Document, Figure, Samples, Section, Table

HOSTILE = (
    "</script><script>window.hacked = 1</script>",
    "<img src=x onerror='window.hacked = 2'>",
    '"><svg onload="window.hacked = 3">',
    "</pre></article><iframe src='javascript:parent.hacked=4'></iframe>",
    "<a href='javascript:window.hacked=5'>press</a> & <b>bold</b>",
    "| a | b |\n|---|---|\n~~~~ ``` [x](javascript:1) <style>body{display:none}</style>",
    "\u202eright to left\u2066 \x1b[31m\x00 \u2028 end",
    "@1 %{text} $x^2$ {{ 7 * 7 }} <!-- ",
)
"""What a model could write to get out of the place it is shown in."""


def example(text: str, response: str = "An answer of five words.", **origin: Any) -> Example:
    made = Origin(**{"recipe": "skillmix", "step": "three_turn", **origin})
    return Example(instruction=Instruction(text=text, origin=made), response=response)


def run_of(
    path: Path,
    examples: Sequence[Example],
    drops: Sequence[tuple[Dropped, Drop]] = (),
    **changed: Any,
) -> Path:
    """A finished run of these examples and drops, with a manifest that says so."""
    path.mkdir(parents=True, exist_ok=True)
    write_jsonl(path / "examples.jsonl", map(example_to_json, examples))
    write_jsonl(path / "drops.jsonl", (drop_to_json(*drop) for drop in drops))
    content = manifest(len(examples))
    content["counts"] |= {"wanted": len(examples), "kept": len(examples), "dropped": len(drops)}
    write_text(path / "manifest.json", json.dumps(content | changed))
    return path


def hostile_run(path: Path) -> Path:
    """Hostile text in every place that a model or a file can fill."""
    examples = [
        example(
            f"{text} number {place}, in some words",
            f"{text} {text}",
            skills=(text[:60], HOSTILE[(place + 1) % len(HOSTILE)][:60]),
            query_type=text[:40],
            round=place % 3,
        )
        for place, text in enumerate(HOSTILE * 3)
    ]
    drops: list[tuple[Dropped, Drop]] = [
        (Attempt(text=text), Drop(reason=text[:30], evidence={"<b>key</b>": text, "score": 0.9}))
        for text in HOSTILE
    ]
    drops += [
        (Attempt(text=text), Drop(reason="too_similar", evidence={"text": HOSTILE[0]}))
        for text in HOSTILE
    ]
    folder = run_of(path, examples, drops, teacher=HOSTILE[1], notes=[HOSTILE[0]])
    pool = {
        "skills": [{"name": text, "topic": text} for text in HOSTILE],
        "query_types": [{"name": text} for text in HOSTILE],
    }
    write_text(folder / "skills.json", json.dumps(pool))
    measurement = Measurement(
        benchmark="bench", metric="score", value=1.0, n=1, expected_n=2, student=HOSTILE[2]
    )
    result = Result(measurements=(measurement,), items=(Item(id="1", scores={}, chars=1),))
    write_result(result, folder / "evaluation")
    return folder


def trained(folder: Path, *, epochs: Sequence[float] = (1.2, 0.9, 1.1), steps: int = 30) -> None:
    """What `seedbed train --signals` leaves, as far as a report reads it."""
    training = folder / "training"
    training.mkdir()
    write_text(training / "training.json", json.dumps({"base": "tiny", "seconds": 65.0}))
    write_jsonl(
        training / "log.jsonl",
        [
            {"step": n, "epoch": 1, "learning_rate": 1e-4, "loss": 3 / n, "grad_norm": 1.0 + n % 2}
            for n in range(1, steps + 1)
        ],
    )
    size = steps // len(epochs)
    write_jsonl(
        training / "epochs.jsonl",
        [
            {"epoch": n, "step": n * size, "held_out_loss": loss, "checkpoint": f"epoch-{n}"}
            for n, loss in enumerate(epochs, 1)
        ],
    )
    write_jsonl(
        training / "signals.jsonl",
        [
            {"step": n, "id": f"{n}-{k}", "loss": float(n + k), "grad_norm": 2.0}
            for n in range(1, 5)
            for k in range(2)
        ],
    )


def measured(folder: Path, *, value: float = 44.6, student: str = "student") -> None:
    """A benchmark's result beside the run's checkpoint."""
    whole = Measurement(
        benchmark="alpaca_eval",
        metric="win_rate",
        value=value,
        low=value - 2,
        high=value + 2,
        n=800,
        expected_n=805,
        student=student,
        judge="judge-1",
        tool="seedbed 0.1.0",
    )
    place = folder / "training" / "checkpoints" / "epoch-02" / "evaluation"
    items = (Item(id="1", scores={"win_rate": 100.0}, chars=3),)
    write_result(Result(measurements=(whole,), items=items), place)


def chapter_of(document: Document, place: int = 0) -> Chapter:
    return document.chapters[place]


def section_of(document: Document, name: str) -> Section:
    (found,) = [s for chapter in document.chapters for s in chapter.sections if s.id == name]
    return found


def blocks_of(document: Document) -> Iterator[Block]:
    for chapter in document.chapters:
        for section in chapter.sections:
            yield from section.blocks


def figure_of(document: Document, name: str) -> Figure:
    (found,) = [b for b in blocks_of(document) if isinstance(b, Figure) and b.id == name]
    return found


def tables_of(document: Document) -> list[Table]:
    return [b for b in blocks_of(document) if isinstance(b, Table)]


def samples_of(document: Document) -> list[Samples]:
    return [b for b in blocks_of(document) if isinstance(b, Samples)]


def findings_of(document: Document) -> list[str]:
    return [finding.text for chapter in document.chapters for finding in chapter.findings]


class Page(HTMLParser):
    """What a browser would see: elements with their attributes, in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, Mapping[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[Mapping[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]
