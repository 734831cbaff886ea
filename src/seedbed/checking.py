"""Whether a model does what a run needs of it: probes through the run's own wrappers, and what
follows from each finding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

from seedbed.config import Config
from seedbed.config_tables import ModelTable
from seedbed.endpoint import chat_settings, open_model
from seedbed.errors import ModelError
from seedbed.journal import Journal
from seedbed.models.budgeted import Budget
from seedbed.models.model import Model
from seedbed.models.probes import Capability, Doors, Finding, probe
from seedbed.records import JSON

NEEDED: frozenset[Capability] = frozenset({"sampling", "max_tokens"})
"""What no run can do without: else it makes one text over and over, or passes its caps."""

FOLLOWS: Mapping[Capability, str] = {
    "sampling": "a run would make one text over and over, so it stops here",
    "greedy": "judgments and labels may differ from server to server; the journal keeps the first",
    "max_tokens": "caps cannot hold, since a call may cost more than its worst case; a run stops",
    "stop": "answers are cut there on arrival, but what was written past it is paid for",
    "usage": "tokens are booked at their worst case, so caps are reached early",
    "system": "prompts that have a system message lose it",
    "logprobs": "judges read the text instead of the chances",
    "json_schema": "leave json_schema off: answers are read as text, and dropped where unreadable",
    "seed": "leave send_seed off; nothing depends on it, since the journal keeps every answer",
    "n": "nothing: every answer is asked for by itself",
}
"""What seedbed does where a capability is missing."""

_HINT = (
    "The server takes the parameter and does not obey it. `transformers serve` does so unless the "
    'model\'s generation_config.json says "do_sample": true; other servers do after a wrong '
    "setting. `seedbed check` shows all of it. If you know better: check = false in the model's "
    "table."
)


async def check_model(
    table: ModelTable,
    *,
    journal: Journal,
    budget: Budget,
    home: Path = Path(),
    only: frozenset[Capability] | None = None,
    session: str = "",
) -> list[Finding]:
    """Probe a model of the config; some ten calls of a few tokens, journaled and budgeted.

    They have names of their own in the journal, so that no run takes them for its own; another
    `session` asks anew.

    Raises:
        SeedbedError: the model cannot be asked at all.
    """

    def door(name: str, **changes: object) -> ModelTable:
        label = " ".join((table.name or table.shown, f"({name})", session)).strip()
        return table.model_copy(update={"name": label, "mode": "live", **changes})

    async with AsyncExitStack() as stack:

        async def opened(asked: ModelTable, *, choices: int = 1) -> Model:
            context = open_model(asked, journal=journal, budget=budget, home=home, choices=choices)
            return (await stack.enter_async_context(context)).model

        plain = await opened(door("check", json_schema=True))
        if table.kind != "server":
            return await probe(Doors(plain=plain), only)
        seeded = [await opened(door(f"check, seed {n}", send_seed=True)) for n in (1, 2)]
        several = await opened(door("check, n"), choices=2)
        doors = Doors(plain=plain, seeded=tuple(seeded), several=several)
        return await probe(doors, only)


def needed(table: ModelTable, config: Config) -> frozenset[Capability]:
    """What a run uses of a model, and so wants to know of beforehand."""
    wanted: set[Capability] = set(NEEDED)
    caps = config.budget
    wanted |= {"stop"} if config.recipe == "self_instruct" else set()
    wanted |= {"json_schema"} if table.json_schema else set()
    wanted |= {"seed"} if table.send_seed else set()
    wanted |= {"usage"} if caps.dollars is not None or caps.tokens is not None else set()
    return frozenset(wanted)


async def check_once(
    table: ModelTable, *, journal: Journal, budget: Budget, only: frozenset[Capability]
) -> list[str]:
    """What `seedbed run` does before it spends: a check that was passed is not made again.

    Args:
        only: what the run needs; `NEEDED` is always among it.

    Returns:
        What else is missing, with what follows, in a line each.

    Raises:
        ModelError: something is ignored that no run can do without; it is asked again next time.
    """
    capabilities = sorted(only | NEEDED)

    async def effect() -> JSON:
        findings = await check_model(
            table,
            journal=journal,
            budget=budget,
            only=frozenset(only | NEEDED),
            session=datetime.now(tz=UTC).isoformat(),
        )
        require(findings, model=table.shown)
        return [line_of(table, finding) for finding in failing(findings, only)]

    question = [chat_settings(table).name, table.url, capabilities]
    # Its calls announce themselves.
    notes: list[str] = await journal.once("check", question, effect, announces=True, free=True)
    return notes


def line_of(table: ModelTable, finding: Finding) -> str:
    capability = finding.capability
    return f"{table.shown}: {capability} {finding.verdict} ({finding.saw}): {FOLLOWS[capability]}."


def failing(findings: Sequence[Finding], needed: frozenset[Capability] = NEEDED) -> list[Finding]:
    """What is ignored or refused, and needed."""
    return [
        finding
        for finding in findings
        if finding.capability in needed and finding.verdict in ("ignored", "unsupported")
    ]


def require(findings: Sequence[Finding], *, model: str) -> None:
    """Stop where something is ignored that no run can do without.

    Raises:
        ModelError: it is; the message says what was seen.
    """
    for finding in failing(findings):
        raise ModelError(
            f"{model}: {finding.capability} is {finding.verdict}: {finding.saw}; "
            f"{FOLLOWS[finding.capability]}",
            hint=_HINT,
        )
