"""What to look at in the data that a run made: likeness, coverage, lengths, repairs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from seedbed.report.document import Finding
from seedbed.report.figures import median
from seedbed.report.measures import Measured
from seedbed.report.sections.coverage import evenness, unused
from seedbed.report.sections.novelty import alike_share
from seedbed.report.similarity import ALIKE
from seedbed.report.wording import brief, count, decimal, percent, plural, spoken

MANY_ALIKE = 0.05
"""Share of near-duplicates from which they are worth a look; five times as many are an alarm."""

OPENING = 0.1
"""Share of the instructions that begin with the same three words."""

OPENED = 20
"""Instructions from which their openings say something."""

FEW_WORDS = 5
SHORT = 0.1
"""Share of the responses with so few words, or that repeat another."""


def skills(measured: Measured) -> Iterator[Finding]:
    """Skills that never appear, or too often."""
    if not measured.skills:
        return
    missing = unused(measured)
    if missing:
        named = ", ".join(map(spoken, missing[:3])) + (" and others" if len(missing) > 3 else "")
        yield measured.finding(
            "look",
            f"{plural(len(missing), 'skill')} of {count(len(measured.run.skills))} in the pool "
            f"never appear{'s' if len(missing) == 1 else ''}: {named}.",
            "coverage",
        )
    elif measured.run.skills:
        yield measured.finding(
            "good",
            f"All {count(len(measured.run.skills))} skills of the pool appear, as evenly as "
            f"{decimal(evenness(list(measured.skills.values())))} equally frequent ones would.",
            "coverage",
        )
    first, most = next(iter(measured.skills.items()))
    mean = sum(measured.skills.values()) / len(measured.skills)
    if most > 3 * mean:
        yield measured.finding(
            "look",
            f"{spoken(first)} is over-represented: {plural(most, 'example')}, "
            f"{decimal(most / mean)} times as many as the average skill.",
            "coverage",
        )


def similarity(measured: Measured) -> Iterator[Finding]:
    """Near-duplicates, and texts that repeat to the letter."""
    found = measured.similarity
    if not found.nearest:
        return
    alike = len(found.alike)
    if not alike:
        basis = f"of {count(found.asked)} sampled" if found.sampled else "of the"
        yield measured.finding(
            "good",
            f"None {basis} instructions is alike to another (ROUGE-L above {ALIKE}).",
            "novelty",
        )
    else:
        share = alike / found.asked
        yield measured.finding(
            "alarm" if share > 0.25 else "look" if share > MANY_ALIKE else "note",
            f"{alike_share(found)} of the instructions are near-duplicates of another one "
            f"(ROUGE-L above {ALIKE}). Curating with --novelty {ALIKE} removes such.",
            "novelty",
        )
    if found.redundant:
        text, number = found.copies[0]
        yield measured.finding(
            "look",
            f"{plural(found.redundant, 'instruction')} "
            f"{'repeats' if found.redundant == 1 else 'repeat'} another to the letter; the "
            f"commonest stands there {count(number)} times: “{brief(text, 80)}”.",
            "novelty",
        )


def openings(measured: Measured) -> Iterator[Finding]:
    """Instructions that all begin alike."""
    if len(measured.run.instructions) < OPENED:
        return
    first, most = next(iter(measured.openings.items()))
    if most > OPENING * len(measured.run.instructions):
        yield measured.finding(
            "look",
            f"{percent(most, len(measured.run.instructions))} of the instructions begin with "
            f"“{brief(first, 60)}”.",
            "coverage",
        )


def responses(measured: Measured) -> Iterator[Finding]:
    """Responses of a few words, and those that repeat."""
    words = measured.response_words
    few = sum(1 for size in words if size < FEW_WORDS)
    if few:
        yield measured.finding(
            "look" if few > SHORT * len(words) else "note",
            f"{percent(few, len(words))} of the responses ({count(few)}) have fewer than "
            f"{FEW_WORDS} words; the median is {decimal(median(words))}.",
            "lengths",
        )
    said = Counter(row.response for row in measured.run.rows)
    repeated = sum(number - 1 for number in said.values())
    if repeated > SHORT * len(words):
        text, number = said.most_common(1)[0]
        yield measured.finding(
            "look",
            f"{percent(repeated, len(words))} of the responses repeat another to the letter; the "
            f"commonest, {count(number)} times: “{brief(text, 60)}”.",
            "lengths",
        )


def repairs(measured: Measured) -> Iterator[Finding]:
    """What the filters mended."""
    repairs = Counter(repair for row in measured.run.rows for repair in row.repairs)
    if repairs:
        repaired = sum(1 for row in measured.run.rows if row.repairs)
        yield measured.finding(
            "note",
            f"{plural(repaired, 'example')} ({percent(repaired, len(measured.run.rows))}) "
            f"{'was' if repaired == 1 else 'were'} repaired before being kept, most often: "
            f"{spoken(repairs.most_common(1)[0][0])}.",
            "samples",
        )
