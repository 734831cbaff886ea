"""The calls behind an item, from the run's journal, which is never written or locked here."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from seedbed.records import JSON

_ENTRY = "select question, answer, sent, asked_at, settled_at from effects where key = ?"


def open_journal(path: Path) -> sqlite3.Connection:
    """For reading only, beside a writer if there is one; close it soon, so that the writer can
    tidy its log.

    Where nobody has the journal open there is no log either, and the file is read as one that
    does not change: that needs no right to write in its folder, and leaves no file behind.

    Raises:
        sqlite3.Error: it is not there, or not readable.
    """
    alone = "" if Path(f"{path}-wal").exists() else "&immutable=1"
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro{alone}", uri=True, timeout=1)


def conversation(path: Path, keys: Sequence[str]) -> dict[str, JSON]:
    """The calls of these keys in their order, each with what it was sent, answered, and cost.

    `missing` counts keys that the journal does not hold; `problem` says why nothing can be read.
    """
    calls, missing = [], 0
    try:
        with closing(open_journal(path)) as database:
            for key in keys:
                row = database.execute(_ENTRY, (key,)).fetchone()
                if row is None or (call := _call(key, *row)) is None:
                    missing += 1
                else:
                    calls.append(call)
    except sqlite3.Error as error:
        there = "cannot be read" if path.exists() else "is not there"
        return {"calls": [], "missing": len(keys), "problem": f"journal.db {there}: {error}"}
    _mark_repeated(calls)
    return {"calls": calls, "missing": missing, "problem": "", "total": _total(calls)}


def _call(
    key: str, question: str, answer: str | None, sent: int, asked: str, settled: str | None
) -> dict[str, JSON] | None:
    """None where the entry is of another kind than a completion."""
    try:
        model, request = json.loads(question)
        given = json.loads(answer) if answer is not None else None
        return {
            "key": key,
            "model": model,
            "messages": [{"role": role, "text": text} for role, text in request["messages"]],
            "sampling": request["sampling"],
            "draw": request["draw"],
            "answer": given["text"] if given else None,
            "finish": given["finish_reason"] if given else "in doubt",
            "note": given["note"] if given else "",
            "usage": given["usage"] if given else None,
            "sent": sent,
            "asked_at": asked,
            "settled_at": settled,
        }
    except (ValueError, KeyError, TypeError):
        return None


def _mark_repeated(calls: list[dict[str, JSON]]) -> None:
    """`repeated`: the first so many messages of a call are those of the call before it, and what
    that answered. A conversation sends its whole past with each turn."""
    past: list[tuple[str, str]] = []
    for call in calls:
        turns = [(message["role"], message["text"]) for message in call["messages"]]
        call["repeated"] = len(past) if past and turns[: len(past)] == past else 0
        past = [*turns, ("assistant", call["answer"] or "")]


def _total(calls: Sequence[dict[str, JSON]]) -> dict[str, JSON]:
    """Tokens and dollars of the calls; dollars are None where a price was not known."""
    usages = [call["usage"] for call in calls if call["usage"]]
    prices = [usage["picodollars"] for usage in usages]
    known = [price for price in prices if price is not None]
    return {
        "prompt_tokens": sum(usage["prompt_tokens"] for usage in usages),
        "completion_tokens": sum(usage["completion_tokens"] for usage in usages),
        "cached_tokens": sum(usage["cached_tokens"] for usage in usages),
        "dollars": sum(known) / 1e12 if len(known) == len(prices) else None,
    }
