"""Examples and verdicts as Parquet: how parts of a dataset are kept while it is curated.

Texts stand as bytes, because a text may hold half of a surrogate pair, which Parquet's own text
cannot, and nothing may be decided otherwise for having been written down.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from seedbed.errors import StorageError
from seedbed.export import example_from_json, example_to_json
from seedbed.files import make_folder, replacing
from seedbed.records import Drop, Example, Instruction

if TYPE_CHECKING:
    import pyarrow as pa

TEXTS = ("instruction", "input", "response")
_DERIVED = ("id", "instruction_id", *TEXTS)


def write_examples(
    path: Path, examples: Sequence[Example], verdicts: Sequence[Drop | None]
) -> None:
    """A file of examples, each with what is decided about it.

    Raises:
        StorageError: it cannot be written.
    """
    rows = [example_to_json(example) for example in examples]
    texts = {name: _binary(row[name] for row in rows) for name in TEXTS}
    rest = [json.dumps({k: v for k, v in row.items() if k not in _DERIVED}) for row in rows]
    _write(path, {**texts, "rest": rest, **_columns(verdicts)})


def write_verdicts(path: Path, verdicts: Sequence[Drop | None]) -> None:
    """The same of the verdicts alone."""
    _write(path, _columns(verdicts))


def read_examples(path: Path, *, rows: Sequence[int] | None = None) -> Iterator[Example]:
    """The examples of a file, or those in the rows named."""
    import pyarrow as pa

    table = _read(path, [*TEXTS, "rest"])
    if rows is not None:
        table = table.take(pa.array(rows, pa.int64()))
    texts = [_texts(table, name) for name in TEXTS]
    for *parts, rest in zip(*texts, table["rest"].to_pylist(), strict=True):
        yield example_from_json({**dict(zip(TEXTS, parts, strict=True)), **json.loads(rest)})


def read_asked(path: Path) -> list[Example]:
    """The examples as far as they were asked: without responses, which are not read."""
    table = _read(path, ["instruction", "input"])
    return [
        Example(instruction=Instruction(text=text), input=material, response="")
        for text, material in zip(_texts(table, "instruction"), _texts(table, "input"), strict=True)
    ]


def read_verdicts(path: Path) -> list[Drop | None]:
    table = _read(path, ["reason", "evidence"])
    return [
        None if reason is None else Drop(reason=reason, evidence=json.loads(evidence))
        for reason, evidence in zip(
            table["reason"].to_pylist(), table["evidence"].to_pylist(), strict=True
        )
    ]


def read_kept(path: Path) -> list[bool]:
    """Which rows of a file have no objection."""
    kept: list[bool] = _read(path, ["reason"])["reason"].is_null().to_pylist()
    return kept


def _columns(verdicts: Sequence[Drop | None]) -> dict[str, list[str | None]]:
    return {
        "reason": [None if drop is None else drop.reason for drop in verdicts],
        "evidence": [
            None if drop is None else json.dumps(dict(drop.evidence)) for drop in verdicts
        ],
    }


def _binary(texts: Iterable[str]) -> list[bytes]:
    return [text.encode("utf-8", "surrogatepass") for text in texts]


def _texts(table: pa.Table, name: str) -> list[str]:
    return [text.decode("utf-8", "surrogatepass") for text in table[name].to_pylist()]


def _write(path: Path, columns: Mapping[str, Sequence[object]]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrays = {
        name: pa.array(values, pa.binary() if name in TEXTS else pa.string())
        for name, values in columns.items()
    }
    make_folder(path.parent)
    with replacing(path) as file:
        pq.write_table(pa.table(arrays), file, compression="zstd")


def _read(path: Path, columns: list[str]) -> pa.Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.read_table(path, columns=columns, partitioning=None, use_threads=False)
    except (pa.ArrowException, OSError) as error:
        raise StorageError(
            f"{path}: cannot be read: {error}",
            hint="All machines have to see this folder. Delete the file, and it is made again.",
        ) from error
