"""The documentation builds without a network, leads nowhere wrong, and its code blocks work.

Each page of `docs/` and each recipe's is followed from top to bottom in a folder of its own: a TOML
block that begins with `# NAME.toml` is saved under that name, a console block's lines are typed,
Python is run. A block under `<!-- checked, not run: … -->` needs what a test has not (a key, a GPU,
hours): its commands are checked for their options and its configs for their keys. There is no third
kind: what is typed stands in a console block.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from docs.hooks import generated, relinked
from tests.report.worlds import Page
from tests.runs import config, run

from seedbed.cli import parser
from seedbed.cli.commands import COMMANDS
from seedbed.config import parse_config
from seedbed.measuring.students import read_eval_config

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))
READMES = (ROOT / "src" / "seedbed" / "recipes").glob("*/README.md")
RECIPES = sorted(f"recipes/{path.parent.name}.md" for path in READMES)
SLOW = {"tutorial.md"}

_BLOCK = re.compile(
    r"(?P<mark><!-- checked, not run: .+? -->\n)?^```(?P<language>\w*)[^\n]*\n(?P<text>.*?)^```",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Code:
    language: str
    text: str
    run: bool

    @property
    def commands(self) -> list[str]:
        """What is typed, without the words behind it."""
        lines = [line.removeprefix("$ ") for line in self.text.splitlines()
                 if line.startswith("$ ")]  # fmt: skip
        return [re.sub(r"\s+#.*", "", line).removesuffix(" &") for line in lines]


def codes(page: str) -> Iterator[Code]:
    text = generated()[page] if page in RECIPES else (DOCS / page).read_text(encoding="utf-8")
    for found in _BLOCK.finditer(text):
        yield Code(found["language"], found["text"], found["mark"] is None)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built with every warning an error and no way to the outside."""
    out = tmp_path_factory.mktemp("site")
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"),
                            "http://127.0.0.1:9")  # fmt: skip
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(out)]
    built = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=300,
        env={**os.environ, **nowhere, "NO_MKDOCS_2_WARNING": "1"},
    )  # fmt: skip
    assert built.returncode == 0, built.stdout + built.stderr
    return out


def test_every_page_is_built_and_in_the_navigation(site: Path) -> None:
    named = set(re.findall(r"[\w/]+\.md", (ROOT / "mkdocs.yml").read_text(encoding="utf-8")))
    assert named == {*PAGES, *generated()}
    for page in named:
        assert (site / page).with_suffix(".html").is_file()


def test_the_site_loads_nothing_from_elsewhere(site: Path) -> None:
    for path in site.rglob("*.html"):
        page = Page(path.read_text(encoding="utf-8"))
        sources = [str(found.get("src")) for tag in ("script", "img") for found in page.all(tag)]
        sources += [str(link.get("href")) for link in page.all("link")
                    if link.get("rel") in ("stylesheet", "preconnect", "icon")]  # fmt: skip
        assert not [source for source in sources if source.startswith(("http", "//"))], path


def test_the_reference_has_every_command_every_option_and_every_public_name(site: Path) -> None:
    import seedbed

    commands = generated()["reference/commands.md"]
    for name in COMMANDS:
        assert f"## seedbed {name}\n" in commands
    assert "--near-duplicates" in commands
    api = (site / "reference" / "api.html").read_text(encoding="utf-8")
    for name in seedbed.__all__:
        assert re.search(rf'id="seedbed\.[\w.]*\b{name}"', api), name


def test_a_recipe_s_page_is_its_readme() -> None:
    for path in (ROOT / "src" / "seedbed" / "recipes").glob("*/README.md"):
        first = path.read_text(encoding="utf-8").splitlines()[0]
        assert generated()[f"recipes/{path.parent.name}.md"].startswith(first)


def test_links_into_the_repository_become_links_of_the_site_or_plain_words() -> None:
    text = "[a](../src/seedbed/recipes/sedi/README.md#x) [b](../Makefile) [c](concepts.md)"
    assert relinked(text, home="docs", place="index.md") == (
        "[a](recipes/sedi.md#x) b (`Makefile`) [c](concepts.md)"
    )
    code = "```text\n[b](../Makefile)\n```"
    assert relinked(code, home="docs", place="index.md") == code


@pytest.mark.parametrize("page", [p for p in [*PAGES, *RECIPES] if p not in SLOW])
def test_the_code_on_a_page_works(page: str, tmp_path: Path) -> None:
    follow(page, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("page", sorted(SLOW))
def test_the_code_on_a_long_page_works(page: str, tmp_path: Path) -> None:
    follow(page, tmp_path)


def follow(page: str, folder: Path) -> None:
    blocks = list(codes(page))
    if any(code.run and "runs/" in code.text for code in blocks) and page not in SLOW:
        for name in ("demo", "other"):
            run(config(folder, run=name))
            (folder / "runs").mkdir(exist_ok=True)
            (folder / name).rename(folder / "runs" / name)
    for code in blocks:
        match code.language:
            case "toml":
                save(code, folder)
            case "python":
                done([sys.executable, "-c", code.text], folder)
            case "console":
                assert code.commands, f"nothing is typed in a console block of {page}"
                for command in code.commands:
                    typed(command, folder, really=code.run)
            case language:
                assert language in ("", "text", "json"), f"{page}: how is {language} tested?"
                assert not re.search(r"^(\$|seedbed) ", code.text, re.MULTILINE), code.text


def save(code: Code, folder: Path) -> None:
    """Check a config, and keep it if it says under which name."""
    named = re.match(r"# (\w+\.toml)\n", code.text)
    if named:
        (folder / named[1]).write_text(code.text, encoding="utf-8")
        if "[student]\nmodel =" in code.text:  # a config of `seedbed eval`
            read_eval_config(folder / named[1])
            return
    whole = code.text if "[teacher]" in code.text else f'{code.text}\n[teacher]\nmodel = "practice"'
    parse_config(whole, place="documentation")


def typed(command: str, folder: Path, *, really: bool) -> None:
    words = shlex.split(command)
    if words[:2] == ["pip", "install"]:
        extras = {name for group in re.findall(r"seedbed\[([\w,]+)\]", command)
                  for name in group.split(",")}  # fmt: skip
        assert extras <= set(project()["optional-dependencies"])
        return
    if words[0] == "seedbed":
        parser().parse_args(words[1:])
        if really:
            done([sys.executable, "-m", *words], folder)
    else:
        assert not really, f"{command}: mark its block as checked, not run"


def done(command: list[str], folder: Path) -> None:
    result = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=300,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"


def project() -> Mapping[str, dict[str, list[str]]]:
    content: Mapping[str, dict[str, list[str]]]
    content = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return content
