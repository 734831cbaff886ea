"""A real browser for the tests of the page, that reports whatever it should not have done."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, Dialog, Page, expect, sync_playwright

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

NEEDS_BROWSER = pytest.mark.skipif(
    CHROMIUM is None, reason="no chromium on this machine (Debian: apt-get install chromium)"
)

WATCH_POLICY = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.violations.push(`${event.violatedDirective}: ${event.blockedURI} ${event.sample}`);
});
"""


@dataclass(slots=True)
class Watched:
    """A page, and what went wrong in it: dialogs, errors, violations, requests to elsewhere."""

    page: Page
    wrong: list[str] = field(default_factory=list)

    def check(self) -> None:
        """Nothing was executed, refused or sent that should not have been."""
        assert self.wrong + self.page.evaluate("window.violations") == []


@contextmanager
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS])
        try:
            yield launched
        finally:
            launched.close()


def opened(
    browser: Browser, address: str, *, width: int = 1440, height: int = 900, scheme: str = "light"
) -> Watched:
    """The page at an address, in a context of its own, with its first items."""
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    context.set_default_timeout(60_000)
    expect.set_options(timeout=60_000)
    context.add_init_script(WATCH_POLICY)
    watched = Watched(context.new_page())
    wrong, page = watched.wrong, watched.page
    host = address.split("/?")[0]

    def refuse(dialog: Dialog) -> None:
        wrong.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    page.on("dialog", refuse)
    page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
    page.on(
        "console",
        lambda said: wrong.append(f"console: {said.text}") if said.type == "error" else None,
    )
    page.on(
        "request",
        lambda asked: None if asked.url.startswith(host) else wrong.append(f"asked {asked.url}"),
    )
    page.on("popup", lambda popup: wrong.append(f"popup: {popup.url}"))
    page.goto(address)
    page.wait_for_selector(".items li, .run .cards")
    return watched
