"""A run's chapter: the story first, then the evidence."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from seedbed.report.document import Card, Chapter, Section
from seedbed.report.figures import median
from seedbed.report.findings import findings
from seedbed.report.measures import Measured
from seedbed.report.sections.benchmarks import benchmarks, value
from seedbed.report.sections.by_hand import by_hand
from seedbed.report.sections.cases import cases
from seedbed.report.sections.cost import cost, seconds_of
from seedbed.report.sections.coverage import coverage
from seedbed.report.sections.landscape import landscape
from seedbed.report.sections.lengths import lengths
from seedbed.report.sections.novelty import novelty
from seedbed.report.sections.provenance import provenance
from seedbed.report.sections.steering import steering
from seedbed.report.sections.tuning import held_out, tuning
from seedbed.report.sections.yields import wasted, yields
from seedbed.report.wording import (
    brief,
    count,
    decimal,
    dollars,
    duration,
    percent,
    plural,
    short,
    spoken,
)

SECTIONS: Sequence[Callable[[Measured], Section | None]] = (
    yields,
    coverage,
    lengths,
    novelty,
    landscape,
    cost,
    steering,
    tuning,
    benchmarks,
    by_hand,
    cases,
    provenance,
)

PRACTICE = (
    "The teacher of this run is the built-in practice teacher, a program and not a language model: "
    "this data shows the machinery, and says nothing of the method."
)


def chapter(measured: Measured) -> Chapter:
    run = measured.run
    lead = (
        f"{spoken(run.recipe)} with {brief(str(run.manifest['teacher']), 60)}, "
        f"{run.manifest['status']}."
    )
    return Chapter(
        id=measured.id("run"),
        title=run.name,
        lead=f"{lead} {PRACTICE}" if run.practice else lead,
        cards=[_asked(measured), _came(measured), _cost(measured), *_student(measured)],
        findings=findings(measured),
        sections=[made for make in SECTIONS if (made := make(measured)) is not None],
    )


def _asked(measured: Measured) -> Card:
    manifest, run = measured.run.manifest, measured.run
    counts = manifest["counts"]
    unit = "new instruction" if "instructions" in counts else "example"
    wanted = counts["wanted"]
    details = [f"{name} {text}" for name, text in run.settings.items()]
    if "seeds" in counts:
        details.insert(0, f"from {plural(counts['seeds'], 'seed')}")
    if run.skills:
        kinds = plural(len(run.query_types), "query type")
        details.insert(0, f"from {plural(len(run.skills), 'skill')} and {kinds}")
    return Card(
        title="Asked for",
        value=plural(wanted, unit) if wanted else "every seed evolved",
        detail=[brief(text, 90) for text in details[:6]],
    )


def _came(measured: Measured) -> Card:
    run, counts = measured.run, measured.run.manifest["counts"]
    rows, lost = len(run.rows), len(wasted(measured))
    surplus = len(run.lost) - lost
    details = [
        f"{count(lost)} dropped, {percent(lost, rows + lost)} of all items",
        *([f"{count(surplus)} more were good, and not needed any more"] if surplus else []),
        f"{count(sum(1 for row in run.rows if row.repairs))} repaired",
    ]
    if "instructions" in counts:
        details.append(f"of {plural(counts['instructions'], 'new instruction')}")
    if rows:
        details.append(
            f"median {decimal(median(measured.instruction_words))} words asked, "
            f"{decimal(median(measured.response_words))} answered"
        )
    return Card(title="Came out", value=plural(rows, "example"), detail=details)


def _cost(measured: Measured) -> Card:
    manifest = measured.run.manifest
    spend, rows = manifest["spend"], len(measured.run.rows)
    unknown = any(stage["dollars"] is None for stage in manifest["stages"].values())
    details = [f"{count(spend['calls'])} calls, {short(spend['tokens'])} tokens"]
    if rows:
        each = "" if unknown else f"{dollars(1000 * spend['dollars'] / rows)} and "
        details.append(f"{each}{short(1000 * spend['tokens'] / rows)} tokens per 1,000 examples")
    if spent := seconds_of(manifest["sessions"]):
        sessions = plural(len(manifest["sessions"]), "session")
        details.append(f"{duration(spent)} in {sessions}")
    return Card(title="Cost", value=dollars(None if unknown else spend["dollars"]), detail=details)


def _student(measured: Measured) -> list[Card]:
    """The student, where one was trained or measured."""
    run = measured.run
    if run.results:
        first = run.results[0].measurements[0]
        others = [
            f"{spoken(r.benchmark)} {spoken(r.measurements[0].metric)} {value(r.measurements[0])}"
            for r in run.results[1:4]
        ]
        named = f"{spoken(first.benchmark)}, {spoken(first.metric)}"
        return [
            Card(
                title="Student",
                value=value(first),
                detail=[named, brief(first.student, 60), *others],
            )
        ]
    if run.training is None:
        return []
    epochs = held_out(run.training)
    if not epochs:
        batches = len(run.training.batches)
        moved = "seeds moved by what it said" if run.training.seeds else "no seed moved"
        steered = [f"{plural(batches, 'training step')}, {moved}"] if batches else []
        told = "steered the run" if run.training.seeds else "trained"
        return [Card(title="Student", value=told, detail=[*steered, "no held-out loss"])]
    best = min(epochs, key=lambda row: row[2])
    return [
        Card(
            title="Student",
            value=f"held-out loss {best[2]:.3f}",
            detail=[
                f"best of {plural(len(epochs), 'epoch')}: {count(best[0])}",
                f"{plural(len(run.training.steps), 'step')}; not measured by a benchmark",
            ],
        )
    ]
