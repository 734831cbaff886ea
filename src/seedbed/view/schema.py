"""The index of a run's items: a SQLite file that is made anew at each start, and thrown away."""

from __future__ import annotations

import sqlite3
from pathlib import Path

SCHEMA = """
create table items (
    number            integer primary key,
    key               text not null,
    dropped           integer not null,
    kind              text not null,
    line              integer not null,
    instruction_id    text not null,
    recipe            text not null,
    step              text not null,
    query_type        text not null,
    reason            text not null,
    repaired          integer not null,
    round             integer not null,
    instruction_chars integer not null,
    response_chars    integer not null,
    similarity        real not null default -1,
    verdict           text not null default '',
    edited            integer not null default 0
) strict;
create table lines (number integer primary key, line text not null) strict;
create table skills (
    dropped integer, skill text, number integer, primary key (dropped, skill, number)
) without rowid;
create table parents (parent text, number integer, primary key (parent, number)) without rowid;
create table scores (
    name text, value real, number integer, primary key (name, value, number)
) without rowid;
create table pool (id text primary key, line text not null) strict, without rowid;
create virtual table words using fts5(
    instruction, input, response, content='', tokenize='unicode61 remove_diacritics 2'
);
create index items_key on items (key);
create index items_instruction on items (instruction_id);
create index items_round on items (round);
create index items_order on items (dropped, number);
create index items_by_instruction on items (dropped, instruction_chars, number);
create index items_by_response on items (dropped, response_chars, number);
create index items_by_similarity on items (dropped, similarity, number);
create index items_by_type on items (dropped, query_type, number);
create index items_by_reason on items (dropped, reason, number);
create index items_facets on items (
    dropped, recipe, step, query_type, reason, kind, verdict, edited, repaired, instruction_chars,
    response_chars
);
create index items_judged on items (verdict, dropped) where verdict <> '';
create index scores_of on scores (number);
"""
"""`items` holds what is filtered and sorted by, in narrow rows that are quick to scan; `lines` the
items as they stand in their files. A key is the id of an example, or `d` and the line of a drop.
`similarity` is -1 until it is known. `items_facets` holds all that counting looks at, in the order
in which it groups. `pool` is `instructions.jsonl`, where a run has one."""


def create(path: Path) -> sqlite3.Connection:
    """A new, empty index, to be written by one process. Nothing in it needs to survive a crash."""
    database = connect(path)
    database.execute("pragma journal_mode = wal")
    database.execute("pragma synchronous = off")
    database.executescript(SCHEMA)
    return database


def connect(path: Path) -> sqlite3.Connection:
    """One connection for one piece of work; it waits for others that write at the moment."""
    database = sqlite3.connect(path, isolation_level=None, timeout=10, check_same_thread=False)
    database.execute("pragma mmap_size = 1073741824")
    database.execute("pragma cache_size = -16000")
    return database
