"""A report as one HTML file that needs nothing else: no network, no other file, no permission.

Everything a model wrote is escaped text. The content security policy allows the two scripts of this
page by their digests, and nothing from anywhere. Plotly comes gzipped, which makes the file half as
large; the page unpacks it and adds it as a script whose digest the policy names. Where that fails
(no scripts, an old browser) the tables under the plots say the same.
"""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from collections.abc import Iterator, Sequence
from hashlib import sha256
from html import escape
from importlib.resources import files

from seedbed.errors import ConfigError
from seedbed.files import well_formed
from seedbed.records import JSON
from seedbed.report.document import (
    Block,
    Chapter,
    Document,
    Figure,
    Prose,
    Sample,
    Samples,
    Section,
    Table,
)
from seedbed.report.wording import shown

_EMPTY = ""
"""Plotly adds a style element without text and fills it through the object model."""

OPEN_GROUPS = 2
"""Groups of samples that are open when the page opens."""

LONG_CELL = 40

_WEIGHTS = {"alarm": "Mend", "look": "Look", "good": "Good", "note": "Note"}


def html(document: Document) -> str:
    """The whole page.

    Raises:
        ConfigError: plotly is not installed.
    """
    css, script, plotly = _own("page.css"), _own("page.js"), plotly_source()
    figures = {figure.id: _spec(figure) for figure in _figures(document)}
    policy = (
        "default-src 'none'; "
        f"script-src {_digest(script)} {_digest(plotly)}; "
        f"style-src-elem {_digest(css)} {_digest(_EMPTY)}; style-src-attr 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
    parts = [
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        f"<title>{_text(document.title)}</title>",
        f"<style>{css}</style>\n</head>\n<body>",
        '<a class="skip" href="#main">Skip to the report</a>',
        _contents(document),
        f'<main id="main">\n<header class="top"><h1>{_text(document.title)}</h1>'
        f'<p class="made">{_text(document.made)}</p></header>',
        *(_chapter(chapter, alone=len(document.chapters) == 1) for chapter in document.chapters),
        "<footer><p>Plots by plotly.js (MIT license), which is part of this file.</p></footer>",
        "</main>",
        f'<script type="application/json" id="figures">{_json(figures)}</script>',
        f'<script type="text/plain" id="plotly">{_packed(plotly)}</script>',
        f"<script>{script}</script>\n</body>\n</html>\n",
    ]
    return well_formed("\n".join(parts))


def plotly_source() -> str:
    """Plotly's JavaScript as its package ships it.

    Raises:
        ConfigError: the package is not installed.
    """
    try:
        source = files("plotly") / "package_data" / "plotly.min.js"
    except ModuleNotFoundError as error:
        raise ConfigError(
            "the report's plots need plotly", hint="pip install 'seedbed[report]'"
        ) from error
    # A parser makes one of every kind of line end, and the digest is of what it makes.
    return source.read_text(encoding="utf-8").replace("\r\n", "\n").replace("\r", "\n")


def _own(name: str) -> str:
    return (files("seedbed.report") / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode('utf-8')).digest()).decode('ascii')}'"


def _packed(text: str) -> str:
    return b64encode(gzip.compress(text.encode("utf-8"), 9, mtime=0)).decode("ascii")


