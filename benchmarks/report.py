"""How long `seedbed report` takes and how large its page is; with --shots, pictures of it.

    python -m benchmarks.report FOLDER [RUN …] [--sizes 4000 100000] [--shots] [--chromium PATH]

Makes synthetic runs of those sizes in FOLDER, and reports on them and on the runs named. Needs
`pip install -e '.[dev]'`, and a Chromium for the pictures: FOLDER/NAME-WIDTH-SCHEME.png, each the
whole page.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.screenshots import FLAGS
from benchmarks.view import build
from playwright.sync_api import Browser, sync_playwright


def report(run: Path, folder: Path) -> Path:
    """Make the report in a process of its own, as a person does; print a row; return the page."""
    page = folder / f"{run.name}.html"
    started = time.perf_counter()
    command = [sys.executable, "-m", "seedbed", "report", str(run), "--out", str(page)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    seconds = time.perf_counter() - started
    with (run / "examples.jsonl").open(encoding="utf-8") as file:
        examples = sum(1 for _ in file)
    size = page.stat().st_size / 1e6
    print(f"| {run.name} | {examples:,} | {seconds:.1f} | {size:.2f} MB |", flush=True)
    return page


def picture(browser: Browser, page_file: Path, width: int, *, dark: bool) -> None:
    """The whole page, with every plot drawn."""
    scheme = "dark" if dark else "light"
    page = browser.new_page(
        viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light"
    )
    page.goto(page_file.resolve().as_uri())
    page.wait_for_selector("html[data-ready]")
    for canvas in page.locator(".canvas").all():
        canvas.scroll_into_view_if_needed()
        canvas.locator(".main-svg").first.wait_for(state="attached")
    out = page_file.with_name(f"{page_file.stem}-{width}-{scheme}.png")
    page.screenshot(path=out, full_page=True)
    page.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("runs", nargs="*", type=Path)
    parser.add_argument("--sizes", nargs="*", type=int, default=[4_000, 100_000])
    parser.add_argument("--shots", action="store_true")
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    runs = list(options.runs)
    for size in options.sizes:
        runs.append(options.folder / f"synthetic_{size}")
        build(runs[-1], size)
    print("| run | examples | seconds | page |\n|---|---|---|---|")
    pages = [report(run, options.folder) for run in runs]
    if not options.shots:
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=options.chromium, args=list(FLAGS), headless=True
        )
        for page in pages:
            for width in (1440, 390):
                for dark in (False, True):
                    picture(browser, page, width, dark=dark)
        browser.close()


if __name__ == "__main__":
    main()
