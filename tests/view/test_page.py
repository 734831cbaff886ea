"""The page in a real browser: every view, the keyboard, decisions, two schemes, two widths."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from tests.runs import config, lines, run
from tests.view.browsing import NEEDS_BROWSER, Watched, browser, opened
from tests.view.worlds import apart, viewing

from seedbed.cli import main

pytestmark = NEEDS_BROWSER

TEACHER = (
    "trouble = { malformed = 0.06, truncated = 0.08, leaked_commentary = 0.1, refused = 0.05 }"
)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as launched:
        yield launched


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of 70 examples with drops and a judge."""
    folder = tmp_path_factory.mktemp("page")
    path = config(folder, count=70, teacher=TEACHER, skillmix="presence_judge = true")
    apart(lambda: run(path))
    return folder / "run"


@pytest.fixture(scope="module")
def address(made: Path) -> Iterator[str]:
    with viewing(made) as at:
        yield at


@pytest.fixture
def watched(chromium: Browser, address: str, made: Path) -> Iterator[Watched]:
    (made / "decisions.jsonl").unlink(missing_ok=True)
    there = opened(chromium, address)
    yield there
    there.check()
    there.page.context.close()


@pytest.fixture
def page(watched: Watched) -> Page:
    return watched.page


def excerpt(text: str) -> str:
    return text[:60]


def test_the_first_page_shows_the_run(page: Page, made: Path) -> None:
    rows = lines(made / "examples.jsonl")
    expect(page.locator("#run-name")).to_have_text("run")
    expect(page.locator(".found")).to_have_text("70 examples")
    expect(page.locator(".items li")).to_have_count(50)
    expect(page.locator(".items li .excerpt").first).to_contain_text(
        excerpt(rows[0]["instruction"])
    )
    assert "token" not in page.url


def test_the_list_goes_on_where_it_is_scrolled(page: Page) -> None:
    page.locator(".items li").nth(49).scroll_into_view_if_needed()
    expect(page.locator(".items li")).to_have_count(70)


def test_the_keyboard_moves_reads_and_goes_back(page: Page, made: Path) -> None:
    rows = lines(made / "examples.jsonl")
    page.keyboard.press("j")
    expect(page.locator("#item-title")).to_have_text("Example 1")
    page.keyboard.press("j")
    page.keyboard.press("k")
    expect(page.locator("#item-title")).to_have_text("Example 1")
    expect(page.locator(".text.response")).to_contain_text(rows[0]["response"].splitlines()[0])
    for key, name in (
        ("2", "conversation"),
        ("3", "lineage"),
        ("4", "neighbours"),
        ("5", "record"),
    ):
        page.keyboard.press(key)
        expect(page.locator(f"#tab-{name}")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Escape")
    expect(page.locator(".nothing")).to_be_visible()
    page.keyboard.press("?")
    expect(page.locator("dialog h2")).to_have_text("Keyboard")
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)
    page.keyboard.press("g")
    page.keyboard.press("d")
    expect(page.locator("nav a[aria-current]")).to_contain_text("Drops")
    page.keyboard.press("g")
    page.keyboard.press("r")
    expect(page.locator(".run .cards")).to_be_visible()


def test_j_goes_on_past_the_end_of_a_page(page: Page) -> None:
    page.locator(".items li a").nth(49).click()
    page.keyboard.press("j")
    expect(page.locator("#item-title")).to_have_text("Example 51")


def test_search_filters_and_sorting_narrow_the_list(page: Page, made: Path) -> None:
    rows = lines(made / "examples.jsonl")
    page.keyboard.press("/")
    page.keyboard.type("numbers")
    expected = [row for row in rows if " numbers" in f" {row['instruction']} {row['response']}"]
    expect(page.locator(".items mark").first).to_be_visible()
    expect(page.locator(".found")).not_to_have_text("70 examples")
    assert 0 < len(expected) < 70
    page.keyboard.press("Escape")
    page.locator("#search").fill("")
    expect(page.locator(".found")).to_have_text("70 examples")
    kind = rows[0]["query_type"]
    count = sum(row["query_type"] == kind for row in rows)
    page.locator(".side .option", has_text=kind).click()
    expect(page.locator(".found")).to_have_text(f"{count} examples")
    skill = rows[0]["skills"][0].replace("_", " ")
    page.locator(".items li a").first.click()
    page.locator(".fact", has_text=skill).click()
    both = [
        row for row in rows if row["query_type"] == kind and rows[0]["skills"][0] in row["skills"]
    ]
    expect(page.locator(".items li")).to_have_count(len(both))
    page.locator(".chip.clear").click()
    expect(page.locator(".found")).to_have_text("70 examples")
    page.locator("#sort").select_option("response:down")
    longest = max(rows, key=lambda row: len(row["response"]))
    expect(page.locator(".items .excerpt").first).to_contain_text(excerpt(longest["instruction"]))
    page.get_by_label("Longest response, in characters").fill("60")
    page.get_by_label("Longest response, in characters").press("Enter")
    few = sum(len(row["response"]) <= 60 for row in rows)
    expect(page.locator(".found")).to_have_text(f"{few} examples")
    page.go_back()
    expect(page.locator(".found")).to_have_text("70 examples")


