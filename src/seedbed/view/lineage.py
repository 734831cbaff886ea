"""Where an item comes from, and what came of it: instructions by the ids that `parents` names."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from functools import lru_cache

from seedbed.records import JSON

DEPTH = 12
"""Generations that are looked up."""

BREADTH = 40
"""Parents, children or siblings that are shown of one item."""

_OF_INSTRUCTION = (
    "select i.key, i.dropped, i.reason, i.step, i.verdict, lines.line from items i join lines "
    "using (number) where i.instruction_id = ? order by i.dropped, i.number limit 1"
)
_CHILDREN = (
    "select distinct i.instruction_id from parents join items i using (number) "
    f"where parents.parent = ? and i.number <> ? order by i.number limit {BREADTH + 1}"
)
_SIBLINGS = (
    "select i.key, i.dropped, i.reason, i.step, i.verdict, lines.line from items i join lines "
    "using (number) where {of} and i.number <> ? "
    f"order by i.number limit {BREADTH * 4}"
)
_OF_PARENT = "i.number in (select number from parents where parent = ?)"
_OF_ROUND = "i.recipe = ? and i.round = ?"


def family(database: sqlite3.Connection, row: Mapping[str, JSON], number: int) -> dict[str, JSON]:
    """The tree above an item, its children, and its siblings.

    Siblings are what else came from the same parents or, where there are none, of the same round:
    other tries of the same mix, other proposals of the same ask.
    """
    own = row.get("instruction_id") or row.get("id") or ""
    parents = _texts(row.get("parents"))
    return {
        "ancestors": _ancestors(database, parents, DEPTH, frozenset({own})),
        "children": _children(database, own, number) if own else [],
        "siblings": _siblings(database, row, number),
    }


def _ancestors(
    database: sqlite3.Connection, parents: Sequence[str], depth: int, seen: frozenset[str]
) -> list[JSON]:
    """The parents, each with its own above it; a grandparent that is named beside its child is
    shown above it only."""
    nodes = []
    for parent in parents[:BREADTH]:
        if parent in seen:
            continue
        node, above = _node(database, parent)
        node["parents"] = (
            _ancestors(database, above, depth - 1, seen | {parent}) if depth > 1 else []
        )
        nodes.append(node)
    hidden = {name for node in nodes for name in _names(node["parents"])}
    return [node for node in nodes if node["id"] not in hidden]


def _names(nodes: Sequence[Mapping[str, JSON]]) -> set[str]:
    return {name for node in nodes for name in (node["id"], *_names(node["parents"]))}


def _node(database: sqlite3.Connection, name: str) -> tuple[dict[str, JSON], list[str]]:
    """An instruction by its id, and its parents."""
    if found := database.execute(_OF_INSTRUCTION, (name,)).fetchone():
        node, row = _known(found)
        return node | {"id": name}, _texts(row.get("parents"))
    if found := database.execute("select line from pool where id = ?", (name,)).fetchone():
        row = json.loads(found[0])
        return _bare(name, "pool", row.get("instruction")), _texts(row.get("parents"))
    if name in shipped():
        return _bare(name, "seed", shipped()[name]), []
    return _bare(name, "unknown", ""), []


def _known(found: Sequence[JSON]) -> tuple[dict[str, JSON], Mapping[str, JSON]]:
    key, dropped, reason, step, verdict, line = found
    row = json.loads(line)
    node = {
        "id": row.get("instruction_id") or row.get("id") or key,
        "key": key,
        "kind": "drop" if dropped else "example",
        "reason": reason,
        "step": step,
        "verdict": verdict,
        "draw": row.get("draw"),
        "text": _text(row),
        "parents": [],
    }
    return node, row


def _bare(name: str, kind: str, text: JSON) -> dict[str, JSON]:
    shown = text[:400] if isinstance(text, str) else ""
    return {"id": name, "key": "", "kind": kind, "reason": "", "step": "", "verdict": "",
            "draw": None, "text": shown, "parents": []}  # fmt: skip


def _children(database: sqlite3.Connection, own: str, number: int) -> list[JSON]:
    names = [name for (name,) in database.execute(_CHILDREN, (own, number)) if name and name != own]
    return [_node(database, name)[0] for name in names]


def _siblings(database: sqlite3.Connection, row: Mapping[str, JSON], number: int) -> list[JSON]:
    values: tuple[JSON, ...]
    same = [row.get("parents"), row.get("skills")]
    if parents := _texts(row.get("parents")):
        of, values = _OF_PARENT, (parents[0],)
    else:
        of, values = _OF_ROUND, (row.get("recipe"), row.get("round"))
    if not all(isinstance(value, int | str) for value in values):
        return []
    found = map(_known, database.execute(_SIBLINGS.format(of=of), (*values, number)))
    nodes = [node for node, other in found if [other.get("parents"), other.get("skills")] == same]
    return nodes[:BREADTH]


@lru_cache(maxsize=1)
def shipped() -> Mapping[str, str]:
    """The seed tasks that come with Self-Instruct, by id: a run that has no seeds of its own grew
    from them."""
    from seedbed.recipes.evol_instruct.seeds import seeds_of
    from seedbed.recipes.self_instruct.seeds import shipped_seeds

    seeds = shipped_seeds()
    found = {seed.instruction.id: seed.instruction.text for seed in seeds}
    examples = [example for seed in seeds for example in seed.examples]
    for joint in ("\n\n", "\n", "\r\n"):  # those of Evol-Instruct's presets
        found |= {seed.root.id: seed.root.text for seed in seeds_of(examples, joint=joint)}
    return found


def _texts(value: JSON) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _text(row: Mapping[str, JSON]) -> str:
    text = row.get("instruction") or row.get("text")
    return text[:400] if isinstance(text, str) else ""
