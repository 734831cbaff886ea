"""Checkpoints on disk: where they are, what names them, and whether their template is the one
that they were tuned with. Nothing here loads a model.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from seedbed.errors import ConfigError
from seedbed.records import JSON, digest

CHECKPOINT = "seedbed_checkpoint.json"
PREFIX = "hf/"

_SHAPING = (
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "chat_template.jinja",
    "adapter_config.json",
)
"""Files beside the weights that shape answers."""

_NAME_ONE = "Name a folder with config.json and weights, or a hub id such as org/name."

_WANTED = ["*.json", "*.safetensors", "*.jinja", "*.model", "*.txt"]
"""What is fetched of a model on the hub: no pickles, which could run code."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A Hugging Face folder, and the name under which the journal knows it."""

    folder: Path
    name: str


def find_checkpoint(source: str | Path, *, home: Path = Path()) -> Checkpoint:
    """The folder of a path, or of a hub id (`org/name`, `org/name@revision`).

    Args:
        source: a path, relative to `home`, or a hub id; "hf/" before it is allowed.

    Raises:
        ConfigError: there is neither, or it holds no model.
    """
    text = str(source).removeprefix(PREFIX)
    folder = local_folder(text, home=home)
    if folder is None:
        folder, label = _from_hub(text), text.partition("@")[0].rpartition("/")[2]
    else:
        label = folder.resolve().name
    return Checkpoint(folder, f"{PREFIX}{label}@{fingerprint(folder)}")


def local_folder(source: str, *, home: Path = Path()) -> Path | None:
    """The folder that a text names; None where it can only be a hub id.

    Raises:
        ConfigError: it is a folder without a model, or looks like a path and there is nothing.
    """
    text = source.removeprefix(PREFIX)
    folder = home / Path(text).expanduser()
    if not folder.is_dir():
        if not text or text.count("/") > 1 or text.startswith((".", "/", "~")):
            raise ConfigError(f"{text}: no such folder", hint=_NAME_ONE)
        return None
    if not (folder / "config.json").is_file():
        raise ConfigError(
            f"{text}: a folder without config.json",
            hint="Name a folder in Hugging Face's layout: config.json, weights, a tokenizer. "
            "`seedbed train` writes its checkpoints so.",
        )
    return folder


def fingerprint(folder: Path) -> str:
    """Names what a checkpoint answers by: its weights, tokenizer, template; 8 hexadecimal digits.

    Raises:
        ConfigError: there are no weights, or a file cannot be read.
    """
    weights = sorted(folder.glob("*.safetensors")) or sorted(folder.glob("*.bin"))
    if not weights:
        raise ConfigError(f"{folder}: no weights (*.safetensors) in it")
    total = hashlib.sha256()
    try:
        for path in (*weights, *_present(folder)):
            total.update(f"{path.name} {content_digest(path)}\n".encode())
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be read: {error}") from error
    return total.hexdigest()[:8]


def content_digest(path: Path) -> str:
    """The SHA-256 of a file; large ones are read once in a process.

    Raises:
        OSError: it cannot be read.
    """
    state = path.stat()
    return _content(path.resolve(), state.st_size, state.st_mtime_ns)


@cache
def _content(path: Path, size: int, changed: int) -> str:
    """The digest of a file that has this size and was changed then; read once in a process."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _present(folder: Path) -> Iterator[Path]:
    return (folder / name for name in _SHAPING if (folder / name).is_file())


def check_template(folder: Path, template: str | None) -> None:
    """Whether the tokenizer's chat template is there, and is the one of the training.

    Raises:
        ConfigError: there is none, or the checkpoint was tuned with another one.
    """
    if not template:
        raise ConfigError(
            f"{folder}: the checkpoint has no chat template",
            hint="It is a base model, or its chat_template.jinja is missing. Without one nobody "
            "knows how it is to be asked; tune it with a named template, or put the file there.",
        )
    tuned = _tuned_with(folder / CHECKPOINT)
    # As training.templates names a template.
    if tuned and tuned != digest(template)[:16]:
        raise ConfigError(
            f"{folder}: tuned with the chat template {tuned}, and its tokenizer now has another "
            f"one, {digest(template)[:16]}",
            hint="Asked in another way than it was trained, a model runs on or answers worse. "
            "Restore the chat_template.jinja that the training wrote.",
        )


def template_in(folder: Path) -> str | None:
    """The chat template of a checkpoint's files; None where there is none.

    Raises:
        ConfigError: a file cannot be read.
    """
    try:
        if (path := folder / "chat_template.jinja").is_file():
            return path.read_text(encoding="utf-8")
        path = folder / "tokenizer_config.json"
        content: JSON = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    found = content.get("chat_template") if isinstance(content, dict) else None
    if isinstance(found, list):  # several, by name
        named = [each for each in found if isinstance(each, dict) and each.get("name") == "default"]
        found = named[0].get("template") if named else None
    return found if isinstance(found, str) else None


def _tuned_with(path: Path) -> str:
    """The digest of the template that the training names; empty where it names none."""
    try:
        content: JSON = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    template = content.get("template") if isinstance(content, dict) else None
    told = template.get("digest") if isinstance(template, dict) else None
    return told if isinstance(told, str) else ""


def _from_hub(name: str) -> Path:
    """The folder of a hub id's files, fetched if they are not there yet."""
    repository, _, revision = name.partition("@")
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import (
            HfHubHTTPError,
            HFValidationError,
            LocalEntryNotFoundError,
        )
    except ImportError as error:
        raise missing_extra() from error
    try:
        return Path(
            snapshot_download(
                repository,
                revision=revision or None,
                allow_patterns=_WANTED,
                ignore_patterns=["original/*"],
            )
        )
    except HFValidationError:
        raise ConfigError(f"{name}: no such folder, and no hub id", hint=_NAME_ONE) from None
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ConfigError(
            f"{name}: no such folder, and the hub does not give it: {first}", hint=_NAME_ONE
        ) from error


def check_installed() -> None:
    """Whether torch and transformers are there, without loading them.

    Raises:
        ConfigError: they are not.
    """
    if not (find_spec("torch") and find_spec("transformers")):
        raise missing_extra()


def missing_extra() -> ConfigError:
    return ConfigError(
        "a model in process needs torch and transformers, which are not installed",
        hint="pip install 'seedbed[train]'; or serve the model and give its `base_url`.",
    )
