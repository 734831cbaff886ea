"""Screenshots of `seedbed view`: wide and narrow, light and dark.

    python benchmarks/screenshots.py RUN FOLDER [--chromium /usr/bin/chromium]

Needs `pip install -e '.[dev]'` and a Chromium; each picture is named for what it shows.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

SIZES = {"1440": (1440, 900), "390": (390, 844)}

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextmanager
def served(run: Path) -> Iterator[str]:
    """The address of a `seedbed view` that ends with the block."""
    command = [sys.executable, "-m", "seedbed", "view", str(run), "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def opened(browser: Browser, address: str, size: tuple[int, int], scheme: str) -> Page:
    width, height = size
    dark = scheme == "dark"
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "light",
        device_scale_factor=1.5 if width < 500 else 1,
    )
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector(".items li, .run")
    return page


def close(page: Page) -> None:
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog", state="detached")


def views(page: Page) -> Iterator[str]:
    """Brings up one view after the other; its name, when it can be seen."""
    page.wait_for_timeout(600)
    yield "list"
    page.locator(".items li").nth(2).locator("a").click()
    page.wait_for_selector(".tab-body .text")
    yield "example"
    for key, name in (
        ("2", "conversation"),
        ("3", "lineage"),
        ("4", "neighbours"),
        ("5", "record"),
    ):
        page.keyboard.press(key)
        page.wait_for_selector(f"#tab-{name}[aria-selected=true]")
        page.wait_for_timeout(700)
        yield name
    page.keyboard.press("x")
    page.wait_for_selector("dialog[open]")
    yield "reject"
    close(page)
    page.keyboard.press("e")
    page.wait_for_selector("dialog[open] textarea")
    yield "edit"
    close(page)
    page.keyboard.press("?")
    page.wait_for_selector("dialog[open]")
    yield "help"
    close(page)
    page.goto(page.url.split("#")[0] + "#/drops")
    page.reload()
    page.wait_for_selector(".items li")
    page.locator(".items li a").first.click()
    page.wait_for_selector(".evidence")
    yield "drop"
    page.goto(page.url.split("#")[0] + "#/run")
    page.reload()
    page.wait_for_selector(".run .cards")
    yield "run"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    with served(options.run) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=options.chromium, args=[*FLAGS])
        for width, size in SIZES.items():
            for scheme in ("light", "dark"):
                page = opened(browser, address, size, scheme)
                for name in views(page):
                    path = options.folder / f"{name}-{width}-{scheme}.png"
                    page.screenshot(path=path)
                    print(path)
                page.context.close()
        browser.close()


if __name__ == "__main__":
    main()
