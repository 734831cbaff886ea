"""The novelty index beside `rouge_score` and `rapidfuzz`: agreement, speed and growth.

    python benchmarks/novelty.py ../shared/data                     all of it, some five minutes
    python benchmarks/novelty.py ../shared/data agreement online    some of it

Parts: agreement, rivals, online, top, mean, growth, growth-closer. Each runs in a process of its
own, so that its CPU seconds and its peak of resident memory are its own. Nothing is compiled, so
there is no warm-up to leave out. What a rival would need for all pairs of the pool is extrapolated
from a sample of pairs, and the row says so.

Pools beyond Alpaca's 52,002 instructions go on with perturbed ones: an instruction drawn at
random, in which each token is replaced with the stated probability by one drawn from all tokens.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import islice
from math import comb, log
from multiprocessing import get_context
from pathlib import Path
from random import Random
from resource import RUSAGE_SELF, getrusage
from time import process_time

import numpy as np
from rapidfuzz.distance import LCSseq
from rapidfuzz.process import cdist
from rich.console import Console
from rich.table import Table
from rouge_score.rouge_scorer import RougeScorer

from seedbed.curate.novelty import NoveltyIndex
from seedbed.curate.rouge import rouge_words

Row = tuple[str, str, str]

SAMPLE = 3_000
MARKS = (52_002, 100_000, 400_000, 1_000_000)


def alpaca(data: Path, name: str = "alpaca_data.json") -> list[str]:
    rows = json.loads((data / "alpaca" / name).read_text("utf-8"))
    return [row["instruction"] for row in rows]


def seeds(data: Path) -> list[str]:
    lines = (data / "self_instruct/seed_tasks.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line)["instruction"] for line in lines]


def as_characters(texts: list[str]) -> list[str]:
    """Each token as one character, which is what `rapidfuzz` is quickest with."""
    numbers: dict[str, int] = {}
    words = [rouge_words(text) for text in texts]
    return [
        "".join(chr(0xF0000 + numbers.setdefault(word, len(numbers))) for word in each)
        for each in words
    ]


def close_pairs(texts: list[str], limit: float) -> dict[tuple[int, int], float]:
    """Every pair (later, earlier) of texts with an F1 of `limit` or more, by brute force."""
    coded = as_characters(texts)
    lengths = np.array([max(1, len(each)) for each in coded])
    found = {}
    for start in range(0, len(coded), 256):
        rows = coded[start : start + 256]
        common = cdist(rows, coded[: start + 256], scorer=LCSseq.similarity, dtype=np.uint16)
        near = 2 * common >= (limit - 0.01) * (
            lengths[start : start + 256, None] + lengths[: common.shape[1]]
        )
        for row, earlier in zip(*near.nonzero(), strict=True):
            later = start + int(row)
            if earlier < later:
                p, r = (int(common[row, earlier]) / int(lengths[each]) for each in (later, earlier))
                score = 2 * p * r / (p + r)
                if score >= limit:
                    found[later, int(earlier)] = score
    return found


def agreement(data: Path) -> Iterator[Row]:
    human = seeds(data)
    texts = human + alpaca(data, "alpaca_random_9k.json")
    pairs = close_pairs(texts, 0.5)
    scorer, rng = RougeScorer(["rougeL"], use_stemmer=False), Random(0)
    sample = {tuple(sorted(rng.sample(range(len(texts)), 2), reverse=True)) for _ in range(SAMPLE)}
    index = NoveltyIndex(threshold=0)
    wrong = 0
    for later, earlier in {*pairs, *sample}:
        index.add(texts[earlier])
        drop = index.check(texts[later])
        index.remove(texts[earlier])
        expected = scorer.score(texts[earlier], texts[later])["rougeL"].fmeasure
        wrong += (drop.evidence["score"] if drop else 0.0) != expected
    yield (
        "scores unlike rouge_score's",
        str(wrong),
        f"{len({*pairs, *sample}):,} pairs: all of 0.5 and more, {SAMPLE:,} at random",
    )
    for limit in (0.7, 0.85):
        differing, over = decisions(texts, pairs, limit)
        among = sum(later < len(human) for later, _ in over)
        yield (
            f"decisions unlike brute force at {limit}",
            str(differing),
            f"all {comb(len(texts), 2):,} pairs; {len(over)} over, {among} of them seed-seed",
        )


def decisions(
    texts: list[str], pairs: dict[tuple[int, int], float], limit: float
) -> tuple[int, list[tuple[int, int]]]:
    """How many texts the index judges otherwise than the pairs say, all being in the pool."""
    over = [pair for pair, score in pairs.items() if score > limit]
    similar = {later for later, _ in over}
    index, differing = NoveltyIndex(threshold=limit), 0
    for number, text in enumerate(texts):
        differing += (index.check(text) is not None) != (number in similar)
        index.add(text)
    return differing, over


def rivals(data: Path) -> Iterator[Row]:
    texts, rng = alpaca(data), Random(0)
    pairs = [rng.sample(range(len(texts)), 2) for _ in range(SAMPLE)]
    every = comb(len(texts), 2)
    words, coded = [rouge_words(text) for text in texts], as_characters(texts)
    scorer = RougeScorer(["rougeL"], use_stemmer=False)
    candidates: dict[str, Callable[[int, int], object]] = {
        "rouge_score, scorer.score": lambda a, b: scorer.score(texts[a], texts[b]),
        "rapidfuzz LCSseq, lists of words": lambda a, b: LCSseq.similarity(words[a], words[b]),
    }
    for name, compare in candidates.items():
        start = process_time()
        for one, other in pairs:
            compare(one, other)
        each = (process_time() - start) / len(pairs)
        yield extrapolated(name, each, every)
    start = process_time()
    cdist(coded[:100], coded, scorer=LCSseq.similarity, dtype=np.uint16)
    each = (process_time() - start) / (100 * len(coded))
    yield extrapolated("rapidfuzz cdist, a character per word", each, every)


def extrapolated(name: str, each: float, pairs: int) -> Row:
    return (
        name,
        f"{each * pairs:,.0f} s",
        f"{each * 1e6:.3f} µs/pair, extrapolated to {pairs:.3g} pairs",
    )


def online(data: Path) -> Iterator[Row]:
    texts = alpaca(data)
    index = NoveltyIndex(threshold=0.7)
    start = process_time()
    drops = [index.admit(text) for text in texts]
    seconds = process_time() - start
    yield (
        "admit, one by one",
        f"{seconds:.2f} s",
        f"{len(texts):,} offered, {len(index):,} admitted",
    )
    start = process_time()
    again = NoveltyIndex(threshold=0.7)
    again.add_all(index)
    yield "made again from its texts", f"{process_time() - start:.2f} s", f"{len(again):,} texts"
    pairs = close_pairs(texts, 0.5)
    for limit in (0.7, 0.6):
        judged = [drop is not None for drop in NoveltyIndex(threshold=limit).admit_all(texts)]
        if limit == 0.7:
            judged = [drop is not None for drop in drops]
        expected = brute_force(pairs, len(texts), limit)
        differing = sum(one != other for one, other in zip(judged, expected, strict=True))
        yield (
            f"decisions unlike brute force at {limit}",
            str(differing),
            f"all {comb(len(texts), 2):,} pairs, {sum(expected):,} texts dropped",
        )


def brute_force(pairs: dict[tuple[int, int], float], count: int, limit: float) -> list[bool]:
    """Which texts are dropped when each is compared with those admitted before it."""
    dropped = [False] * count
    for (later, earlier), score in sorted(pairs.items()):
        if score > limit and not dropped[earlier]:
            dropped[later] = True
    return dropped


def top(data: Path) -> Iterator[Row]:
    yield with_scores(data, "top 10 of each, then admit", lambda index, text: index.nearest(text))


def mean(data: Path) -> Iterator[Row]:
    yield with_scores(data, "mean of each, then admit", lambda index, text: index.mean(text))


def with_scores(data: Path, name: str, ask: Callable[[NoveltyIndex, str], object]) -> Row:
    texts, index = alpaca(data), NoveltyIndex(threshold=0.7)
    before, start = peak(), process_time()
    for text in texts:
        ask(index, text)
        index.admit(text)
    return name, f"{process_time() - start:.2f} s", memory(before)


def growth(data: Path, *, replaced: float) -> Iterator[Row]:
    index, seconds, at = NoveltyIndex(threshold=0.7), 0.0, {}
    source, offered = perturbed(alpaca(data), replaced), 0
    before = peak()
    for mark in MARKS:
        while offered < mark:
            batch = list(islice(source, min(1000, mark - offered)))
            start = process_time()
            index.admit_all(batch)
            seconds += process_time() - start
            offered += len(batch)
        at[mark] = seconds
        counts = f"{len(index):,} admitted, {memory(before)}"
        yield f"{mark:,} offered, {replaced} replaced", f"{seconds:.1f} s", counts
    exponent = log(at[MARKS[-1]] / at[MARKS[0]]) / log(MARKS[-1] / MARKS[0])
    yield f"growth exponent, {replaced} replaced", f"{exponent:.2f}", "first to last"


def perturbed(texts: list[str], replaced: float) -> Iterator[str]:
    yield from texts
    rng = Random(0)
    words = [rouge_words(text) for text in texts]
    every = [word for each in words for word in each]
    while True:
        drawn = rng.choice(words)
        yield " ".join(rng.choice(every) if rng.random() < replaced else word for word in drawn)


def peak() -> float:
    """The most resident memory of this process so far, in MB."""
    return getrusage(RUSAGE_SELF).ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024)


def memory(before: float) -> str:
    return f"{peak():.0f} MB at the peak, {before:.0f} before"


PARTS: dict[str, Callable[[Path], Iterator[Row]]] = {
    "agreement": agreement,
    "rivals": rivals,
    "online": online,
    "top": top,
    "mean": mean,
    "growth": partial(growth, replaced=0.5),
    "growth-closer": partial(growth, replaced=0.3),
}


def rows(part: str, data: Path) -> list[Row]:
    return list(PARTS[part](data))


def main(folder: str, *chosen: str) -> None:
    table = Table("part", "what", "result", "of")
    with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as pool:
        for part in chosen or PARTS:
            for row in pool.submit(rows, part, Path(folder)).result():
                table.add_row(part, *row)
    Console(width=130).print(table)


if __name__ == "__main__":
    main(*sys.argv[1:])
