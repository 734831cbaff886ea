"""Taking down what a person decides about an item."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import get_args

from seedbed.decisions import FIELDS, Decision, Verdict, append_decision
from seedbed.errors import ConfigError
from seedbed.folder import RunFolder
from seedbed.records import JSON
from seedbed.view.rows import Item

LONGEST_REASON = 2000


def decide(
    folder: RunFolder,
    database: sqlite3.Connection,
    item: Item,
    number: int,
    asked: Mapping[str, JSON],
) -> Decision:
    """Keep a decision on disk, then show it in the index.

    `asked` holds `verdict`, `reason` and `edit`, and is all that is then decided about the item.

    Raises:
        ConfigError: it is not a decision, or edits a drop.
        StorageError: it cannot be kept; then nothing is changed.
    """
    decision = Decision(
        id=item.id,
        content=item.content,
        dropped=item.dropped,
        at=datetime.now(tz=UTC).isoformat(timespec="seconds"),
        **_checked(item, asked),
    )
    append_decision(folder.decisions, decision)
    mark(database, decision, number)
    return decision


def mark(database: sqlite3.Connection, decision: Decision, number: int) -> None:
    verdict = "" if decision.verdict == "none" else decision.verdict
    database.execute(
        "update items set verdict = ?, edited = ? where number = ?",
        (verdict, int(bool(decision.edit)), number),
    )


def _checked(item: Item, asked: Mapping[str, JSON]) -> dict[str, JSON]:
    verdict, reason, edit = asked.get("verdict"), asked.get("reason", ""), asked.get("edit", {})
    if verdict not in get_args(Verdict):
        raise ConfigError(f"verdict: {verdict!r:.40}; expected {', '.join(get_args(Verdict))}")
    if not isinstance(reason, str) or len(reason) > LONGEST_REASON:
        raise ConfigError(f"reason: expected a text of at most {LONGEST_REASON} characters")
    if not isinstance(edit, dict) or not all(
        name in FIELDS and isinstance(text, str) for name, text in edit.items()
    ):
        raise ConfigError(f"edit: expected texts for some of: {', '.join(FIELDS)}")
    if edit and item.dropped:
        raise ConfigError("edit: what the run dropped is in no export, so there is nothing to edit")
    changed = {name: text for name, text in edit.items() if text != _original(item, name)}
    if not changed.get("instruction", "x").strip() or not changed.get("response", "x").strip():
        raise ConfigError("edit: an example needs an instruction and a response")
    return {"verdict": verdict, "reason": reason.strip(), "edit": changed}


def _original(item: Item, name: str) -> str:
    return item.instruction if name == "instruction" else item.text(name)
