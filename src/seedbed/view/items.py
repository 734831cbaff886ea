"""One item whole, by its key."""

from __future__ import annotations

import json
import sqlite3

from seedbed.decisions import Decisions
from seedbed.errors import DatasetError
from seedbed.records import JSON
from seedbed.view.agreement import judge_said
from seedbed.view.markdown import tree
from seedbed.view.rows import Item

LONGEST = 200_000
"""Characters of a field that are sent at once; the page asks for the rest when a person does."""

_ITEM = (
    "select i.number, i.dropped, i.line, i.similarity, i.verdict, i.edited, lines.line "
    "from items i join lines using (number) where i.key = ? limit 1"
)


def find(database: sqlite3.Connection, key: str) -> tuple[int, Item, dict[str, JSON]]:
    """The number of an item, the item, and what the index knows about it.

    Raises:
        DatasetError: there is none of this key.
    """
    found = database.execute(_ITEM, (key,)).fetchone()
    if found is None:
        raise DatasetError(
            f"{key[:40]}: no such item in this run",
            hint="A later session may have made other ones. Go back to the list.",
        )
    number, dropped, line, similarity, verdict, edited, text = found
    item = Item(key=key, dropped=bool(dropped), line=line, row=json.loads(text), stored=text)
    known = {"similarity": similarity, "verdict": verdict, "edited": bool(edited)}
    return number, item, known


def whole(
    database: sqlite3.Connection, key: str, *, full: bool, judged: bool, decisions: Decisions
) -> dict[str, JSON]:
    """All that is shown of an item at first: its texts, also as Markdown, its origin, its scores,
    and what stands decided about it. Texts that a person edited are there as they were too.
    `judged` says whether the run had a judge.

    Raises:
        DatasetError: there is none of this key.
    """
    number, item, known = find(database, key)
    texts = {
        "instruction": item.instruction,
        "input": item.text("input"),
        "response": item.text("response"),
    }
    decision = decisions.find(item.id, item.content, dropped=item.dropped)
    edited = texts | dict(decision.edit) if decision else texts
    scores = database.execute(
        "select name, value from scores where number = ? order by name", (number,)
    )
    origin = {name: item.text(name) for name in ("recipe", "step", "query_type", "reason")}
    evidence = item.row.get("evidence")
    return {
        "key": key,
        "number": number,
        "line": item.line,
        "dropped": item.dropped,
        "kind": item.kind,
        "id": item.text("id"),
        "instruction_id": item.instruction_id,
        **origin,
        **known,
        "round": item.number("round"),
        "draw": item.number("draw"),
        "seed": item.number("seed"),
        "skills": item.texts("skills"),
        "repairs": item.texts("repairs"),
        "parents": item.texts("parents"),
        "calls": len(item.texts("calls")),
        "evidence": evidence if isinstance(evidence, dict) else {},
        "scores": [list(pair) for pair in scores],
        "judge": judge_said(item) if judged else "",
        "decision": decision.to_json() if decision else None,
        "originals": {name: text for name, text in texts.items() if text != edited[name]},
        "texts": {name: text if full else text[:LONGEST] for name, text in edited.items()},
        "chars": {name: len(text) for name, text in edited.items()},
        "markdown": {name: tree(text) for name, text in edited.items()},
    }


def neighbours(database: sqlite3.Connection, found: list[tuple[str, float]]) -> list[JSON]:
    """The first example of each of these instructions, with the scores."""
    nodes = []
    for name, score in found:
        row = database.execute(
            "select i.key, i.query_type, i.verdict, lines.line from items i join lines "
            "using (number) where i.instruction_id = ? and i.dropped = 0 order by i.number limit 1",
            (name,),
        ).fetchone()
        if row:
            key, query_type, verdict, line = row
            text = json.loads(line).get("instruction", "")[:400]
            nodes.append({"key": key, "query_type": query_type, "verdict": verdict, "text": text})
            nodes[-1]["score"] = score
    return nodes
