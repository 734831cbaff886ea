"""The page and the Markdown: whole, small, closed to the outside, and safe with hostile text."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import plotly.graph_objects as go
import pytest
from markdown_it import MarkdownIt
from playwright.sync_api import Browser, sync_playwright
from tests.report.worlds import (
    HOSTILE,
    Page,
    blocks_of,
    example,
    hostile_run,
    measured,
    run_of,
    trained,
)

from seedbed.cli import main
from seedbed.report import make_report, write_report
from seedbed.report.document import Document, Figure
from seedbed.report.markdown import markdown
from seedbed.report.page import html

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"

Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        pytest.skip("no chromium here")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = hostile_run(tmp_path_factory.mktemp("hostile") / "run")
    write_report(make_report([folder]), folder / "report.html", folder / "report.md")
    return folder


def test_the_page_is_one_file_that_asks_nobody_for_anything(practice_report: Document) -> None:
    page = Page(html(practice_report))
    policy = next(m["content"] for m in page.all("meta") if "http-equiv" in m)
    assert policy is not None
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe-eval" not in policy
    assert not page.all("link") + page.all("img") + page.all("iframe")
    assert all("src" not in script for script in page.all("script"))
    assert all((a["href"] or "").startswith("#") for a in page.all("a"))


def test_links_lead_somewhere_and_ids_are_unique(practice_report: Document) -> None:
    page = Page(html(practice_report))
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(set(ids)) == len(ids)
    assert {(a["href"] or "")[1:] for a in page.all("a")} <= {*ids}


def test_four_thousand_examples_stay_under_six_megabytes(tmp_path: Path) -> None:
    long = "and then some more words of it " * 12
    examples = [
        example(f"Task {n} of {n * 31 % 997}: {long}", long * 2, skills=(f"s{n % 60}", f"t{n % 7}"))
        for n in range(4_000)
    ]
    assert len(html(make_report([run_of(tmp_path / "run", examples)])).encode()) < 6_000_000


def test_every_plot_is_valid_for_plotly_and_has_its_table_and_words(
    practice_run: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(practice_run, tmp_path / "run")
    trained(folder)
    measured(folder)
    figures = [block for block in blocks_of(make_report([folder])) if isinstance(block, Figure)]
    assert len(figures) >= 14
    for figure in figures:
        text = re.sub(r'"@scale"', '"Blues"', json.dumps([figure.data, figure.layout]))
        data, layout = json.loads(re.sub(r'"@[a-z0-9-]+"', '"#112233"', text))
        go.Figure(data=data, layout=layout)
        assert figure.question.endswith("?")
        assert figure.answer.endswith(".")
        assert figure.table.rows


def test_hostile_text_makes_no_element_in_the_page(hostile: Path) -> None:
    page = Page((hostile / "report.html").read_text(encoding="utf-8"))
    assert len(page.all("script")) == 3
    for tag in ("img", "svg", "iframe", "b"):
        assert not page.all(tag), tag
    assert not any(name.startswith("on") for _, found in page.elements for name in found)


def test_hostile_text_makes_no_element_in_the_markdown(hostile: Path) -> None:
    text = (hostile / "report.md").read_text(encoding="utf-8")
    shown = MarkdownIt("commonmark", {"html": True}).enable("table").render(text)
    page = Page(shown)
    for tag in ("script", "img", "svg", "iframe", "style", "a", "b"):
        assert not page.all(tag), tag


def test_hostile_text_does_nothing_in_a_browser(hostile: Path, browser: Browser) -> None:
    page = browser.new_page(viewport={"width": 1000, "height": 800})
    trouble: list[str] = []
    asked: list[str] = []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("console", lambda said: trouble.append(said.text) if said.type == "error" else None)
    page.on("request", lambda request: asked.append(request.url))
    page.goto((hostile / "report.html").as_uri())
    page.wait_for_selector("html[data-ready]")
    for group in page.locator("details").all():
        group.evaluate("element => { element.open = true }")
    for canvas in page.locator(".canvas").all():
        canvas.scroll_into_view_if_needed()
        canvas.locator(".main-svg").first.wait_for(state="attached")
    assert page.evaluate("window.hacked") is None
    assert page.locator("svg a, iframe, main img").count() == 0
    assert not trouble
    assert asked == [(hostile / "report.html").as_uri()]
    whole = page.inner_text("main")
    assert "<img src=x onerror='window.hacked = 2'>" in whole
    assert "\u202e" not in whole
    assert "\x1b" not in whole
    page.close()


@pytest.mark.parametrize("width", [1440, 390])
def test_every_plot_is_drawn_in_both_schemes_and_nothing_sticks_out(
    practice_report: Document, tmp_path: Path, browser: Browser, width: int
) -> None:
    write_report(practice_report, tmp_path / "page.html", None)
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme="light")
    page.goto((tmp_path / "page.html").as_uri())
    page.wait_for_selector("html[data-ready]")
    canvases = page.locator(".canvas").all()
    for canvas in canvases:
        canvas.scroll_into_view_if_needed()
        canvas.locator(".main-svg").first.wait_for(state="attached")
    colour = "getComputedStyle(document.querySelector('#skills .barlayer .point path')).fill"
    light = page.evaluate(colour)
    page.emulate_media(color_scheme="dark")
    for _ in range(50):  # the page forbids the scripts that waiting for an expression needs
        if page.evaluate(colour) == light:
            page.wait_for_timeout(100)
    assert page.evaluate(colour) != light
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.close()


def test_without_scripts_the_tables_tell_it(
    practice_report: Document, tmp_path: Path, browser: Browser
) -> None:
    write_report(practice_report, tmp_path / "page.html", None)
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((tmp_path / "page.html").as_uri())
    assert not page.locator(".canvas").first.is_visible()
    page.locator("#flow summary").click()
    assert page.locator("#flow table").is_visible()
    context.close()


def test_the_colours_of_text_have_contrast(
    practice_report: Document, tmp_path: Path, browser: Browser
) -> None:
    """WCAG 2 AA: 4.5 to 1 for every text of the page, in both schemes."""
    write_report(practice_report, tmp_path / "page.html", None)
    for scheme in ("light", "dark"):
        page = browser.new_page(color_scheme="dark" if scheme == "dark" else "light")
        page.goto((tmp_path / "page.html").as_uri())
        weak = page.evaluate(_CONTRAST)
        assert not weak, (scheme, weak[:5])
        page.close()


_CONTRAST = """() => {
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, at) => sum + v * [0.2126, 0.7152, 0.0722][at], 0);
  const parts = (text) => text.match(/[\\d.]+/g).map(Number);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parts(getComputedStyle(at).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const weak = [];
  const texts = "p, h1, h2, h3, h4, h5, h6, th, td, pre, a, span, dt, dd, summary, li";
  for (const element of document.querySelectorAll(texts)) {
    if (!element.innerText || element.closest(".canvas")) continue;
    const [one, other] = [light(parts(getComputedStyle(element).color)), light(behind(element))];
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (ratio < 4.5) weak.push([element.tagName, element.className, ratio]);
  }
  return weak;
}"""


def test_the_markdown_tells_the_same_story(practice_report: Document) -> None:
    text = markdown(practice_report)
    for block in blocks_of(practice_report):
        if isinstance(block, Figure):
            assert f"#### {block.question}" in text
    assert text.count("*Source: ") > 10
    assert "| kept | 60 |" in text


def test_the_command_writes_both_and_tells_machines(
    practice_run: Path, tmp_path: Path, capsys: Captured
) -> None:
    out = tmp_path / "story"
    assert main(["report", str(practice_run), "--out", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["files"] == [f"{out}.html", f"{out}.md"]
    assert told["findings"]
    assert main(["report", str(practice_run), "--out", str(tmp_path / "only.md")]) == 0
    assert not (tmp_path / "only.html").exists()
    assert "only.md" in capsys.readouterr().out


def test_hostile_texts_are_all_shown_somewhere(hostile: Path) -> None:
    """Otherwise the tests above would try nothing."""
    text = (hostile / "report.md").read_text(encoding="utf-8")
    assert all(mark[:8] in text for mark in HOSTILE[:5])
