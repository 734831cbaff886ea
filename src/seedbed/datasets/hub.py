"""Datasets of the Hugging Face hub, through the optional `datasets` library."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from seedbed.datasets.rows import Row, Table
from seedbed.errors import DatasetError

PREFIX = "hf:"

_FORM = re.compile(
    r"(?P<name>[^@:]+)(@(?P<revision>[^:]+))?(:((?P<config>[^/:]+)/)?(?P<split>[^/:]+))?"
)


@contextmanager
def open_hub(source: str) -> Iterator[Table]:
    """Open `hf:NAME[@REVISION][:[CONFIG/]SPLIT]`; its rows are fetched as they are asked for.

    NAME is `organisation/name` on the hub, or a local folder: one that the library saved, or one
    of data files. SPLIT is `train` unless given, or the only one there is.

    Raises:
        DatasetError: the library is missing, the dataset cannot be had, or the split is unknown.
    """
    parts = _FORM.fullmatch(source.removeprefix(PREFIX))
    if parts is None:
        raise DatasetError(f"{source}: expected hf:organisation/name[@revision][:[config/]split]")
    library = _library(source)
    with _translated(source, library):
        splits = _load(library, parts["name"], parts["config"], parts["revision"])
        split = _choose(sorted(splits), parts["split"])
        rows = splits[split]
        columns = list(rows.column_names or ())
        yield Table(
            kind=f"Hugging Face dataset, split {split}",
            unit="row",
            rows=(Row(number, dict(row)) for number, row in enumerate(rows, start=1)),
            columns=columns,
        )


def _library(source: str) -> Any:
    try:
        import datasets
    except ImportError:
        raise DatasetError(
            f"{source}: reading from the hub needs the library `datasets`",
            hint='Install it with `pip install "seedbed[hub]"`, or download the file and name it.',
        ) from None
    else:
        return datasets


def _load(library: Any, name: str, config: str | None, revision: str | None) -> Mapping[str, Any]:
    """All splits, none of them read yet."""
    folder = Path(name)
    if (folder / "dataset_dict.json").is_file():
        return dict(library.load_from_disk(name))
    if (folder / "state.json").is_file():
        return {"train": library.load_from_disk(name)}
    return dict(library.load_dataset(name, config, revision=revision, streaming=True))


def _choose(splits: list[str], wanted: str | None) -> str:
    split = wanted or ("train" if "train" in splits or len(splits) != 1 else splits[0])
    if split not in splits:
        found = ", ".join(splits) or "none"
        raise DatasetError(
            f"no split {split!r}; found: {found}",
            hint="Name one of them after the dataset: hf:organisation/name:SPLIT.",
        )
    return split


@contextmanager
def _translated(source: str, library: Any) -> Iterator[None]:
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    try:
        yield
    except DatasetError as error:
        raise DatasetError(f"{source}: {error}", hint=error.hint) from error.__cause__
    except (library.exceptions.DatasetNotFoundError, FileNotFoundError) as error:
        raise DatasetError(
            f"{source}: no such dataset, or no access to it: {error}",
            hint="Check the name; for one with restricted access, log in with `hf auth login`.",
        ) from error
    except (OfflineModeIsEnabled, HfHubHTTPError, OSError) as error:
        raise DatasetError(
            f"{source}: the hub cannot be reached: {error}",
            hint="Check the network, or download the file elsewhere and name it.",
        ) from error
    except (library.exceptions.DatasetsError, ValueError) as error:
        raise DatasetError(f"{source}: the library cannot read it: {error}") from error
