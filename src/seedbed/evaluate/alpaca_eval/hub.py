"""Files of AlpacaEval's dataset on the Hugging Face hub, at one revision."""

from __future__ import annotations

from pathlib import Path

from seedbed.errors import DatasetError

REPOSITORY = "tatsu-lab/alpaca_eval"
REVISION = "2edc6fad8be6b14ea7230aabfd08188da6b8b814"


def fetch(name: str, *, cache: Path | None = None, offline: bool = False) -> Path:
    """The file, from the cache or else, unless `offline`, from the hub.

    Raises:
        DatasetError: the library is missing, or the file cannot be had.
    """
    try:
        from huggingface_hub import hf_hub_download
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
    except ImportError:
        raise DatasetError(
            f"{name}: fetching from the hub needs the library `huggingface_hub`",
            hint='Install it with `pip install "seedbed[hub]"`, or name a folder with --data.',
        ) from None
    try:
        found = hf_hub_download(
            REPOSITORY,
            name,
            repo_type="dataset",
            revision=REVISION,
            cache_dir=cache,
            local_files_only=offline,
        )
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        tried = "" if offline else f", and {REPOSITORY} on the hub cannot be reached: {error}"
        raise DatasetError(
            f"{name}: not in the hub's cache{tried}",
            hint="Check the network, or fetch the files elsewhere and name their folder: --data.",
        ) from error
    return Path(found)
