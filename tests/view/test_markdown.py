"""Markdown of strangers becomes known elements and text, whatever is in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from seedbed.view.markdown import ELEMENTS, LONGEST, tree

LEAVES = {"br", "hr", "code", "pre", "image"}


def elements(nodes: list[Any] | None) -> Iterator[tuple[str, dict[str, Any]]]:
    for node in nodes or []:
        if not isinstance(node, str):
            yield node[0], node[1]
            yield from elements(node[2])


def text(nodes: list[Any] | None) -> str:
    return "".join(node if isinstance(node, str) else text(node[2]) for node in nodes or [])


def test_what_models_write_is_read() -> None:
    made = tree("# Plan\n\n1. *one*\n2. **two** `x < y`\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n\n> so")
    names = [name for name, _ in elements(made)]
    lists = ["h1", "ol", "li", "em", "li", "strong", "code"]
    table = ["table", "thead", "tr", "th", "th", "tbody", "tr", "td", "td"]
    assert names == [*lists, *table, "blockquote", "p"]
    assert "x < y" in text(made)
    assert ("td", {"align": "right"}) in list(elements(made))


def test_lists_keep_their_first_number_and_code_its_language() -> None:
    assert tree("7. x") == [["ol", {"start": 7}, [["li", {}, ["x"]]]]]
    assert tree("```python\n<b>1</b>\n```") == [["pre", {"language": "python"}, ["<b>1</b>\n"]]]


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "a <b onclick='alert(1)'>b</b>",
    "<style>body{display:none}</style>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\nscript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](data:text/html,<script>alert(1)</script>)",
    "[x](vbscript:x)",
    "[x](file:///etc/passwd)",
    "[x](//evil.example)",
    "[x](/api/run)",
    "[x](blob:null/1)",
    "<javascript:alert(1)>",
    "[x]: javascript:alert(1)\n\n[x]",
    "![x](javascript:alert(1))",
    "![x](https://evil.example/pixel.png)",
]


@pytest.mark.parametrize("source", HOSTILE)
def test_nothing_but_known_elements_and_safe_addresses_comes_out(source: str) -> None:
    for name, attributes in elements(tree(source)):
        assert name in ELEMENTS | LEAVES
        assert set(attributes) <= {"href", "start", "align", "language", "address"}
        href = attributes.get("href", "https:")
        assert href.startswith(("https:", "http:", "mailto:")), href


def test_html_stays_visible_as_text() -> None:
    assert tree("<b>bold</b>") == [["p", {}, ["<b>bold</b>"]]]


def test_good_links_stay() -> None:
    assert tree("[a](https://a.example/x?y=1)") == [
        ["p", {}, [["a", {"href": "https://a.example/x?y=1"}, ["a"]]]]
    ]


@pytest.mark.parametrize(
    "source",
    ["> " * 5000 + "deep", "[" * 20_000, "*" * 20_000, "- " * 4000, "`" * 9999, "![" * 5000],
    ids=["quotes", "brackets", "stars", "lists", "ticks", "images"],
)
def test_deep_nesting_ends(source: str) -> None:
    assert isinstance(tree(source), list)


def test_a_very_long_text_is_not_read_as_markdown() -> None:
    assert tree("x" * (LONGEST + 1)) is None
