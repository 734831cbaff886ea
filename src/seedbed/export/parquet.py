"""`examples.parquet`: the columns of `examples.jsonl`, with a schema that no data can change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from seedbed.errors import ConfigError
from seedbed.export.lines import KEYS, example_to_json
from seedbed.files import replacing, well_formed
from seedbed.records import JSON, Example

if TYPE_CHECKING:
    import pyarrow as pa

BATCH = 10_000
"""Examples in a row group: what is held in memory at once, and what readers fetch at once."""

LARGEST = 2**63 - 1
"""What the schema's 64-bit numbers hold; JSONL takes any."""


def write_parquet(examples: Iterable[Example], path: Path) -> int:
    """Replace a Parquet file atomically, a row group at a time; return the number of examples.

    Raises:
        StorageError: it cannot be written; the old file, if any, is as it was.
        ConfigError: a seed does not fit into 64 bits.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema, count, rows = _schema(), 0, iter(examples)
    with replacing(path) as file, pq.ParquetWriter(file, schema, compression="zstd") as writer:
        while batch := [_row(example) for example in islice(rows, BATCH)]:
            writer.write_table(pa.Table.from_pylist(batch, schema=schema))
            count += len(batch)
    return count


def _schema() -> pa.Schema:
    import pyarrow as pa

    numbers, lists = ("seed", "round", "draw"), ("skills", "parents", "calls", "repairs")
    kinds = dict.fromkeys(numbers, pa.int64()) | dict.fromkeys(lists, pa.list_(pa.string()))
    return pa.schema([(key, kinds.get(key, pa.string())) for key in KEYS])


def _row(example: Example) -> Mapping[str, JSON]:
    row = example_to_json(example)
    if not -LARGEST <= row["seed"] <= LARGEST:
        raise ConfigError(
            f"seed = {row['seed']}: too large for Parquet; expected one of at most {LARGEST}"
        )
    return {key: _clean(value) for key, value in row.items()}


def _clean(value: JSON) -> JSON:
    if isinstance(value, str):
        return well_formed(value)
    return [well_formed(item) for item in value] if isinstance(value, list) else value
