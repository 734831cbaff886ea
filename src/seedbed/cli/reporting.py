"""`seedbed report`: what a run made, to be read by people."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from seedbed.errors import ConfigError


def add_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("runs", nargs="+", metavar="RUN", help="the folder of a run")
    command.add_argument(
        "--out",
        metavar="FILE",
        help="FILE.html, FILE.md, or a name for both (default: report.html and report.md in the "
        "first run's folder)",
    )
    command.add_argument(
        "--evaluation",
        action="append",
        default=[],
        metavar="PLACE",
        help="a file or folder of benchmark results to add to the first run; those in its folder "
        "are found without",
    )
    command.add_argument("--json", action="store_true", help="print what was written as JSON")


def report(options: argparse.Namespace) -> int:
    from seedbed.report import make_report, write_report

    page, text = _places(options)
    runs = [Path(run) for run in options.runs]
    document = make_report(runs, evaluations=[_there(place) for place in options.evaluation])
    write_report(document, page, text)
    written = [path for path in (page, text) if path is not None]
    if options.json:
        findings = [
            {"run": chapter.title, "weight": finding.weight, "text": finding.text}
            for chapter in document.chapters
            for finding in chapter.findings
        ]
        content = {"files": [str(path) for path in written], "findings": findings}
        print(json.dumps(content, ensure_ascii=False, indent=1))
        return 0
    for path in written:
        print(f"{path} ({path.stat().st_size / 1e6:.1f} MB)")
    return 0


def _places(options: argparse.Namespace) -> tuple[Path | None, Path | None]:
    """Where the page and the Markdown go; None for what is not asked for."""
    out = Path(options.out) if options.out else Path(options.runs[0]) / "report"
    if out.suffix == ".html":
        return out, None
    if out.suffix == ".md":
        return None, out
    return out.with_name(f"{out.name}.html"), out.with_name(f"{out.name}.md")


def _there(place: str) -> Path:
    if not Path(place).exists():
        raise ConfigError(f"--evaluation {place}: no such file or folder")
    return Path(place)
