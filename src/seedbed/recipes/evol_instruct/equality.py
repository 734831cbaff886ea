"""Does an evolved instruction say anything new? A judge, one call each (elimination rule 1)."""

from __future__ import annotations

import re
from typing import Literal

from seedbed.models.model import Model
from seedbed.prompts import Prompts
from seedbed.records import Completion, Drop, Message, Request, Sampling

Verdict = Literal["equal", "not equal"]

_DIFFERENT = re.compile(r"\b(?:not|n't|isn't|aren't|never) (?:\w+ )?equal\b|\bunequal\b", re.I)
_EQUAL = re.compile(r"\bequal\b", re.IGNORECASE)


async def compare(
    first: str, second: str, *, judge: Model, prompts: Prompts, sampling: Sampling
) -> Completion:
    """Ask whether two instructions are equal in what they demand, and in depth and breadth."""
    text = prompts.fill("equal", first=first, second=second)
    return await judge.complete(Request(messages=(Message("user", text),), sampling=sampling))


def verdict(text: str) -> Verdict | None:
    """What the judge said. "Not equal" is looked for first, because it holds the word "equal".

    Of several lines the last with a verdict counts: judges think aloud before they decide.
    """
    for line in reversed(text.replace("*", "").splitlines()):
        if _DIFFERENT.search(line):
            return "not equal"
        if _EQUAL.search(line):
            return "equal"
    return None


def no_gain(completion: Completion) -> Drop | None:
    """Reason `equal`, or `unjudged` where the judge gave no verdict: none is not a "not equal"."""
    said = verdict(completion.text)
    if said == "not equal":
        return None
    if said == "equal":
        return Drop(reason="equal", evidence={"judge": completion.text.strip()[:120]})
    said_instead = (completion.text.strip() or completion.note)[:120]
    return Drop(
        reason="unjudged", evidence={"judge": said_instead, "finish": completion.finish_reason}
    )
