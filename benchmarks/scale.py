"""How the cost of curation grows, on one machine in memory and in parts on Ray.

    python -m benchmarks.scale make DATA FOLDER 100000        synthetic rows, as Parquet
    python -m benchmarks.scale run DATA FOLDER 100000 memory  curate them; the figures go to a file
    python -m benchmarks.scale table FOLDER                   all figures, exponents, agreement
    python -m benchmarks.scale compare DATA                   one example with what stayed of a part

The rows are Alpaca's 52,002, then perturbed ones: an instruction drawn at random, of which 30 % of
the words are replaced (`benchmarks/novelty.py`), with the input and response of a row drawn at
random. Each run is the command `seedbed curate` with all that it can decide, in a process of its
own. CPU seconds are the command's own and, as it counts them, those of the steps that others take;
what Ray's own processes take beside that is not in them.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from hashlib import file_digest
from itertools import islice, pairwise
from math import log
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from benchmarks.novelty import alpaca, perturbed
from rich.console import Console
from rich.table import Table

from seedbed.curate.in_order import duplicates, novelty

REPLACED = 0.3
BATCH = 10_000
POOLS = (20_000, 100_000, 500_000)
ASKED = 20_000
AGAINST = {
    "alpaca_eval": "alpaca_eval/alpaca_eval_gpt4_baseline.json",
    "mt_bench": "mt_bench/question.jsonl",
    "ifeval": "ifeval/input_data.jsonl",
}


def options(data: Path, count: int) -> list[str]:
    against = [f"--against={name}={data / path}" for name, path in AGAINST.items()]
    numbers = ["--novelty=0.7", "--near-duplicates=0.8", f"--diverse={count // 4}"]
    return [*numbers, *against, "--format=parquet", "--json"]


def make(data: Path, folder: Path, count: int) -> None:
    """Write `count` rows."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = json.loads((data / "alpaca/alpaca_data.json").read_text("utf-8"))
    texts, random = perturbed([row["instruction"] for row in rows], REPLACED), Random(1)
    made = islice(_rows(rows, texts, random), count)
    schema = pa.schema([(name, pa.string()) for name in ("instruction", "input", "output")])
    with pq.ParquetWriter(source(folder, count), schema, compression="zstd") as writer:
        while batch := list(islice(made, BATCH)):
            writer.write_table(pa.Table.from_pylist(batch, schema=schema))


def _rows(
    rows: list[dict[str, str]], texts: Iterator[str], random: Random
) -> Iterator[dict[str, str]]:
    for row, text in zip(rows, texts, strict=False):
        yield row | {"instruction": text}
    for text in texts:
        yield random.choice(rows) | {"instruction": text}


def source(folder: Path, count: int) -> Path:
    return folder / f"{count}.parquet"


def run(data: Path, folder: Path, count: int, engine: str, *more: str) -> None:
    """Curate, and write down what it took."""
    out = folder / f"{count}-{engine}"
    command = [sys.executable, "-m", "seedbed", "curate", str(source(folder, count))]
    began = time.monotonic()
    child = subprocess.run(
        [*command, "--out", str(out), "--engine", engine, *options(data, count), *more],
        capture_output=True,
        text=True,
        check=False,
    )
    if child.returncode:
        raise SystemExit(child.stderr)
    facts: dict[str, Any] = json.loads(child.stdout)
    figures = {
        "rows": count,
        "engine": engine,
        "seconds": time.monotonic() - began,
        "costs": facts["costs"],
        "kept": facts["kept"],
        "drops": facts["drops"],
        "kept_digest": _digest(out / "examples.parquet"),
        "drops_digest": _digest(out / "drops.jsonl"),
    }
    (folder / f"{count}-{engine}.json").write_text(json.dumps(figures, indent=1))


def compare(data: Path) -> None:
    """Print what a comparison takes, by the size of the part, and its exponents."""
    texts = list(islice(perturbed(alpaca(data), REPLACED), POOLS[-1] + ASKED))
    asked = texts[POOLS[-1] :]
    shown = Table("selection", "texts that stayed", "add, µs", "compare, µs", "exponent")
    for selection in (novelty(0.7), duplicates(0.8)):
        pool, held, before = selection.pool(), 0, 0.0
        for size in POOLS:
            start = time.process_time()
            for number in range(held, size):
                pool.add(texts[number], number)
            added = (time.process_time() - start) / (size - held)
            start = time.process_time()
            for text in asked:
                pool.check(text)
            took = (time.process_time() - start) / len(asked)
            power = f"{log(took / before) / log(size / held):.2f}" if before else ""
            each = (f"{seconds * 1e6:.1f}" for seconds in (added, took))
            shown.add_row(selection.name, f"{size:,}", *each, power)
            held, before = size, took
    Console().print(shown)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()[:16]


def table(folder: Path) -> None:
    """Print all figures."""
    found = [json.loads(path.read_text()) for path in folder.glob("*-*.json")]
    found.sort(key=lambda each: (each["engine"], each["rows"]))
    _figures(found)
    _exponents(found)
    for count in sorted({each["rows"] for each in found}):
        same = [each for each in found if each["rows"] == count]
        if len(same) < 2:
            continue
        digests = {(each["kept_digest"], each["drops_digest"]) for each in same}
        engines = ", ".join(each["engine"] for each in same)
        print(f"{count:,}: {engines}: {'the same files' if len(digests) == 1 else 'DIFFERENT'}")


def _figures(found: list[dict[str, Any]]) -> None:
    stages = list(dict.fromkeys(stage for each in found for stage in each["costs"]))
    shown = Table("rows", "engine", "wall s", "CPU s", *stages, "command MB", "worker MB", "kept")
    for each in found:
        costs = dict(each["costs"])
        cpu = [f"{costs[stage]['cpu_seconds']:,.0f}" if stage in costs else "" for stage in stages]
        own = costs.pop("command")["peak_mb"]
        peak = max((cost["peak_mb"] for cost in costs.values()), default=0)
        shown.add_row(
            f"{each['rows']:,}",
            each["engine"],
            f"{each['seconds']:,.0f}",
            f"{_cpu(each)['all']:,.0f}",
            *cpu,
            f"{own:,.0f}",
            f"{peak:,.0f}" if peak else "",
            f"{each['kept']:,}",
        )
    Console(width=150).print(shown)


def _exponents(found: list[dict[str, Any]]) -> None:
    """Of each engine and each kind of cost, from one size to the next."""
    for engine in sorted({each["engine"] for each in found}):
        these = [each for each in found if each["engine"] == engine]
        for name in dict.fromkeys(name for each in these for name in _cpu(each)):
            parts = [
                f"{log(_cpu(b)[name] / _cpu(a)[name]) / log(b['rows'] / a['rows']):.2f} "
                f"({a['rows']:,} to {b['rows']:,})"
                for a, b in pairwise(these)
                if _cpu(a).get(name) and _cpu(b).get(name)
            ]
            print(f"exponent, {engine}, {name}: {', '.join(parts)}")


def _cpu(figures: dict[str, Any]) -> dict[str, float]:
    stages = {stage: cost["cpu_seconds"] for stage, cost in figures["costs"].items()}
    return {"all": sum(stages.values()), **stages}


def main(what: str, *rest: str) -> None:
    match what, rest:
        case "make", (data, folder, count):
            make(Path(data), Path(folder), int(count))
        case "run", (data, folder, count, engine, *more):
            run(Path(data), Path(folder), int(count), engine, *more)
        case "compare", (data,):
            compare(Path(data))
        case "table", (folder,):
            table(Path(folder))
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main(*sys.argv[1:])
