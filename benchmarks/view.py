"""How quick `seedbed view` is on a large run of the practice world.

    python -m benchmarks.view [--count 100000] [--folder FOLDER] [--chromium /usr/bin/chromium]

Makes the run in FOLDER (a temporary one if none is named; kept and used again if it is there),
then measures answers over HTTP, and the page itself in Chromium where there is one.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

from benchmarks.screenshots import FLAGS, served

from seedbed.export import drop_to_json, example_to_json
from seedbed.files import write_jsonl, write_text
from seedbed.models.practice.examples import make
from seedbed.models.practice.query_types import QUERY_TYPES
from seedbed.models.practice.world import skills
from seedbed.records import Attempt, Drop, Example, Instruction, Origin

DISTINCT = 20_000
"""Tasks that are made; after these they come again, numbered, because making them takes longest."""

REASONS = ("truncated", "refused", "unparsed", "skill_absent", "too_similar")

TRIES = 15


def build(folder: Path, count: int, *, distinct: int = DISTINCT, seed: int = 1) -> None:
    """A run's folder with `count` examples and a twentieth as many drops, without a journal."""
    folder.mkdir(parents=True, exist_ok=True)
    made = list(_tasks(min(count, distinct), Random(seed)))
    write_jsonl(folder / "examples.jsonl", map(example_to_json, _examples(made, count)))
    drops = (_drop(made, number) for number in range(count // 20))
    write_jsonl(folder / "drops.jsonl", drops)
    write_text(folder / "manifest.json", json.dumps(manifest(count)))


def _tasks(count: int, rng: Random) -> Iterator[tuple[str, str, tuple[str, ...], str]]:
    names = [skill.name for skill in skills()]
    for _ in range(count):
        chosen, kind = rng.sample(names, 2), rng.choice(QUERY_TYPES).name
        instruction, response = make(chosen, kind, rng)
        yield instruction, response, tuple(chosen), kind


def _examples(made: list[tuple[str, str, tuple[str, ...], str]], count: int) -> Iterator[Example]:
    for number in range(count):
        again, place = divmod(number, len(made))
        instruction, response, chosen, kind = made[place]
        text = f"Case {again + 1}. {instruction}" if again else instruction
        origin = Origin(
            recipe="skillmix", step="three_turn", round=number, skills=chosen, query_type=kind
        )
        yield Example(instruction=Instruction(text=text, origin=origin), response=response)


def _drop(made: list[tuple[str, str, tuple[str, ...], str]], number: int) -> dict[str, Any]:
    instruction, _, chosen, kind = made[number % len(made)]
    reason = REASONS[number % len(REASONS)]
    origin = Origin(recipe="skillmix", step="three_turn", skills=chosen, query_type=kind)
    attempt = Attempt(text=instruction, origin=origin)
    return drop_to_json(attempt, Drop(reason=reason, evidence={"score": number % 100 / 100}))


def manifest(count: int) -> dict[str, Any]:
    """That of a finished run of skillmix that cost nothing."""
    drops = count // 20
    sums = (
        "calls tokens prompt_tokens completion_tokens cached_tokens doubtful_calls doubtful_tokens"
    )
    spend = dict.fromkeys(sums.split(), 0)
    return {
        "seedbed": "0",
        "recipe": "skillmix",
        "status": "complete",
        "teacher": "practice",
        "judge": "",
        "seed": 1,
        "counts": {
            "wanted": count, "reached": count, "kept": count, "dropped": drops, "repaired": 0
        },
        "drops": {reason: drops // len(REASONS) for reason in REASONS},
        "repairs": {},
        "spend": spend | {"dollars": 0.0, "doubtful_dollars": 0.0},
        "stages": {},
        "forecast": {},
        "notes": ["synthetic: made of practice tasks without a teacher"],
        "sessions": [],
    }  # fmt: skip


class Asker:
    """One connection to a view's server, with its token."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self._connection = HTTPConnection(parts.netloc, timeout=120)
        self._connection.request("GET", f"{parts.path}?{parts.query}")
        response = self._connection.getresponse()
        response.read()
        self._headers = {"Cookie": response.headers["Set-Cookie"].split(";")[0]}

    def get(self, path: str) -> Any:
        self._connection.request("GET", path, headers=self._headers)
        response = self._connection.getresponse()
        body = response.read()
        assert response.status == 200, body
        return json.loads(body)

    def close(self) -> None:
        self._connection.close()


PATHS = {
    "first page": "/api/items?side=examples",
    "first page, most like another": "/api/items?sort=similarity&way=down",
    "first page, longest response": "/api/items?sort=response&way=down",
    "counts, no filter": "/api/facets?side=examples",
    "filter: query type, page": "/api/items?query_type=Planning",
    "filter: query type, counts": "/api/facets?query_type=Planning",
    "filter: two skills, page": "/api/items?skill=adding_numbers&skill=square_area",
    "filter: two skills, counts": "/api/facets?skill=adding_numbers&skill=square_area",
    "filter: type, skill and length, by length, page": (
        "/api/items?query_type=Planning&skill=adding_numbers&instruction_low=200&sort=instruction"
    ),
    "filter: type, skill and length, counts": (
        "/api/facets?query_type=Planning&skill=adding_numbers&instruction_low=200"
    ),
    "search: a common word, page": "/api/items?search=words",
    "search: a common word, counts": "/api/facets?search=words",
    "search: a phrase, by similarity, page": (
        "/api/items?search=%22my%20garden%22&sort=similarity&way=down"
    ),
    "search: nothing has it, page": "/api/items?search=zyzzyva&sort=response",
    "drops: a reason, by score, page": (
        "/api/items?side=drops&reason=too_similar&sort=score:evidence:%20score&way=down"
    ),
    "drops: a reason, counts": "/api/facets?side=drops&reason=too_similar",
}


def measured(ask: Callable[[], object], tries: int = TRIES) -> tuple[float, float]:
    """Median and worst milliseconds."""
    times = []
    for _ in range(tries):
        began = time.perf_counter()
        ask()
        times.append((time.perf_counter() - began) * 1000)
    return median(times), max(times)


def indexed(asker: Asker) -> dict[str, Any]:
    """How the index is once all lines are in it."""
    while True:
        state: dict[str, Any] = asker.get("/api/run")["index"]
        if state["size"] and state["read"] == state["size"]:
            return state
        time.sleep(0.05)


def report(run: Path, chromium: str) -> None:
    began = time.perf_counter()
    with served(run) as address, closing(Asker(address)) as asker:
        started = time.perf_counter()
        asker.get("/api/items")
        first = time.perf_counter()
        print(f"| address after | {started - began:.1f} s |")
        print(f"| first page, from the start, while indexing | {first - began:.1f} s |")
        during = measured(lambda: asker.get("/api/items"))
        print(f"| a page while indexing, median and worst | {during[0]:.0f}, {during[1]:.0f} ms |")
        state = indexed(asker)
        seconds = time.perf_counter() - began
        print(f"| {state['examples']:,} examples indexed after | {seconds:.1f} s |")
        for name, path in PATHS.items():
            middle, worst = measured(partial(asker.get, path))
            print(f"| {name} | {middle:.0f}, {worst:.0f} ms |")
        key = asker.get("/api/items")["items"][0]["key"]
        began = time.perf_counter()
        asker.get(f"/api/items/{key}/neighbours")
        print(f"| neighbours, the first time | {time.perf_counter() - began:.1f} s |")
        middle, worst = measured(lambda: asker.get(f"/api/items/{key}/neighbours"))
        print(f"| neighbours | {middle:.0f}, {worst:.0f} ms |")
        if Path(chromium).exists():
            in_browser(address, chromium)


def in_browser(address: str, chromium: str) -> None:
    """From a click until the page shows it, in a real browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=[*FLAGS])
        page = browser.new_page()
        page.goto(address)
        page.wait_for_selector(".items li")

        def reload() -> None:
            page.reload(wait_until="commit")
            page.wait_for_selector(".items li")

        def narrow() -> None:
            page.locator(".facet .option").first.click()
            page.wait_for_selector(".chip")
            page.wait_for_selector(".items[aria-busy=false]")
            page.locator(".chip").first.click()
            page.wait_for_selector(".chip", state="detached")
            page.wait_for_selector(".items[aria-busy=false]")

        for name, work, parts in (("page loaded anew", reload, 1), ("filter on or off", narrow, 2)):
            middle, worst = measured(work, tries=8)
            print(f"| browser: {name} | {middle / parts:.0f}, {worst / parts:.0f} ms |")
        browser.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    options = parser.parse_args()
    with TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary) / "run"
        if not (folder / "manifest.json").exists():
            began = time.perf_counter()
            build(folder, options.count)
            print(f"built in {time.perf_counter() - began:.1f} s", file=sys.stderr)
        print("| what | time |\n|---|---|")
        report(folder, options.chromium)


if __name__ == "__main__":
    main()
