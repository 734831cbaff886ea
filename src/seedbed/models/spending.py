"""What a journal says was spent: the answers it holds, and what may have been paid for nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from seedbed.journal import Journal
from seedbed.models.batch import BATCH
from seedbed.models.journaled import KIND, completion_from_json
from seedbed.models.ledger import Spend
from seedbed.models.prices import Price, worst_case
from seedbed.records import JSON, Completion, Message, Request, Sampling


def spent_in(journal: Journal, prices: Mapping[str, Price | None]) -> Spend:
    """The spending of all earlier sessions, for the caps of the next one.

    A lost attempt (in flight at a crash, or timed out before a later one succeeded) is booked at
    its worst case and as doubtful: it may have been charged.

    Args:
        journal: of the run.
        prices: by model name, of the present models. What was answered keeps the price that was
            paid for it. A lost attempt of a model that is no longer there counts at the dearest.
    """
    dearest = max(filter(None, prices.values()), key=lambda price: price.output, default=None)
    total = Spend()
    for entry in journal.entries(KIND):
        name, request = entry.question[0], entry.question[1]
        completion = completion_from_json(entry.answer)
        total += spend_of(completion, prices.get(name))
        total += _lost(request, prices.get(name, dearest), entry.sent - 1)
    # What is in a batch at the provider is waited for and not sent again.
    waited_for = {key for entry in journal.entries(BATCH) for key in entry.question[1]}
    for doubt in journal.in_doubt(KIND):
        if doubt.key in waited_for:
            continue
        name, request = doubt.question[0], doubt.question[1]
        total += _lost(request, prices.get(name, dearest), doubt.sent)
    return total


def spend_of(completion: Completion, price: Price | None) -> Spend:
    """One completion's spending: what was paid when it was made, else what it costs now."""
    paid = completion.usage.picodollars
    spend = Spend.of(completion.usage, price)
    return spend if paid is None else replace(spend, picodollars=paid)


def request_from_json(content: JSON) -> Request:
    """The inverse of `Request.to_json`."""
    sampling = dict(content["sampling"])
    sampling["stop"] = tuple(sampling["stop"])
    return Request(
        messages=tuple(Message(role, text) for role, text in content["messages"]),
        sampling=Sampling(**sampling),
        schema=content["schema"],
        draw=content["draw"],
    )


def _lost(request: JSON, price: Price | None, times: int) -> Spend:
    worst = Spend.of(worst_case(request_from_json(request)), price, doubtful=True)
    total = Spend()
    for _ in range(times):
        total += worst
    return total