def test_a_tab_is_chosen_while_its_item_is_still_fetched(page: Page) -> None:
    items, held = re.compile(r"/api/items/[^/]+$"), list[Route]()
    page.route(items, lambda route: held.append(route))
    with page.expect_request(items):
        page.locator(".items li a").first.click()
    page.keyboard.press("2")
    page.unroute(items)  # what was held goes on
    expect(page.locator(".call")).to_have_count(4)
    assert held


def test_the_conversation_shows_every_turn_as_sent_and_answered(page: Page) -> None:
    page.locator(".items li a").first.click()
    page.keyboard.press("2")
    expect(page.locator(".call")).to_have_count(4)
    expect(page.locator(".sum")).to_contain_text("tokens sent")
    expect(page.locator(".call").nth(0)).to_contain_text("You are helping to build a dataset")
    expect(page.locator(".call").nth(2).locator(".past summary")).to_contain_text("sent again")
    fold = page.locator(".turn.folded").first
    fold.locator("button").click()
    expect(page.locator(".turn button[aria-expanded=true]")).to_have_count(1)


def test_family_neighbours_and_record_lead_on(page: Page) -> None:
    page.locator(".items li a").first.click()
    page.keyboard.press("4")
    expect(page.locator(".near li")).to_have_count(8)
    page.locator(".near button").first.click()
    expect(page.locator("#item-title")).not_to_have_text("Example 1")
    page.keyboard.press("5")
    expect(page.locator(".tab-body")).to_contain_text("let it pass")
    page.keyboard.press("3")
    expect(page.locator(".tab-body")).to_contain_text("drawn by the recipe")


def test_drops_show_why(page: Page, made: Path) -> None:
    drops = lines(made / "drops.jsonl")
    page.keyboard.press("g")
    page.keyboard.press("d")
    expect(page.locator(".found")).to_have_text(f"{len(drops)} drops")
    page.locator(".items li a").first.click()
    expect(page.locator(".evidence h3")).to_contain_text(drops[0]["reason"].replace("_", " "))
    reason = drops[0]["reason"]
    page.locator(".side .option", has_text=reason).first.click()
    count = sum(row["reason"] == reason for row in drops)
    expect(page.locator(".items li")).to_have_count(count)


