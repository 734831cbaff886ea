"""What a base model is, by its content: the weights and the tokenizer, not where they lie."""

from __future__ import annotations

from hashlib import file_digest, sha256
from pathlib import Path

from seedbed.errors import ConfigError
from seedbed.records import JSON

_SHAPING = (".safetensors", ".bin", ".json", ".jinja", ".model", ".txt")
"""Files of a base model's folder that can shape what a student is."""

_ABOUT = {"seedbed_checkpoint.json", "training.json"}
"""Our notes on a checkpoint, which shape nothing."""


def base_identity(base: str | Path) -> JSON:
    """Names a base: a folder by the digest of its files, a hub id by the commit that is used.

    A folder of 16 GB takes some ten seconds to read.

    Raises:
        ConfigError: there is no such base, or the folder cannot be read.
    """
    folder = Path(base)
    if folder.is_dir():
        return {"files": _digest(folder)}
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        found = hf_hub_download(str(base), "config.json")
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        raise ConfigError(
            f"base model {str(base)!r} cannot be found: {error}",
            hint="Name a folder with config.json and weights, or a hub id (which needs the "
            "network or a copy in Hugging Face's cache).",
        ) from error
    return {"hub": str(base), "commit": Path(found).parent.name}


def _digest(folder: Path) -> str:
    """64 hexadecimal digits over the names and contents of what shapes a student."""
    total = sha256()
    try:
        for path in sorted(folder.iterdir()):
            if path.suffix in _SHAPING and path.name not in _ABOUT and path.is_file():
                with path.open("rb") as file:
                    content = file_digest(file, "sha256").hexdigest()
                total.update(f"{path.name}\0{content}\n".encode())
    except OSError as error:
        raise ConfigError(f"base model {folder}: cannot be read: {error.strerror}") from error
    return total.hexdigest()
