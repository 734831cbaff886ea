"""Pages of items, and how many there are of each kind."""

from __future__ import annotations

import base64
import json
import re
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from seedbed.errors import ConfigError
from seedbed.records import JSON
from seedbed.view.filters import EXACT, SCORE, SORTS, Filters

PAGE = 50

EXCERPT = 220
"""Characters of an instruction that a list shows."""

MOST_VALUES = 200
"""Values of one facet that are counted out; of skills there can be thousands."""

_SUMMARY = (
    "i.number, i.key, i.dropped, i.kind, i.query_type, i.step, i.reason, i.instruction_chars, "
    "i.response_chars, i.similarity, i.verdict, i.edited, lines.line"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sort:
    """By what, which way, and after which place (a cursor that a page gave)."""

    by: str = "order"
    descending: bool = False
    after: str = ""


def page(database: sqlite3.Connection, filters: Filters, sort: Sort) -> dict[str, JSON]:
    """The next `PAGE` items in order, with the cursor of the page after them.

    Raises:
        ConfigError: no such sort, or no such cursor.
    """
    where = filters.where()
    score, value = _sorted_by(sort.by)
    joined = "scores s join items i on i.number = s.number" if score else "items i"
    conditions, values = [str(where)], [*where.values]
    if score:
        conditions.append("s.name = ?")
        values.append(score)
    if sort.by == "similarity":
        conditions.append("i.similarity >= 0")
    if sort.after:
        sign = "<" if sort.descending else ">"
        conditions.append(f"({value}, i.number) {sign} (?, ?)")
        values += _cursor(sort.after)
    way = "desc" if sort.descending else "asc"
    rows = database.execute(
        f"select {_SUMMARY}, {value} from {joined} join lines on lines.number = i.number "
        f"where {' and '.join(conditions)} order by {value} {way}, i.number {way} limit {PAGE + 1}",
        values,
    ).fetchall()
    shown = rows[:PAGE]
    terms = terms_of(filters.search)
    return {
        "items": [_summary(row, terms, score) for row in shown],
        "next": _to_cursor(shown[-1][-1], shown[-1][0]) if len(rows) > PAGE else "",
        "terms": terms,
    }


def _sorted_by(by: str) -> tuple[str, str]:
    """The name of a score, if it is one, and the SQL of the value."""
    if by.startswith(SCORE):
        return by.removeprefix(SCORE), "s.value"
    if by not in SORTS:
        raise ConfigError(f"sort={by}: expected one of: {', '.join(SORTS)}, {SCORE}NAME")
    return "", SORTS[by]


def _to_cursor(value: float, number: int) -> str:
    return base64.urlsafe_b64encode(json.dumps([value, number]).encode()).decode()


def _cursor(text: str) -> list[JSON]:
    try:
        value, number = json.loads(base64.urlsafe_b64decode(text))
        good = isinstance(value, int | float) and isinstance(number, int)
    except ValueError:
        good = False
    if not good:
        raise ConfigError(f"after={text[:40]}: not the end of a page")
    return [value, number]


def _summary(row: Sequence[JSON], terms: Sequence[str], score: str) -> dict[str, JSON]:
    names = _SUMMARY.replace("i.", "").replace("lines.", "").split(", ")
    found = dict(zip(names, row, strict=False))
    content = json.loads(found.pop("line"))
    text = _text(content, "instruction") or _text(content, "text")
    skills = content.get("skills")
    return found | {
        "excerpt": excerpt(text, _text(content, "response"), terms),
        "skills": skills if isinstance(skills, list) else [],
        "score": row[-1] if score else None,
    }


def excerpt(text: str, response: str, terms: Sequence[str]) -> str:
    """The beginning of an instruction, or where a text that was looked for stands."""
    for place, where in (("", text), ("… ", response)):
        found = _find(where, terms)
        if found >= 0:
            start = 0 if found < EXCERPT - 60 and not place else max(0, found - 60)
            lead = "… " if start or place else ""
            return lead + where[start : start + EXCERPT]
    return text[:EXCERPT]


def _text(content: Mapping[str, JSON], name: str) -> str:
    value = content.get(name)
    return value if isinstance(value, str) else ""


def _find(text: str, terms: Sequence[str]) -> int:
    lowered = text.lower()
    places = [place for term in terms if (place := lowered.find(term.lower())) >= 0]
    return min(places, default=-1)


def terms_of(search: str) -> list[str]:
    """What to mark of a search: its words and phrases, without those that shall not be there."""
    found = re.findall(r'(-?)(?:"([^"]*)"|(\S+))', search)
    return [term for minus, phrase, word in found if not minus and (term := phrase or word)]


def facets(database: sqlite3.Connection, filters: Filters) -> dict[str, JSON]:
    """How many items the filters leave, and how many of each value they would leave.

    A facet that is narrowed is counted without its own filter, so that it shows what else there is.
    """
    columns = (*EXACT, "verdict", "edited", "repaired")
    where = filters.where()
    rows = database.execute(
        f"select {', '.join(columns)}, count(*) from items i indexed by items_facets where {where} "
        f"group by {', '.join(columns)}",
        where.values,
    ).fetchall()
    counts = {name: _counted(rows, place) for place, name in enumerate(EXACT)}
    active = filters.active()
    for name in active:
        if name in EXACT:
            counts[name] = _values(database, filters, name)
    counts["skill"] = _skills(database, filters)
    return {
        "total": sum(row[-1] for row in rows),
        "repaired": sum(row[-1] for row in rows if row[-2]),
        "judged": _judged(database, filters) if "judged" in active else _verdicts(rows),
        "values": {name: _listed(found) for name, found in counts.items()},
    }


def _counted(rows: Iterable[Sequence[JSON]], place: int) -> Counter[str]:
    found: Counter[str] = Counter()
    for row in rows:
        found[row[place]] += row[-1]
    return found


def _values(database: sqlite3.Connection, filters: Filters, name: str) -> Counter[str]:
    where = filters.where(without=name)
    return Counter(
        dict(
            database.execute(
                f"select {name}, count(*) from items i where {where} group by {name}", where.values
            )
        )
    )


def _skills(database: sqlite3.Connection, filters: Filters) -> Counter[str]:
    where = filters.where()
    values = [*where.values]  # the first of them tells drops from examples
    if len(where.conditions) == 1:  # nothing is narrowed: no need to look at each item twice
        statement = "select skill, count(*) from skills where dropped = ? group by skill"
    else:
        statement = (
            "with hits as materialized (select i.number as number from items i where "
            f"{where}) select skill, count(*) from skills "
            "where dropped = ? and number in hits group by skill"
        )
        values.append(values[0])
    return Counter(dict(database.execute(statement, values)))


def _verdicts(rows: Iterable[Sequence[JSON]]) -> dict[str, int]:
    found = {"accept": 0, "reject": 0, "edit": 0, "open": 0}
    for *_, verdict, edited, _, count in rows:
        found[verdict or "open"] += count
        found["edit"] += count if edited else 0
    return found


def _judged(database: sqlite3.Connection, filters: Filters) -> dict[str, int]:
    where = filters.where(without="judged")
    rows = database.execute(
        f"select verdict, edited, 0, count(*) from items i where {where} group by 1, 2",
        where.values,
    )
    return _verdicts(rows)


def _listed(found: Mapping[str, int]) -> list[list[JSON]]:
    named = ((name, count) for name, count in found.items() if name)
    ordered = sorted(named, key=lambda pair: (-pair[1], pair[0]))
    return [list(pair) for pair in ordered[:MOST_VALUES]]


def score_names(database: sqlite3.Connection) -> list[str]:
    """The scores that there are, by name; skipping from one to the next in their index."""
    names, last = [], ""
    while row := database.execute(
        "select min(name) from scores where name > ?", (last,)
    ).fetchone():
        if row[0] is None:
            break
        names.append(last := row[0])
    return names
