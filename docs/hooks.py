"""What mkdocs builds besides the pages in this folder: recipes, commands, config, Python API.

The recipes' pages are their READMEs, the command line is asked for its own help, the config's keys
are those of the template that `seedbed init` writes. So none of them can fall behind the code.
"""

from __future__ import annotations

import os
import posixpath
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files as resources
from pathlib import Path
from pkgutil import resolve_name

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
RECIPES = "src/seedbed/recipes"

MODULES = (
    "seedbed.run",
    "seedbed.report",
    "seedbed.curate.novelty",
    "seedbed.curate.dataset",
    "seedbed.evaluate.measurement",
    "seedbed.training.settings",
    "seedbed.training.finetuning",
    "seedbed.errors",
)
"""Modules that the Python API shows whole, besides the public names."""

_LINK = re.compile(r"(?<!!)\[(?P<text>[^\]\n]+)\]\((?P<target>[^)\s#:]+)(?P<part>#[^)\s]*)?\)")
_FENCE = re.compile(r"(^(?:```|~~~).*?^(?:```|~~~)[ \t]*$)", re.MULTILINE | re.DOTALL)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages."""
    for place, text in generated().items():
        files.append(File.generated(config, place, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn links into the repository into links of the site, or into plain words."""
    place = page.file.src_uri
    if place in generated():
        return markdown  # done where it was made: its links start elsewhere
    return relinked(markdown, home=f"docs/{posixpath.dirname(place)}", place=place)


@cache
def generated() -> Mapping[str, str]:
    """The generated pages: their place in the site, and their Markdown."""
    return {
        **dict(_recipes()),
        "reference/commands.md": commands(),
        "reference/config.md": settings(),
        "reference/api.md": api(),
    }


def _recipes() -> Iterator[tuple[str, str]]:
    for path in sorted((ROOT / RECIPES).glob("*/README.md")):
        place = f"recipes/{path.parent.name}.md"
        home = f"{RECIPES}/{path.parent.name}"
        yield place, relinked(path.read_text(encoding="utf-8"), home=home, place=place)


def relinked(markdown: str, *, home: str, place: str) -> str:
    """The text with its links as they have to be at `place`, where it was written in `home`.

    What has no page, such as a source file, is named instead of linked. Code is left alone.
    """

    def link(found: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(home, found["target"]))
        to = _page_of(target)
        if to is None:
            return f"{found['text']} (`{target}`)" if target not in found["text"] else found["text"]
        relative = posixpath.relpath(to, posixpath.dirname(place) or ".")
        return f"[{found['text']}]({relative}{found['part'] or ''})"

    parts = _FENCE.split(markdown)
    return "".join(part if n % 2 else _LINK.sub(link, part) for n, part in enumerate(parts))


def _page_of(target: str) -> str | None:
    """The page of the site for a file of the repository, if it has one."""
    recipe = re.fullmatch(rf"{RECIPES}/(\w+)(?:/README\.md)?", target)
    if recipe:
        return f"recipes/{recipe[1]}.md"
    inside = target.removeprefix("docs/")
    return inside if inside != target and (ROOT / target).is_file() else None


def commands() -> str:
    """Every command with the help that it prints itself."""
    from seedbed.cli.commands import COMMANDS

    parts = ["# Command line", _block(_help())]
    parts += [f"## seedbed {name}\n\n{_block(_help(name))}" for name in COMMANDS]
    return "\n\n".join(parts) + "\n"


def _help(*command: str) -> str:
    """What a command says of itself, as wide as a page of the site."""
    told = subprocess.run(
        [sys.executable, "-m", "seedbed", *command, "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "COLUMNS": "92"},
    )
    return told.stdout


def settings() -> str:
    """The config with every key explained: what `seedbed init` writes."""
    text = (resources("seedbed") / "template.toml").read_text(encoding="utf-8")
    lead = "What `seedbed init` writes, every key with its meaning."
    return f"# Config\n\n{lead}\n\n```toml\n{text}```\n"


def _block(text: str) -> str:
    return f"```text\n{text.rstrip()}\n```"


def api() -> str:
    """The public names, and modules for those who build on them, from their docstrings."""
    import seedbed

    names = [f"::: {_home(name)}.{name}" for name in seedbed.__all__]
    modules = [f"::: {name}" for name in MODULES]
    lead = "# Python API\n\nThe names that `import seedbed` offers."
    more = "## Modules\n\nFor those who build on parts."
    return "\n\n".join([lead, *names, more, *modules]) + "\n"


def _home(name: str) -> str:
    """The module that defines a public name, where the reader of docstrings finds it."""
    return str(resolve_name(f"seedbed:{name}").__module__)
