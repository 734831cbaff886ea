"""Rows of a Parquet file, a batch at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, BinaryIO

from seedbed.datasets.rows import Row, Table
from seedbed.errors import DatasetError

if TYPE_CHECKING:
    import pyarrow.parquet as pq

BATCH = 256
"""Rows turned into Python values at once."""


def parquet_table(file: BinaryIO) -> Table:
    """A Parquet file's rows, with the names of its columns from its schema."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        opened = pq.ParquetFile(file)
    except (pa.ArrowException, OSError) as error:
        raise _damaged(error) from error
    columns = list(opened.schema_arrow.names)
    return Table(kind="Parquet", unit="row", rows=_rows(opened, columns), columns=columns)


def _rows(opened: pq.ParquetFile, columns: Sequence[str]) -> Iterator[Row]:
    import pyarrow as pa

    number = 0
    try:
        for batch in opened.iter_batches(batch_size=BATCH):
            for row in batch.to_pylist():
                number += 1
                yield Row(number, {name: row[name] for name in columns})
    except (pa.ArrowException, OSError) as error:
        raise _damaged(error) from error


def _damaged(error: Exception) -> DatasetError:
    return DatasetError(
        f"not a sound Parquet file: {error}", hint="Is it complete? Try to fetch it again."
    )
