"""A report as Markdown: the same story, with a table where the page has a plot."""

from __future__ import annotations

from collections.abc import Iterator

from seedbed.files import well_formed
from seedbed.markup import escaped, fenced
from seedbed.report.document import (
    Block,
    Chapter,
    Document,
    Figure,
    Prose,
    Sample,
    Samples,
    Section,
    Table,
)

_WEIGHTS = {"alarm": "Mend", "look": "Look", "good": "Good", "note": "Note"}


def markdown(document: Document) -> str:
    lines = [f"# {escaped(document.title)}", escaped(document.made)]
    for chapter in document.chapters:
        lines += _chapter(chapter, alone=len(document.chapters) == 1)
    return well_formed("\n\n".join(lines) + "\n")


def _chapter(chapter: Chapter, *, alone: bool) -> Iterator[str]:
    yield f"## {'The story' if alone else escaped(chapter.title)}"
    yield escaped(chapter.lead)
    yield "\n".join(
        f"- **{escaped(card.title)}: {escaped(card.value)}**"
        + "".join(f"\n  - {escaped(line)}" for line in card.detail)
        for card in chapter.cards
    )
    if chapter.findings:
        yield "### What to look at"
        yield "\n".join(
            f"- **{_WEIGHTS[finding.weight]}:** {escaped(finding.text)}"
            for finding in chapter.findings
        )
    for section in chapter.sections:
        yield from _section(section)


def _section(section: Section) -> Iterator[str]:
    yield f"### {escaped(section.title)}"
    if section.lead:
        yield escaped(section.lead)
    for block in section.blocks:
        yield from _block(block)


def _block(block: Block) -> Iterator[str]:
    match block:
        case Prose(text):
            yield escaped(text)
        case Table():
            yield from _table(block)
            yield from _source(block.source)
        case Figure():
            yield f"#### {escaped(block.question)}"
            yield escaped(block.answer)
            yield from _table(block.table)
            yield from _source(block.source)
        case Samples():
            yield f"#### {escaped(block.title)}"
            yield escaped(block.about)
            for item in block.items:
                yield from _sample(item)
            yield from _source(block.source)


def _table(table: Table) -> Iterator[str]:
    if table.caption:
        yield f"**{escaped(table.caption)}**"
    rules = ["---", *(["---" if table.texts else "---:"] * (len(table.head) - 1))]
    rows = [table.head, rules, *table.rows]
    yield "\n".join(
        "| " + " | ".join(cell if row is rules else escaped(cell) for cell in row) + " |"
        for row in rows
    )


def _source(source: str) -> Iterator[str]:
    if source:
        yield f"*Source: {escaped(source)}*"


def _sample(sample: Sample) -> Iterator[str]:
    yield f"**{escaped(sample.title)}.** {escaped(sample.why)}"
    for name, text in sample.texts:
        yield f"{escaped(name)}:"
        yield fenced(text)
    if sample.facts:
        yield "; ".join(f"{escaped(name)}: {escaped(value)}" for name, value in sample.facts)
