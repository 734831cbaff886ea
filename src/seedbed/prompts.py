"""Prompts are files: `$name` placeholders, no logic, checked on both sides.

A recipe's prompts lie in `prompts/` beside it. A user replaces any of them with a file of the same
name in a folder of their own (`prompts = "my_prompts"` in the config).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template

from seedbed.errors import ConfigError
from seedbed.records import digest


@dataclass(frozen=True, slots=True)
class Prompts:
    """A recipe's prompt files, each by its name without `.md`."""

    templates: Mapping[str, str]
    places: Mapping[str, str]

    @property
    def digest(self) -> str:
        return digest(dict(self.templates))

    def fill(self, name: str, /, **values: object) -> str:
        """The text of a prompt with every placeholder filled and every value used.

        Raises:
            ConfigError: the values and the placeholders are not the same.
        """
        template = Template(self.templates[name])
        _compare(self.places[name], set(template.get_identifiers()), set(values))
        return template.substitute(values)


def load_prompts(package: str, folder: Path | None = None) -> Prompts:
    """Read `<package>/prompts/*.md`, each replaced by its namesake in `folder` if there is one.

    Raises:
        ConfigError: `folder` does not exist, holds a prompt that the recipe does not have, or one
            with other placeholders than the prompt it replaces.
    """
    shipped = sorted(
        (entry for entry in (files(package) / "prompts").iterdir() if entry.name.endswith(".md")),
        key=lambda entry: entry.name,
    )
    templates = {entry.name[:-3]: entry.read_text(encoding="utf-8") for entry in shipped}
    places = {name: f"{package}/prompts/{name}.md" for name in templates}
    if folder is not None:
        if not folder.is_dir():
            raise ConfigError(f"{folder}: no such folder of prompts")
        for path in sorted(folder.glob("*.md")):
            if path.stem not in templates:
                raise ConfigError(
                    f"{path}: {package} has no prompt of this name",
                    hint=f"It has: {', '.join(sorted(templates))}.",
                )
            text = _read(path)
            shipped_names = Template(templates[path.stem]).get_identifiers()
            _compare(str(path), _placeholders(path, text), set(shipped_names))
            templates[path.stem] = text
            places[path.stem] = str(path)
    return Prompts({name: text.strip() for name, text in templates.items()}, places)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: this prompt cannot be read: {error}") from None


def _placeholders(path: Path, text: str) -> set[str]:
    template = Template(text)
    if not template.is_valid():
        raise ConfigError(
            f"{path}: a `$` that starts no placeholder", hint="Write `$$` for a dollar sign."
        )
    return set(template.get_identifiers())


def _compare(place: str, wanted: set[str], given: set[str]) -> None:
    if unknown := sorted(wanted - given):
        raise ConfigError(
            f"{place}: unknown placeholder ${unknown[0]}",
            hint=f"This prompt has: {', '.join('$' + name for name in sorted(given)) or 'none'}.",
        )
    if missing := sorted(given - wanted):
        raise ConfigError(
            f"{place}: the placeholder ${missing[0]} is missing",
            hint=f"Put ${missing[0]} where its text belongs.",
        )
