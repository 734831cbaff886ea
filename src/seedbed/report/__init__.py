"""A report of one run or several: the story first, then the evidence, as a page and as Markdown.

    report = make_report([Path("runs/demo")])
    write_report(report, Path("report.html"), Path("report.md"))

It reads the runs' folders and writes nothing into them but the report itself. The same files give
the same report, byte for byte: samples are drawn with fixed seeds, and no time of day is in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from seedbed.errors import ConfigError
from seedbed.files import write_text
from seedbed.report.chapters import chapter
from seedbed.report.compare import side_by_side
from seedbed.report.document import Document
from seedbed.report.markdown import markdown
from seedbed.report.measures import measured
from seedbed.report.page import html
from seedbed.report.reading import read_runs


def make_report(runs: Sequence[Path], *, evaluations: Sequence[Path] = ()) -> Document:
    """Read the runs and compute all that their report says.

    Args:
        runs: folders of runs, each once.
        evaluations: files or folders of benchmark results to add to the first run's; those beside
            its checkpoints are found without.

    Raises:
        ConfigError: no run is given, a place is not a run, or scikit-learn is not installed.
        DatasetError: a file of a run is not what it should be.
    """
    if not runs:
        raise ConfigError("report: no run is given", hint="seedbed report runs/NAME")
    found = read_runs(runs, evaluations=evaluations)
    if len(found) == 1:
        made = [chapter(measured(found[0], prefix=""))]
        title = f"{found[0].name}: what the run made"
    else:
        every = [measured(run, prefix=f"run-{n}-") for n, run in enumerate(found, 1)]
        made = [side_by_side(every), *map(chapter, every)]
        title = f"{len(found)} runs side by side"
    names = ", ".join(run.name for run in found)
    return Document(
        title=title,
        made=f"Made by seedbed {version('seedbed')} from the files of {names}.",
        chapters=made,
    )


def write_report(document: Document, page: Path | None, text: Path | None) -> None:
    """Write the page, the Markdown, or both.

    Raises:
        ConfigError: plotly is not installed.
        StorageError: a file cannot be written.
    """
    if page is not None:
        write_text(page, html(document))
    if text is not None:
        write_text(text, markdown(document))
