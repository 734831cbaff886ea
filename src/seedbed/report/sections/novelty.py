"""How novel the instructions are to each other, and which are near-duplicates."""

from __future__ import annotations

from math import sqrt

from seedbed.report.document import Block, Figure, Section, Table
from seedbed.report.figures import median, vertical
from seedbed.report.measures import Measured
from seedbed.report.similarity import ALIKE, Similarity
from seedbed.report.wording import brief, count, decimal, percent, plural

BINS = 40
SHOWN = 12


def novelty(measured: Measured) -> Section | None:
    if not measured.similarity.nearest:
        return None
    blocks: list[Block] = [_histogram(measured)]
    if measured.similarity.alike:
        blocks.append(_pairs(measured))
    if measured.similarity.copies:
        blocks.append(_copies(measured))
    return Section(
        id=measured.id("novelty"),
        title="Novelty",
        lead=f"Each instruction is compared with every other one of the run. ROUGE-L (F1) is 1 for "
        f"the same words in the same order; Self-Instruct does not let an instruction in that is "
        f"over {ALIKE} to any before it, and so this report calls two alike.",
        blocks=blocks,
    )


def basis(similarity: Similarity) -> str:
    """What the scores rest on, in a sentence."""
    if similarity.sampled:
        return (
            f"Exact ROUGE-L of a random sample of {count(similarity.asked)} of "
            f"{count(similarity.pool)} distinct instructions, each against all others"
        )
    return (
        f"Exact ROUGE-L of all {count(similarity.pool)} distinct instructions, each against all "
        "others"
    )


def alike_share(similarity: Similarity) -> str:
    """The share of instructions that are alike to another, with its margin where it is a sample."""
    share = len(similarity.alike) / similarity.asked
    if not similarity.sampled:
        return percent(len(similarity.alike), similarity.asked)
    margin = 1.96 * sqrt(max(share * (1 - share), 0.0025) / similarity.asked)
    return f"{percent(len(similarity.alike), similarity.asked)} (± {100 * margin:.1f} points)"


def _source(measured: Measured) -> str:
    return f"{basis(measured.similarity)}, from {measured.run.rows_source}."


def _histogram(measured: Measured) -> Figure:
    similarity = measured.similarity
    scores = [near.score for near in similarity.nearest]
    counts = [0] * BINS
    for score in scores:
        counts[min(int(score * BINS), BINS - 1)] += 1
    centres = [round((place + 0.5) / BINS, 4) for place in range(BINS)]
    trace = {
        "type": "bar",
        "x": centres,
        "y": counts,
        "width": 0.92 / BINS,
        "marker": {"color": ["@drop" if centre > ALIKE else "@1" for centre in centres]},
        "hovertemplate": "about %{x:.2f}: %{y}<extra></extra>",
    }
    rows = [
        (f"{low / 10:.1f} to {(low + 1) / 10:.1f}", count(size), percent(size, len(scores)))
        for low in range(10)
        if (size := sum(counts[low * BINS // 10 : (low + 1) * BINS // 10]))
    ]
    return Figure(
        id=measured.id("nearest"),
        question="How similar is each instruction to its nearest neighbour?",
        answer=f"Half have a nearest neighbour of at most {median(scores):.2f}; "
        f"{alike_share(similarity)} are over {ALIKE} to another.",
        data=[trace],
        layout={
            "xaxis": {"title": {"text": "ROUGE-L to the nearest other"}, "range": [0, 1]},
            "yaxis": {"title": {"text": "instructions"}},
        }
        | vertical(ALIKE, f"alike above {ALIKE}"),
        table=Table(head=("ROUGE-L", "instructions", "share"), rows=rows),
        source=_source(measured),
        height=280,
    )


def _pairs(measured: Measured) -> Table:
    """The most similar pairs, each once."""
    seen: set[frozenset[str]] = set()
    rows = []
    for near in measured.similarity.alike:
        pair = frozenset({near.row.instruction, near.other})
        if pair in seen or len(pair) == 1:
            continue
        seen.add(pair)
        rows.append((decimal(near.score), brief(near.row.instruction, 220), brief(near.other, 220)))
    return Table(
        head=("ROUGE-L", "instruction", "nearest other"),
        rows=rows[:SHOWN],
        texts=True,
        caption=f"Which are most alike? {min(SHOWN, len(rows))} of {plural(len(rows), 'pair')} "
        f"over {ALIKE} that are not the same text",
        source=_source(measured),
    )


def _copies(measured: Measured) -> Table:
    copies = measured.similarity.copies
    return Table(
        head=("times", "instruction"),
        rows=[(count(number), brief(text, 300)) for text, number in copies[:SHOWN]],
        texts=True,
        caption=f"Which are the same to the letter? {min(SHOWN, len(copies))} of "
        f"{plural(len(copies), 'text')}",
        source=f"All {count(measured.similarity.pool)} distinct instructions of "
        f"{measured.run.rows_source}.",
    )
