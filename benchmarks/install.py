"""How long an installation takes: seedbed[train] beside TRL, each in a fresh virtual environment.

    python benchmarks/install.py [--repeat 2]

PyTorch is installed first in both, at the project's pin and timed by itself, since it is most of
either. Nothing is taken from pip's cache; the two are installed in turn, and the quickest of each
counts.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]
CONSTRAINTS = ("--constraint", str(ROOT / "constraints.txt"))
TORCH = "torch==2.13.0"
SETS = {"seedbed[train]": f"{ROOT}[train]", "trl": "trl"}


def installed(what: str, folder: Path) -> tuple[float, float, int]:
    """Seconds for PyTorch, seconds for the rest, and how many packages there are then."""
    venv.create(folder, with_pip=True)
    pip = [str(folder / "bin" / "pip"), "--disable-pip-version-check"]
    seconds = []
    for name in (TORCH, what):
        begin = time.monotonic()
        install = [*pip, "install", "--quiet", "--no-cache-dir", *CONSTRAINTS, name]
        subprocess.run(install, check=True, capture_output=True)
        seconds.append(time.monotonic() - begin)
    listed = subprocess.run([*pip, "list", "--format=freeze"], check=True, capture_output=True)
    return seconds[0], seconds[1], len(listed.stdout.splitlines())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=2)
    options = parser.parse_args()
    found: dict[str, list[tuple[float, float, int]]] = {name: [] for name in SETS}
    for _ in range(options.repeat):
        for name, what in SETS.items():
            with tempfile.TemporaryDirectory() as folder:
                found[name].append(installed(what, Path(folder) / "venv"))
                print(f"{name}: {found[name][-1]}", file=sys.stderr, flush=True)
    print("| installed | PyTorch, s | the rest, s | packages |")
    print("|---|---|---|---|")
    for name, times in found.items():
        torch, rest = min(one[0] for one in times), min(one[1] for one in times)
        print(f"| {name} | {torch:.1f} | {rest:.1f} | {times[0][2]} |")


if __name__ == "__main__":
    main()
