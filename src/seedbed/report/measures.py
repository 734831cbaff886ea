"""What is computed once of a run and looked at by several sections."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from seedbed.report.document import Finding, Weight
from seedbed.report.reading import RunData
from seedbed.report.similarity import Similarity, measure


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A run and its numbers.

    `prefix` begins the ids of its sections. Words are what white space separates. `skills` and
    `query_types` count examples, `openings` instructions by their first three words, and `reasons`
    drops.
    """

    run: RunData
    prefix: str
    instruction_words: Sequence[int]
    response_words: Sequence[int]
    skills: Mapping[str, int]
    query_types: Mapping[str, int]
    steps: Mapping[str, int]
    openings: Mapping[str, int]
    reasons: Mapping[str, int]
    similarity: Similarity

    def id(self, name: str) -> str:
        """A section's or figure's id, unique in the report."""
        return f"{self.prefix}{name}"

    def finding(self, weight: Weight, text: str, section: str) -> Finding:
        """A finding of this run, with the section that shows it."""
        return Finding(weight=weight, text=text, section=self.id(section))


def measured(run: RunData, *, prefix: str) -> Measured:
    rows = run.rows
    return Measured(
        run=run,
        prefix=prefix,
        instruction_words=[len(row.asked.split()) for row in rows],
        response_words=[len(row.response.split()) for row in rows],
        skills=ordered(Counter(skill for row in rows for skill in row.skills)),
        query_types=ordered(Counter(row.query_type for row in rows if row.query_type)),
        steps=ordered(Counter(row.step.split(":")[0] for row in rows if row.step)),
        openings=ordered(Counter(opening(row.instruction) for row in run.instructions)),
        reasons=ordered(Counter(lost.reason for lost in run.lost)),
        similarity=measure(run.instructions),
    )


def opening(text: str) -> str:
    """The first three words, without regard to capitals."""
    return " ".join(text[:200].lower().split()[:3])


def ordered(counts: Mapping[str, int]) -> dict[str, int]:
    """Largest first, equal ones by name."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
