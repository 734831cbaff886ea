"""Markdown that a model wrote, as a tree of a few known elements.

Never HTML: the page makes each element by name and puts each text as text, so there is no string
that could become markup. What the author meant as HTML stays visible as text. Nothing is loaded
from elsewhere: an image becomes its description and its address.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from seedbed.records import JSON

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

LONGEST = 20_000
"""Characters of a text that are read as Markdown; a longer one is shown as it is. The parser takes
two seconds for the worst of this length, and four times as long for twice as much."""

ELEMENTS = frozenset(
    ("p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "ul", "ol", "li", "em", "strong", "s",
     "a", "table", "thead", "tbody", "tr", "th", "td")
)  # fmt: skip
"""What has an opening and an end; `_leaf` makes the others."""

SCHEMES = frozenset({"http", "https", "mailto"})


def tree(text: str) -> list[JSON] | None:
    """Nodes: a text, or `[element, attributes, children]`. None where the text is too long."""
    if len(text) > LONGEST:
        return None
    return _nodes(iter(_parser().parse(text)))


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    options = {"html": False, "linkify": False, "typographer": False, "maxNesting": 20}
    return MarkdownIt("commonmark", options).enable(["table", "strikethrough"])


def _nodes(tokens: Iterator[Token]) -> list[JSON]:
    """The nodes up to the end of the element whose opening was read last.

    Nesting is bounded by the parser (`maxNesting`), so this does not go deep.
    """
    nodes: list[JSON] = []
    for token in tokens:
        if token.nesting == -1:
            break
        if token.type == "inline":
            nodes += _nodes(iter(token.children or ()))
        elif token.nesting == 1:
            nodes += _element(token, _nodes(tokens))
        else:
            nodes += _leaf(token)
    return _joined(nodes)


def _element(token: Token, children: list[JSON]) -> list[JSON]:
    if token.hidden or token.tag not in ELEMENTS:  # the paragraph of a tight list
        return children
    attributes: dict[str, JSON] = {}
    if token.tag == "a":
        if (address := safe_address(token.attrs.get("href"))) is None:
            return children
        attributes["href"] = address
    if token.tag == "ol" and isinstance(start := token.attrs.get("start"), int):
        attributes["start"] = start
    style = token.attrs.get("style")
    if token.tag in ("th", "td") and isinstance(style, str):
        attributes["align"] = style.removeprefix("text-align:")
    return [[token.tag, attributes, children]]


def _leaf(token: Token) -> list[JSON]:
    match token.type:
        case "softbreak":
            return ["\n"]
        case "hardbreak":
            return [["br", {}, []]]
        case "hr":
            return [["hr", {}, []]]
        case "code_inline":
            return [["code", {}, [token.content]]]
        case "fence" | "code_block":
            return [["pre", {"language": token.info.strip()[:40]}, [token.content]]]
        case "image":
            return [["image", {"address": str(token.attrs.get("src", ""))[:500]}, [token.content]]]
    return [token.content]


def safe_address(address: JSON) -> str | None:
    """The address if a click on it opens a page or a mail, and nothing else."""
    if not isinstance(address, str):
        return None
    try:
        scheme = urlsplit(address).scheme
    except ValueError:
        return None
    return address if scheme.lower() in SCHEMES else None


def _joined(nodes: Sequence[JSON]) -> list[JSON]:
    """Neighbouring texts as one."""
    joined: list[JSON] = []
    for node in nodes:
        if isinstance(node, str) and joined and isinstance(joined[-1], str):
            joined[-1] += node
        else:
            joined.append(node)
    return joined
