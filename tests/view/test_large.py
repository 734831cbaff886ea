"""100,000 examples: everything is found, and a list shows a page of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from urllib.parse import quote

import pytest
from benchmarks.view import Asker, build, indexed
from playwright.sync_api import expect
from tests.view.browsing import NEEDS_BROWSER, browser, opened
from tests.view.worlds import viewing

COUNT = 100_000

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    path = tmp_path_factory.mktemp("large") / "run"
    build(path, COUNT, distinct=1000)
    with viewing(path) as address:
        yield address


def test_a_page_is_there_while_all_is_read(large: str) -> None:
    with closing(Asker(large)) as asker:
        assert len(asker.get("/api/items")["items"]) == 50
        state = indexed(asker)
        assert (state["examples"], state["drops"]) == (COUNT, COUNT // 20)
        counts = asker.get("/api/facets")
        assert counts["total"] == COUNT
        assert sum(count for _, count in counts["values"]["query_type"]) == COUNT
        assert sum(count for _, count in counts["values"]["skill"]) == 2 * COUNT
        kind, count = counts["values"]["query_type"][0]
        assert asker.get(f"/api/facets?query_type={quote(kind)}")["total"] == count
        seen = asker.get("/api/items?search=%22Case%20100%22&sort=order&way=down")
        assert len(seen["items"]) == 50
        last = asker.get("/api/items?way=down")["items"][0]
        assert last["excerpt"].startswith("Case 100. ")


@NEEDS_BROWSER
def test_a_large_run_is_browsed_like_a_small_one(large: str) -> None:
    with browser() as chromium:
        there = opened(chromium, large)
        page = there.page
        expect(page.locator("#count-examples")).to_have_text("100K", timeout=120_000)
        expect(page.locator(".items li")).to_have_count(50)
        page.locator(".side .option").first.click()
        expect(page.locator(".found")).not_to_have_text("100,000 examples")
        page.locator(".chip").click()
        expect(page.locator(".found")).to_have_text("100,000 examples")
        page.keyboard.press("j")
        for _ in range(60):
            page.keyboard.press("j")
        expect(page.locator(".items li").nth(60)).to_be_attached()
        assert page.locator(".items li").count() <= 200
        there.check()
