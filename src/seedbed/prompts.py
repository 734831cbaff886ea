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
            ConfigError: a placeholder without a value, a value without a placeholder, or a `$`
                that is neither a placeholder nor written `$$`.
        """
        template = Template(self.templates[name])
        if not template.is_valid():
            raise ConfigError(
                f"{self.places[name]}: a `$` that starts no placeholder",
                hint="Write `$$` for a dollar sign.",
            )
        wanted = set(template.get_identifiers())
        if missing := sorted(wanted - values.keys()):
            raise ConfigError(
                f"{self.places[name]}: unknown placeholder ${missing[0]}",
                hint=f"This prompt has: {', '.join('$' + value for value in sorted(values))}.",
            )
        if unused := sorted(values.keys() - wanted):
            raise ConfigError(
                f"{self.places[name]}: the placeholder ${unused[0]} is missing",
                hint=f"Put ${unused[0]} where its text belongs.",
            )
        return template.substitute(values)


def load_prompts(package: str, folder: Path | None = None) -> Prompts:
    """Read `<package>/prompts/*.md`, each replaced by its namesake in `folder` if there is one.

    Raises:
        ConfigError: `folder` does not exist, or holds a prompt that the recipe does not have.
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
            templates[path.stem] = path.read_text(encoding="utf-8")
            places[path.stem] = str(path)
    return Prompts({name: text.strip() for name, text in templates.items()}, places)
