"""What an ablation of SeDi's arms chose, and why: read from the folder that it left.

    python benchmarks/steering.py examples/ablate_sedi.toml FOLDER

FOLDER is what `seedbed ablate examples/ablate_sedi.toml --out FOLDER` wrote. A skill is "lacked"
if it is measured and not among those that the student was warmed up on. Over all seeds:

pools   of each arm, as many examples as the smallest arm has: how diverse they and their batches
        are, how much of them repeats, and how many need a skill that the student lacks.
skills  of each arm, how many new tasks needed each skill, and which share of these was novel.
signals of each arm: what a batch's signal goes with (rank correlation over all batches, ranked
        within their run), what the attractive batches hold beside the others, and how many of the
        seeds that came and went need a lacked skill.
"""

from __future__ import annotations

import argparse
import json
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from math import exp, log
from pathlib import Path
from statistics import mean
from typing import Any

from seedbed.curate.diversity.measures import mean_similarity, vendi
from seedbed.curate.diversity.vectors import TfIdf, similarities
from seedbed.curate.novelty import NoveltyIndex
from seedbed.evaluate.practice.items import task_key
from seedbed.models.practice import skills_of, verify
from seedbed.models.practice.wording import read_instruction
from seedbed.projections import read_examples
from seedbed.recipes.skillmix.skillset import load_skills
from seedbed.records import Example

Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One arm's data with one seed."""

    arm: str
    seed: int
    folder: Path
    examples: Sequence[Example]


def runs(folder: Path) -> list[Run]:
    """The SeDi runs of an ablation; the arm is told from what their configs set."""
    found = []
    for place in sorted((folder / "runs").iterdir()):
        config = read_toml(place / "config.toml")
        if config["recipe"] == "sedi" and (place / "examples.jsonl").exists():
            table = config["sedi"]
            named = [f"{table.get('threshold', 0.85)}", table.get("batches", "diverse")]
            named.append(table.get("prefer", "highest"))
            named += [table[key] for key in ("signal", "example_signal") if key in table]
            named.append(Path(config["seeds"]).stem)
            examples = list(read_examples(place / "examples.jsonl"))
            arm = " ".join(named)
            found.append(Run(arm=arm, seed=config["seed"], folder=place, examples=examples))
    return sorted(found, key=lambda run: (run.arm, run.seed))


def lacking(examples: Iterable[Example], lacked: frozenset[str]) -> float:
    """The share of examples that need a lacked skill, in percent."""
    return 100 * mean(bool({*skills_of(one.asked)} & lacked) for one in examples)


def wrong(examples: Iterable[Example]) -> float:
    """The share of responses that are false, in percent."""
    return 100 * mean(not verify(one.asked, one.response) for one in examples)


