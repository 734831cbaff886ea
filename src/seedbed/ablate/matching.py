"""Equal terms: how much of each arm's data is trained on, so that arms are comparable.

At equal accepted examples every arm trains on as many as the arm with the fewest has. At equal
teacher calls (or dollars) every arm trains on what it had when it had spent as much as the arm
that spent least.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from seedbed.config_ablate import Match
from seedbed.errors import DatasetError
from seedbed.folder import RunFolder
from seedbed.journal import Journal
from seedbed.models.journaled import KIND, completion_from_json
from seedbed.models.prices import PICO

CallCost = Callable[[str], float]
"""What a call cost, by its journal key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """When an item of a run was asked for, and by which calls."""

    round: int
    calls: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What an arm's run made: what had been spent when each example was there, and in all."""

    spent: tuple[float, ...]
    total: float


def made(folder: RunFolder, cost: CallCost, *, overhead: float = 0.0) -> Made:
    """Read a run's examples and drops, and spread its calls over them in the order of asking.

    A recipe with a pool numbers its asks, and what an ask brought (kept or dropped) shares its
    calls. Recipes that ask for many mixes in one round spread the round's calls evenly over the
    examples that came of it. Held-out examples were there before the first.

    Args:
        cost: of a call.
        overhead: what was spent before the first example (extracting skills).

    Raises:
        DatasetError: a file of the run is missing or damaged.
    """
    rounds: dict[int, list[int]] = {}
    calls: dict[int, dict[str, None]] = {}
    for place, row in enumerate(_rows(folder.examples)):
        rounds.setdefault(row.round, []).append(place)
        calls.setdefault(row.round, {}).update(dict.fromkeys(row.calls))
    for row in _rows(folder.drops):
        calls.setdefault(row.round, {}).update(dict.fromkeys(row.calls))
    at: dict[int, float] = {}
    counted = set[str]()
    if folder.held_out.exists():
        counted |= {key for row in _rows(folder.held_out) for key in row.calls}
    spent = overhead + sum(map(cost, counted))
    for number in sorted(calls):
        new = [key for key in calls[number] if key not in counted]
        counted.update(new)
        price = sum(map(cost, new))
        places = rounds.get(number, [])
        for rank, place in enumerate(places, 1):
            at[place] = spent + price * rank / len(places)
        spent += price
    return Made(spent=_rising([at[place] for place in range(len(at))]), total=spent)


def _rising(values: Sequence[float]) -> tuple[float, ...]:
    """An example cannot be trained on before those that stand before it."""
    highest, risen = 0.0, []
    for value in values:
        highest = max(highest, value)
        risen.append(highest)
    return tuple(risen)


def prefixes(arms: Sequence[Made], match: Match) -> list[int]:
    """How many examples of each arm, from its first, the match admits; as many as fit for all.

    With "examples" that is the fewest that any arm has. Else it is what each arm had when it had
    spent what the cheapest arm spent in all.
    """
    if match == "examples":
        fewest = min(len(arm.spent) for arm in arms)
        return [fewest] * len(arms)
    least = min(arm.total for arm in arms)
    return [sum(spent <= least * (1 + 1e-9) for spent in arm.spent) for arm in arms]


def one_call(_: str) -> float:
    """The cost of a call where calls are counted."""
    return 1.0


def dollars_of(journal: Journal) -> CallCost:
    """Looks up what each call of a journal cost when it was made; unpriced calls cost nothing."""
    paid: Mapping[str, float] = {
        entry.key: (completion_from_json(entry.answer).usage.picodollars or 0) / PICO
        for entry in journal.entries(KIND)
    }
    return lambda key: paid.get(key, 0.0)


def _rows(path: Path) -> Iterator[_Row]:
    number = 0
    try:
        with path.open(encoding="utf-8") as file:
            for line in file:
                number += 1
                row = json.loads(line)
                yield _Row(round=row["round"], calls=tuple(row["calls"]))
    except FileNotFoundError:
        raise DatasetError(
            f"{path}: there is no such file", hint="Run the same command again: it is made anew."
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise DatasetError(f"{path}: line {number}: not a line of a run: {error!r}") from None