def test_judging_by_keyboard_is_kept_shown_and_exported(
    page: Page, made: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = lines(made / "examples.jsonl")
    page.keyboard.press("j")
    expect(page.locator("#item-title")).to_have_text("Example 1")
    page.keyboard.press("a")
    expect(page.locator("#item-title")).to_have_text("Example 2")
    page.keyboard.press("x")
    expect(page.locator("#reason")).to_be_focused()
    page.keyboard.type("it is wrong")
    page.keyboard.press("Enter")
    expect(page.locator("#item-title")).to_have_text("Example 3")
    page.keyboard.press("e")
    page.get_by_label("Response", exact=True).fill("A response of mine.")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".badge")).to_be_visible()
    expect(page.locator(".text.response .prose")).to_have_text("A response of mine.")
    marks = page.locator(".items li .mark")
    for place, sign in enumerate("✓✕✎"):
        expect(marks.nth(place)).to_have_text(sign)
    page.keyboard.press("j")
    page.keyboard.press("a")
    expect(marks.nth(3)).to_have_text("✓")
    expect(page.locator("#item-title")).to_have_text("Example 5")
    page.keyboard.press("u")
    expect(page.locator("#item-title")).to_have_text("Example 4")
    expect(marks.nth(3)).to_have_text("")
    kept = [json.loads(line) for line in (made / "decisions.jsonl").read_text().splitlines()]
    assert [(one["id"], one["verdict"], one["reason"]) for one in kept] == [
        (rows[0]["id"], "accept", ""),
        (rows[1]["id"], "reject", "it is wrong"),
        (rows[2]["id"], "accept", ""),
        (rows[3]["id"], "accept", ""),
        (rows[3]["id"], "none", ""),
    ]
    page.keyboard.press("g")
    page.keyboard.press("r")
    expect(page.locator(".card").nth(2)).to_contain_text("2 accepted, 1 rejected, 1 edited")
    expect(page.locator(".card").nth(2)).to_contain_text("agrees with the judge on 67 % of 3")
    assert main(["export", str(made), "--format", "alpaca", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["examples"], told["by_hand"]["edited"]) == (69, 1)
    exported = [row["output"] for row in json.loads((made / "alpaca.json").read_text())]
    assert "A response of mine." in exported


def test_a_decision_that_was_not_confirmed_is_none(page: Page, made: Path) -> None:
    page.keyboard.press("j")
    expect(page.locator("#item-title")).to_be_visible()
    for key in ("x", "e"):
        page.keyboard.press(key)
        expect(page.locator("dialog")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("dialog")).to_have_count(0)
    assert not (made / "decisions.jsonl").exists()


def test_the_scheme_follows_the_system_until_it_is_chosen(chromium: Browser, address: str) -> None:
    there = opened(chromium, address, scheme="dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = there.page.evaluate(ground)
    there.page.keyboard.press("t")
    light = there.page.evaluate(ground)
    assert dark != light
    there.page.reload()
    there.page.wait_for_selector(".items li")
    assert there.page.evaluate(ground) == light
    there.check()


def test_a_narrow_window_shows_one_thing_at_a_time(chromium: Browser, address: str) -> None:
    there = opened(chromium, address, width=390, height=844)
    page = there.page
    expect(page.locator(".browse > .side")).to_be_hidden()
    page.locator(".filters-button").click()
    page.locator("dialog .option").first.click()
    page.locator("dialog .primary").click()
    expect(page.locator(".chip")).to_have_count(1)
    page.locator(".items li a").first.click()
    expect(page.locator("#item-title")).to_be_visible()
    expect(page.locator(".listing")).to_be_hidden()
    page.locator(".back").click()
    expect(page.locator(".listing")).to_be_visible()
    page.goto(page.url.split("#")[0] + "#/run")
    page.reload()
    page.wait_for_selector(".run .cards")
    for view in ("#/examples", "#/drops", "#/run"):
        page.goto(page.url.split("#")[0] + view)
        page.reload()
        page.wait_for_selector(".items li, .run .cards")
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 390, f"{view} is {wide} pixels wide"
    there.check()


CONTRASTS = """
() => {
  const probe = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    probe.clearRect(0, 0, 1, 1);
    probe.fillStyle = colour;
    probe.fillRect(0, 0, 1, 1);
    return [...probe.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => {
    const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    const [x, y, z] = [r, g, b].map((v) => linear(v / 255));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const ground = (element) => {
    for (; element; element = element.parentElement) {
      const colour = rgba(getComputedStyle(element).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255, 255];
  };
  const low = new Set();
  let seen = 0;
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || !element.checkVisibility({ visibilityProperty: true })) continue;
    seen += 1;
    const [one, two] = [light(rgba(getComputedStyle(element).color)), light(ground(element))];
    const ratio = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
    const name = `${element.tagName}.${element.className}`;
    if (ratio < 4.5) low.add(`${name} ${ratio.toFixed(2)}: ${element.textContent.slice(0, 30)}`);
  }
  return [seen, [...low]];
}
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_contrast_and_every_control_a_name(
    chromium: Browser, address: str, scheme: str
) -> None:
    there = opened(chromium, address, scheme=scheme)
    page = there.page
    for name in ("list", "text", "2", "3", "4", "5", "x", "drops", "run"):
        if name == "text":
            page.locator(".items li a").first.click()
            page.wait_for_selector(".tab-body .text")
            page.keyboard.press("a")
            page.wait_for_selector(".items li[data-verdict=accept]")
            page.keyboard.press("k")
            page.wait_for_selector(".judge.accept[aria-pressed=true]")
        elif len(name) == 1:
            page.keyboard.press(name)
            page.wait_for_selector("dialog" if name == "x" else ".tab-body > *")
            expect(page.locator(".tab-body[aria-busy]")).to_have_count(0)
        elif name in ("drops", "run"):
            page.goto(page.url.split("#")[0] + f"#/{name}")
            page.reload()
            page.wait_for_selector(".items li, .run .cards")
            if name == "drops":
                page.locator(".items li a").first.click()
                page.wait_for_selector(".evidence")
        seen, low = page.evaluate(CONTRASTS)
        assert seen > 20
        assert low == [], name
        nameless = page.evaluate(
            "[...document.querySelectorAll('button, a, input, select, textarea')]"
            ".filter((one) => one.checkVisibility() && !(one.ariaLabel || one.textContent.trim()"
            " || one.labels?.length)).map((one) => one.outerHTML)"
        )
        assert nameless == [], name
    there.check()


def test_everything_is_reached_with_the_tabulator(page: Page) -> None:
    page.locator(".items li a").first.click()
    page.wait_for_selector(".judge.accept")
    page.evaluate("document.activeElement.blur()")
    reached = set()
    for _ in range(90):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.className"))
        assert page.evaluate(
            "document.activeElement === document.body"
            " || getComputedStyle(document.activeElement).outlineStyle !== 'none'"
        )
    assert {"skip", "theme", "help", "search", "sort", "option", "fact", "judge accept"} <= reached
