"""The dependency rule, instant start-up, and what a reader can rely on, as tests."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src" / "seedbed"

LAYERS = (
    {"records", "errors"},
    {
        "streams",
        "prompts",
        "files",
        "markup",
        "forecast",
        "journal_file",
        "journal_writer",
        "journal",
        "ray_cluster",
    },
    {"models"},
    {"datasets", "export", "card"},
    {"curate"},
    {"recipes"},
    {"training", "evaluate"},
    {"config_tables"},
    {"config_recipes"},
    {"config_ablate", "config_steered", "config_student"},
    {"config"},
    {"folder"},
    {"agreement", "decisions", "plan", "projections"},
    {"in_process"},
    {"session", "endpoint"},
    {"stopping"},
    {"checking", "describe", "wiring"},
    {"run", "measuring"},
    {"report", "view", "ablate"},
    {"cli"},
)
"""A module imports from its own layer and those before it."""

FORBIDDEN = {
    "recipes": {"journal", "config", "datasets", "export", "models.chat", "models.journaled"},
    "curate": {"journal", "models", "config"},
    "models": {"curate", "recipes", "config"},
}

HEAVY = {
    "aiohttp",
    "datasets",
    "genai_prices",
    "huggingface_hub",
    "langdetect",
    "lm_eval",
    "numba",
    "numpy",
    "pandas",
    "pyarrow",
    "rensa",
    "pydantic",
    "ray",
    "rich",
    "sklearn",
    "torch",
    "transformers",
}


def modules() -> Iterator[tuple[str, str, ast.Module]]:
    """Each module's top name, its dotted name below the package, and its tree."""
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        names = [part for part in parts if not part.startswith("__")]
        if names:
            yield names[0], ".".join(names), ast.parse(path.read_text(encoding="utf-8"))


def imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_imports_point_one_way() -> None:
    rank = {name: number for number, layer in enumerate(LAYERS) for name in layer}
    for home, name, tree in modules():
        assert home in rank, f"{name}: give it a layer in this test"
        for target in imported(tree):
            if not target.startswith("seedbed."):
                continue
            below = target.removeprefix("seedbed.")
            top = below.split(".")[0]
            assert rank[top] <= rank[home], f"{name} must not import {target}"
            for forbidden in FORBIDDEN.get(home, set()):
                inside = below == forbidden or below.startswith(forbidden + ".")
                assert not inside, f"{name} must not know {target}"


def test_only_the_command_line_prints() -> None:
    for home, name, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id != "print" or home == "cli", f"{name} prints"


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from seedbed.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        f"print(sorted({HEAVY!r} & set(sys.modules)))"
    )
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert child.stdout.splitlines()[-1] == "[]"


def test_the_public_names_are_what_the_package_says() -> None:
    import seedbed

    for name in seedbed.__all__:
        assert getattr(seedbed, name) is not None
    assert sorted(seedbed.__all__) == list(seedbed.__all__)


def test_no_file_outgrows_its_reader() -> None:
    for path in SOURCE.rglob("*.py"):
        lines = len(path.read_text(encoding="utf-8").splitlines())
        assert lines <= 300, f"{path.relative_to(SOURCE)}: {lines} lines"


def test_a_recipe_fits_on_about_a_page() -> None:
    """The generator itself: what a reader compares with the paper."""
    for path in (SOURCE / "recipes").glob("*/__init__.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.AsyncFunctionDef):
                size = (node.end_lineno or node.lineno) - node.lineno + 1
                assert size <= 70, f"{path.parent.name}.{node.name}: {size} lines"
