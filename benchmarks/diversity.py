"""How diverse batches are that are drawn across clusters, beside random ones and other ways.

    python -m benchmarks.diversity DATA [--texts 4096] [--size 64]

DATA is a folder with `alpaca/alpaca_random_9k.json` and `alpaca_libre/alpaca_libre_tasks_v1.jsonl`,
`…_v2.jsonl`. Texts come in one by one, as they would from a teacher. Printed for each way: mean
cosine, Vendi score and evenness over 64 clusters of the whole pool, which no way has seen, each
the mean over all batches, the worst fifth of them by Vendi, and the milliseconds a batch takes.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from benchmarks.retention import candidates, kept_at

from seedbed.curate.diversity import Batches, Composition, Diversity, TfIdf, measured
from seedbed.curate.diversity.clusters import clusters
from seedbed.curate.diversity.measures import mean_of
from seedbed.streams import rng


def ways(base: Composition) -> Iterator[tuple[str, Composition]]:
    yield "as they come", replace(base, compose="arrival")
    yield "random", replace(base, compose="random")
    yield "clusters by size, any text of each", replace(base, pick="random")
    yield "clusters alike, the least like", replace(base, balance="equal")
    yield "clusters by size, the least like (default)", base
    yield "no clusters, the least like", replace(base, clusters=1)
    for count in (8, 16, 32, 64, 128):
        yield f"clusters = {count}", replace(base, clusters=count)
    for count in (1, 2, 4, 8, 16):
        yield f"lookahead = {count}", replace(base, lookahead=count, patience=4 * count)


def pools(folder: Path, texts: int) -> Iterator[tuple[str, list[str]]]:
    rows = json.loads((folder / "alpaca" / "alpaca_random_9k.json").read_text(encoding="utf-8"))
    yield "Alpaca, a random sample", [row["instruction"] for row in rows][:texts]
    found = list(candidates(folder / "alpaca_libre"))
    yield "gpt-3.5-turbo, novel at 0.85", kept_at(found, 0.85)[:texts]


def batches(texts: Sequence[str], how: Composition) -> tuple[list[tuple[int, ...]], float]:
    """The batches as places of texts, and the seconds that each took."""
    made: Batches[int] = Batches(how, text_of=lambda place: texts[place])
    began, found = time.perf_counter(), []
    for place in range(len(texts)):
        made.add(place)
        found += [batch.items for batch in made.due()]
    found += [batch.items for batch in made.rest()]
    return found, (time.perf_counter() - began) / len(found)


class Yardstick:
    """Measures batches by clusters of the whole pool."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = texts
        self._tfidf = TfIdf()
        self._tfidf.learn(texts)
        groups = clusters(self._tfidf(texts), 64, rng("yardstick"))
        self._label = {place: at for at, group in enumerate(groups) for place in group}

    def measure(self, places: Sequence[int]) -> Diversity:
        rows = self._tfidf([self._texts[place] for place in places])
        return measured(rows, [self._label[place] for place in places], clusters=64)


def row(name: str, yardstick: Yardstick, texts: Sequence[str], how: Composition) -> str:
    made, seconds = batches(texts, how)
    found = [yardstick.measure(places) for places in made]
    mean = mean_of(found)
    worst = float(np.quantile([one.vendi for one in found], 0.2))
    return (
        f"| {name} | {mean.similarity:.4f} | {mean.vendi:.1f} | {worst:.1f} | "
        f"{mean.entropy:.3f} | {1000 * seconds:.0f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--texts", type=int, default=4096)
    parser.add_argument("--size", type=int, default=64)
    options = parser.parse_args()
    for title, texts in pools(options.data, options.texts):
        yardstick, base = Yardstick(texts), Composition(size=options.size)
        print(f"\n{title}: {len(texts):,} texts, batches of {base.size}\n")
        print("| way | mean cosine | Vendi | its 20 % quantile | evenness | ms a batch |")
        print("|---|---|---|---|---|---|")
        for name, how in ways(base):
            print(row(name, yardstick, texts, how), flush=True)


if __name__ == "__main__":
    main()
