"""How long instructions and responses are."""

from __future__ import annotations

from collections.abc import Sequence

from seedbed.report.document import Figure, Section, Table
from seedbed.report.figures import binned, median, quantile, vertical
from seedbed.report.measures import Measured
from seedbed.report.wording import count, decimal, percent

SHARES = ((0.01, "1 %"), (0.1, "10 %"), (0.5, "half"), (0.9, "90 %"), (0.99, "99 %"))


def lengths(measured: Measured) -> Section | None:
    if not measured.run.rows:
        return None
    return Section(
        id=measured.id("lengths"),
        title="Lengths",
        lead="In words, which are what white space separates; a tokenizer makes about a third more "
        "tokens of English. An instruction is counted with its input.",
        blocks=[
            _histogram(
                measured,
                "instruction-words",
                "How long are the instructions?",
                measured.instruction_words,
                "@1",
            ),
            _histogram(
                measured,
                "response-words",
                "How long are the responses?",
                measured.response_words,
                "@2",
            ),
        ],
    )


def _histogram(
    measured: Measured, name: str, question: str, words: Sequence[int], token: str
) -> Figure:
    bins = binned(words)
    middle = median(words)
    names = bins.names()
    trace = {
        "type": "bar",
        "x": list(range(len(names))),
        "y": list(bins.counts),
        "hovertext": [
            f"{span} words: {size:,}" for span, size in zip(names, bins.counts, strict=True)
        ],
        "hoverinfo": "text",
        "marker": {"color": token},
    }
    every = max(1, len(names) // 8)
    ticks = list(range(0, len(names), every))
    width = bins.edges[1] - bins.edges[0]
    layout = {
        "bargap": 0.06,
        "xaxis": {
            "title": {"text": "words"},
            "tickvals": ticks,
            "ticktext": [str(bins.edges[place]) for place in ticks],
            "showgrid": False,
        },
        "yaxis": {"title": {"text": "examples"}},
    } | vertical((middle - bins.edges[0] + 0.5) / width - 0.5, f"median {decimal(middle)}")
    rows = [(f"{share} have at most", f"{quantile(words, at):,} words") for at, share in SHARES]
    rows = [("shortest", f"{min(words):,} words"), *rows, ("longest", f"{max(words):,} words")]
    most = quantile(words, 0.9)
    within = sum(1 for size in words if size <= most)
    beyond = (
        f" The last bar holds the {count(bins.beyond)} that are longer still."
        if bins.beyond
        else ""
    )
    return Figure(
        id=measured.id(name),
        question=question,
        answer=f"Half have at most {decimal(middle)} words and {percent(within, len(words))} "
        f"at most {most:,.0f}.{beyond}",
        data=[trace],
        layout=layout,
        table=Table(head=("of the examples", "length"), rows=rows),
        source=f"Words counted in {measured.run.rows_source}.",
        height=280,
    )