def _json(value: JSON) -> str:
    """JSON that cannot end the element that it stands in."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for sign, code in (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026")):
        text = text.replace(sign, code)
    return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _text(text: str) -> str:
    return escape(shown(text), quote=True)


def _figures(document: Document) -> Iterator[Figure]:
    for chapter in document.chapters:
        for section in chapter.sections:
            yield from (block for block in section.blocks if isinstance(block, Figure))


def _spec(figure: Figure) -> JSON:
    return {"data": figure.data, "layout": figure.layout, "height": figure.height}


def _contents(document: Document) -> str:
    items = []
    for chapter in document.chapters:
        inner = "".join(
            f'<li><a href="#{section.id}">{_text(section.title)}</a></li>'
            for section in chapter.sections
        )
        items.append(f'<li><a href="#{chapter.id}">{_text(chapter.title)}</a><ul>{inner}</ul></li>')
    return f'<nav aria-label="Contents"><ul>{"".join(items)}</ul></nav>'


def _chapter(chapter: Chapter, *, alone: bool) -> str:
    cards = "".join(
        f'<div class="card"><h3>{_text(card.title)}</h3><p class="value">{_text(card.value)}</p>'
        + "".join(f"<p>{_text(line)}</p>" for line in card.detail)
        + "</div>"
        for card in chapter.cards
    )
    items = "".join(
        f'<li class="{finding.weight}"><span class="weight">{_WEIGHTS[finding.weight]}</span>'
        f"<p>{_text(finding.text)}"
        + (f' <a href="#{finding.section}">evidence</a>' if finding.section else "")
        + "</p></li>"
        for finding in chapter.findings
    )
    heading = "The story" if alone else chapter.title
    found = f'<h3>What to look at</h3><ul class="findings">{items}</ul>' if items else ""
    return (
        f'<section class="chapter" id="{chapter.id}"><h2>{_text(heading)}</h2>'
        f'<p class="lead">{_text(chapter.lead)}</p><div class="cards">{cards}</div>{found}'
        + "".join(map(_section, chapter.sections))
        + "</section>"
    )


def _section(section: Section) -> str:
    groups = [block for block in section.blocks if isinstance(block, Samples)]
    parts = [_block(block, opened=block in groups[:OPEN_GROUPS]) for block in section.blocks]
    lead = f'<p class="lead">{_text(section.lead)}</p>' if section.lead else ""
    return (
        f'<section class="part" id="{section.id}"><h3>{_text(section.title)}</h3>{lead}'
        f"{''.join(parts)}</section>"
    )


def _block(block: Block, *, opened: bool) -> str:
    match block:
        case Prose(text):
            return f"<p>{_text(text)}</p>"
        case Table():
            return f'<div class="block">{_table(block)}{_source(block.source)}</div>'
        case Figure():
            return _figure(block)
        case Samples():
            return _samples(block, opened=opened)


def _source(source: str) -> str:
    return f'<p class="source">Source: {_text(source)}</p>' if source else ""


def _table(table: Table) -> str:
    head = "".join(f'<th scope="col">{_text(name)}</th>' for name in table.head)
    rows = "".join(
        f'<tr><th scope="row">{_text(row[0])}</th>'
        + "".join(f"<td{_width(cell)}>{_text(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row in table.rows
    )
    caption = f'<p class="caption">{_text(table.caption)}</p>' if table.caption else ""
    name = _text(table.caption or ", ".join(table.head))
    return (
        f'{caption}<div class="scroll" tabindex="0" role="region" aria-label="{name}">'
        f'<table class="{"texts" if table.texts else "numbers"}">'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _width(cell: str) -> str:
    """A cell of many words gets room for them; a narrow page scrolls the table sideways."""
    return ' class="long"' if len(cell) > LONG_CELL else ""


def _figure(figure: Figure) -> str:
    return (
        f'<figure class="block" id="{figure.id}"><figcaption><h4>{_text(figure.question)}</h4>'
        f"<p>{_text(figure.answer)}</p></figcaption>"
        f'<div class="canvas" data-figure="{figure.id}" role="img" '
        f'aria-label="{_text(f"{figure.question} {figure.answer}")}"></div>'
        f"<details><summary>The numbers</summary>{_table(figure.table)}</details>"
        f"{_source(figure.source)}</figure>"
    )


def _samples(samples: Samples, *, opened: bool) -> str:
    items = "".join(map(_sample, samples.items))
    return (
        f'<details class="block samples"{" open" if opened else ""}><summary><h4>'
        f"{_text(samples.title)}</h4></summary><p>{_text(samples.about)}</p>{items}"
        f"{_source(samples.source)}</details>"
    )


def _sample(sample: Sample) -> str:
    facts = "".join(
        f"<div><dt>{_text(name)}</dt><dd>{_text(value)}</dd></div>" for name, value in sample.facts
    )
    return (
        f'<article class="sample"><h5>{_text(sample.title)}</h5>'
        f'<p class="why">{_text(sample.why)}</p>{_fields(sample.texts)}'
        f"<dl>{facts}</dl></article>"
    )


def _fields(texts: Sequence[tuple[str, str]]) -> str:
    return "".join(
        f'<h6>{_text(name)}</h6><pre dir="auto">{_text(text)}</pre>' for name, text in texts
    )