def pool_of(run: Run, size: int, lacked: frozenset[str]) -> dict[str, float]:
    """How diverse an arm's first examples are, and what they hold."""
    examples = run.examples[:size]
    texts = [one.asked for one in examples]
    vectors = TfIdf()
    vectors.learn(texts)
    rows = vectors(texts)
    cosines = similarities(rows, rows)
    near = NoveltyIndex(threshold=0.7, tokenizer="unicode")
    repeated = sum(drop is not None for drop in near.admit_all(texts))
    mixes = Counter(tuple(sorted(skills_of(text))) for text in texts)
    tasks = {task_key(read_instruction(text)) for text in texts}
    batches = [row for row, _ in batches_of(run)]
    return {
        "batches' Vendi": mean(row["diversity"]["vendi"] for row in batches),
        "random ones'": mean(row["random_batches"]["vendi"] for row in batches),
        "similarity": mean_similarity(cosines),
        "Vendi": vendi(cosines),
        "mixes (exp of entropy)": exp(entropy(mixes)),
        "near-duplicates %": 100 * repeated / len(texts),
        "same task %": 100 * (1 - len(tasks) / len(texts)),
        "wrong %": wrong(examples),
        "lacked %": lacking(examples, lacked),
        "lacked, last third %": lacking(examples[-len(examples) // 3 :], lacked),
        "characters": mean(len(one.response) for one in examples),
    }


def entropy(counts: Counter[tuple[str, ...]]) -> float:
    whole = counts.total()
    return -sum(n / whole * log(n / whole) for n in counts.values())


def novel_by_skill(arm: Sequence[Run]) -> str:
    """How many new tasks needed each of the commonest skills, and the share that was kept."""
    kept, left_out = Counter[str](), Counter[str]()
    for run in arm:
        kept.update(name for one in run.examples for name in skills_of(one.asked))
        for row in map(json.loads, (run.folder / "drops.jsonl").open(encoding="utf-8")):
            if row["reason"] == "too_similar":
                left_out.update(skills_of(row["text"]))
    written = kept + left_out
    return ", ".join(
        f"{name} {count / len(arm):.0f} ({100 * kept[name] / count:.0f} %)"
        for name, count in written.most_common(14)
    )


def batches_of(run: Run) -> list[tuple[Row, list[Example]]]:
    known = {one.id: one for one in run.examples}
    rows = [json.loads(line) for line in (run.folder / "batches.jsonl").open(encoding="utf-8")]
    return [(row, [known[name] for name in row["examples"]]) for row in rows]


def ranks(values: Sequence[float]) -> list[float]:
    from scipy.stats import rankdata

    return [rank / len(values) for rank in rankdata(values)]


def goes_with(found: Sequence[Sequence[tuple[float, float]]]) -> float:
    """Rank correlation over the batches of several runs, ranks taken within each run."""
    import numpy as np

    signal = [rank for pairs in found for rank in ranks([pair[0] for pair in pairs])]
    other = [rank for pairs in found for rank in ranks([pair[1] for pair in pairs])]
    return float(np.corrcoef(signal, other)[0, 1])


Of = Callable[[Sequence[Example], frozenset[str]], float]

MEASURES: dict[str, Of] = {
    "lacked %": lacking,
    "wrong %": lambda examples, _: wrong(examples),
    "characters": lambda examples, _: mean(len(one.response) for one in examples),
    "skills": lambda examples, _: mean(len(skills_of(one.asked)) for one in examples),
}


def _of_examples(of: Of, lacked: frozenset[str], row: Row, held: list[Example]) -> float:
    return of(held, lacked)


def signals_of(arm: Sequence[Run], lacked: frozenset[str]) -> None:
    """Print what the signals of an arm's runs went with, and what they chose."""
    batches = [batches_of(run) for run in arm]
    names = sorted({name for one in batches for row, _ in one for name in row["signals"]})
    for name in names:
        measures: dict[str, Callable[[Row, list[Example]], float]] = {
            label: partial(_of_examples, of, lacked) for label, of in MEASURES.items()
        } | {"step": lambda row, _: row["step"]}
        parts = []
        for label, of in measures.items():
            pairs = [
                [(row["signals"][name], of(row, held)) for row, held in one] for one in batches
            ]
            parts.append(f"{label} {goes_with(pairs):+.2f}")
        print(f"  {name} goes with: {', '.join(parts)}")
    for chosen in (True, False):
        rows = [entry for one in batches for entry in one if entry[0]["attractive"] is chosen]
        held = [example for _, examples in rows for example in examples]
        if held:
            told_of = ", ".join(f"{name} {of(held, lacked):.1f}" for name, of in MEASURES.items())
            print(f"  {'attractive' if chosen else 'other'} batches: {told_of}")
    moves = [
        json.loads(line)
        for run in arm
        if (run.folder / "seeds.jsonl").exists()
        for line in (run.folder / "seeds.jsonl").open(encoding="utf-8")
    ]
    for move in ("added", "retired"):
        texts = [one["instruction"] for one in moves if one["move"] == move]
        if texts:
            share = 100 * mean(bool({*skills_of(text)} & lacked) for text in texts)
            count = len(texts) / len(arm)
            print(f"  seeds {move}: {count:.0f} a run, {share:.0f} % need a lacked skill")


def lacked_by(config: Path) -> frozenset[str]:
    """The skills that are measured and that the warm-up does not teach."""
    table = read_toml(config)["ablate"]
    return frozenset(table["skills"]) - {
        *load_skills(config.parent / table["warm_up"]["skills"]).names
    }


def read_toml(path: Path) -> Row:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("config", type=Path)
    parser.add_argument("folder", type=Path)
    chosen = parser.parse_args()
    lacked = lacked_by(chosen.config)
    arms: dict[str, list[Run]] = {}
    for run in runs(chosen.folder):
        arms.setdefault(run.arm, []).append(run)
    size = min(len(run.examples) for found in arms.values() for run in found)
    for number, (arm, found) in enumerate(arms.items()):
        pools = [pool_of(run, size, lacked) for run in found]
        if not number:
            print(f"| first {size} of | {' | '.join(pools[0])} |")
            print("|---" * (1 + len(pools[0])) + "|")
        cells = [f"{mean(pool[name] for pool in pools):.3g}" for name in pools[0]]
        print(f"| {arm} | {' | '.join(cells)} |")
    for arm, found in arms.items():
        print(f"\n{arm}\n  new tasks a run, and kept: {novel_by_skill(found)}")
        signals_of(found, lacked)


if __name__ == "__main__":
    main()
