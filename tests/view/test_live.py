"""A run that goes on is followed, and not disturbed."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

from playwright.sync_api import expect
from tests.runs import config, lines, made, run
from tests.view.browsing import NEEDS_BROWSER, browser, opened
from tests.view.worlds import viewing

pytestmark = NEEDS_BROWSER

SLOW = "trouble = { truncated = 0.15, latency = 0.25 }\nmax_in_flight = 6"


def test_the_page_follows_a_run_to_its_end(tmp_path: Path) -> None:
    path = config(tmp_path, count=60, teacher=SLOW)
    folder = tmp_path / "run"
    command = [sys.executable, "-m", "seedbed", "run", str(path)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        try:
            while not (folder / "manifest.json").exists():
                time.sleep(0.05)
            with viewing(folder) as address, browser() as chromium:
                there = opened(chromium, address)
                page = there.page
                expect(page.locator(".status")).to_have_text("running")
                expect(page.locator(".run-head progress")).to_be_visible(timeout=120_000)
                expect(page.locator(".newest").first.locator("li").first).to_be_visible(
                    timeout=120_000
                )
                assert process.poll() is None, "items are shown while the run goes on"
                assert not (folder / "examples.jsonl").exists()
                expect(page.locator("#live")).to_contain_text("/ 60")
                key = page.locator(".newest").first.locator("button").first
                key.click()
                expect(page.locator("#item-title")).to_contain_text("Example")
                page.keyboard.press("2")
                expect(page.locator(".call")).to_have_count(3)
                page.keyboard.press("1")
                page.keyboard.press("a")
                page.wait_for_selector(".items li[data-verdict=accept]")
                process.wait(timeout=240)
                page.keyboard.press("Escape")
                expect(page.locator("#count-examples")).to_have_text("60", timeout=120_000)
                expect(page.locator("#live")).to_be_hidden(timeout=120_000)
                page.keyboard.press("g")
                page.keyboard.press("r")
                expect(page.locator(".status")).to_have_text("complete")
                there.check()
        finally:
            process.kill()
    assert process.returncode == 0
    assert len(lines(folder / "examples.jsonl")) == 60
    assert len(lines(folder / "decisions.jsonl")) == 1
    assert not list(folder.glob("journal.db-*")), "the view left nothing open"
    alone = tmp_path / "alone"
    alone.mkdir()
    run(config(alone, count=60, teacher=SLOW.replace("latency = 0.25", "latency = 0")))
    assert set(made(alone / "run")) == set(made(folder))


def test_a_run_that_was_killed_shows_what_it_had(tmp_path: Path) -> None:
    path = config(tmp_path, count=60, teacher=SLOW)
    folder = tmp_path / "run"
    command = [sys.executable, "-m", "seedbed", "run", str(path)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 240
        while not any(file.stat().st_size for file in folder.glob(".examples.jsonl.*.tmp")):
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.1)
        process.send_signal(signal.SIGKILL)
    with viewing(folder) as address, browser() as chromium:
        there = opened(chromium, f"{address}#/examples")
        expect(there.page.locator(".items li").first).to_be_visible()
        there.page.goto(there.page.url.split("#")[0] + "#/run")
        expect(there.page.locator("#notice")).to_contain_text("was cut off", timeout=120_000)
        there.check()
    assert not (folder / "examples.jsonl").exists()
