"""Elimination (section 3.2 of the paper) and ours: the free objections, each to its own field.

A rule about the instruction sees a `Rewriting`, because most of them compare it with its parent:
what the parent has already was not copied from our prompt. A rule about the response is a filter
on the finished example.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from seedbed.curate.filters import (
    EVOL_MARKERS,
    Check,
    empty,
    leaked_prompt,
    no_content,
    on_response,
    refusal,
    short_apology,
    truncated,
)
from seedbed.curate.rouge import unicode_words
from seedbed.prompts import Prompts
from seedbed.recipes.evol_instruct.answered import answered
from seedbed.recipes.evol_instruct.params import (
    BROADEN,
    COMPLICATE,
    IN_DEPTH,
    Elimination,
    Growth,
    Operation,
)
from seedbed.records import Drop, Example, Filter

MARKERS = (*EVOL_MARKERS, "#method", "rewritten instruction", "created instruction")

SELF_TALK = ("as an ai", "ai language model", "ai assistant", "how can i assist")
"""h2o-wizardlm's phrases for a model that speaks of itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewriting:
    """`text` came of `parent` by `operation`; `root` is the seed that the lineage began with."""

    operation: Operation
    root: str
    parent: str
    text: str


Rule = Callable[[Rewriting], Drop | None]


def instruction_rules(elimination: Elimination, prompts: Prompts) -> tuple[Rule, ...]:
    """The free objections to an evolved instruction; an empty one is objected to in any case."""
    rules = {
        "unchanged": (elimination.unchanged, unchanged),
        "refusal": (elimination.refusal, unlike_parent(refusal())),
        "leaked": (elimination.leaked, unlike_parent(_leaked(prompts))),
        "self_talk": (elimination.self_talk, unlike_parent(self_talk())),
        "answered": (elimination.answered, lambda made: answered(made.parent, made.text)),
        "truncated": (elimination.truncated, unlike_parent(truncated())),
    }
    chosen = tuple(rule for wanted, rule in rules.values() if wanted)
    return (_aimed(empty()), *chosen, grown(elimination.growth))


def response_rules(elimination: Elimination) -> tuple[Filter, ...]:
    """The free objections to a response; an empty one is objected to in any case."""
    checks: list[Check] = [empty()]
    if elimination.no_content:
        checks.append(no_content())
    if elimination.refusal:
        checks.append(refusal())
    if elimination.short_apology:
        checks.append(short_apology(fewer_than=elimination.short_apology))
    if elimination.asks_back:
        checks.append(asks_back())
    if elimination.truncated:
        checks.append(truncated())
    return tuple(on_response(check) for check in checks)


def unchanged(made: Rewriting) -> Drop | None:
    """Reason `unchanged`: the same words as the parent, or as the seed, whatever case or signs."""
    words = unicode_words(made.text)
    for name, text in (("parent", made.parent), ("seed", made.root)):
        if words == unicode_words(text) and (words or made.text.split() == text.split()):
            return Drop(reason="unchanged", evidence={"as": name, "words": len(words)})
    return None


def unlike_parent(check: Check) -> Rule:
    """The check on the evolved instruction, silent where it objects to the parent just so."""

    def rule(made: Rewriting) -> Drop | None:
        if (found := check(made.text)) is None or check(made.parent) is not None:
            return None
        return _about_instruction(found)

    return rule


def grown(growth: Growth) -> Rule:
    """Reason `grown`: longer than allowed, by this evolution or by all since the seed."""

    def rule(made: Rewriting) -> Drop | None:
        factor = growth.material_factor if made.operation == COMPLICATE else 1.0
        text, parent, root = (_size(part) for part in (made.text, made.parent, made.root))
        for unit, added, most in (
            ("words", text[0] - parent[0], _times(growth.words, factor)),
            ("characters", text[1] - parent[1], _times(growth.characters, factor)),
            ("words_in_all", text[0] - root[0], _times(growth.words_in_all, 1.0)),
        ):
            if most is not None and added > most:
                return Drop(
                    reason="grown", evidence={"unit": unit, "added": added, "maximum": most}
                )
        return None

    return rule


def _size(text: str) -> tuple[int, int]:
    return len(unicode_words(text)), len(text)


def _times(bound: int | None, factor: float) -> float | None:
    return None if bound is None else bound * factor


def self_talk() -> Check:
    """Reason `self_talk`: the model speaks of itself where the user should speak."""
    spoken = re.compile(rf"\b(?:{'|'.join(SELF_TALK)})\b", re.IGNORECASE)

    def check(text: str) -> Drop | None:
        found = spoken.search(text)
        return None if found is None else Drop(reason="self_talk", evidence={"phrase": found[0]})

    return check


_MISSING = re.compile(
    r"\b(?:(?:please|could you|can you|would you|kindly) (?:please )?(?:provide|share|give me|"
    r"paste|upload|clarify|specify|tell me which)|(?:you )?(?:have not|haven't|didn't|did not) "
    r"(?:provided?|includ|given?|shared?|attach)|i (?:would )?need more (?:information|details|"
    r"context)|what (?:do you mean|exactly)|(?:is|are|was|were|seems?) (?:to be )?missing)\b",
    re.IGNORECASE,
)
_ACKNOWLEDGES = re.compile(
    r"\A\W*(?:understood|thank(?:s| you)|noted|got it|okay|alright|sure|certainly|of course|"
    r"happy to help)\b",
    re.IGNORECASE,
)
_BRIEF = 80


def asks_back() -> Check:
    """Reason `asks_back`: no response but a question for what the instruction lacks.

    After the failures that Auto Evol-Instruct names (arXiv 2406.00770): a response of fewer than 80
    words that asks to provide or clarify something in its first 300 characters, or that only
    acknowledges the instruction and ends with a question.
    """

    def check(text: str) -> Drop | None:
        words, bare = len(text.split()), text.strip().replace("’", "'")
        if words >= _BRIEF:
            return None
        found = _MISSING.search(bare[:300])
        if found is None and bare.endswith("?"):
            found = _ACKNOWLEDGES.match(bare)
        if found is None:
            return None
        return Drop(reason="asks_back", evidence={"phrase": found[0].strip(), "words": words})

    return check


def _leaked(prompts: Prompts) -> Check:
    """Marker words, or eight words in a row from one of our prompts.

    The prompt of `complicate_input` quotes instructions as demonstrations, and they are left out.
    """
    templates = [prompts.templates[name] for name in ("rewrite", *IN_DEPTH, BROADEN)]
    return leaked_prompt(MARKERS, templates=templates)


def _aimed(check: Check) -> Rule:
    def rule(made: Rewriting) -> Drop | None:
        found = check(made.text)
        return None if found is None else _about_instruction(found)

    return rule


def _about_instruction(found: Drop) -> Drop:
    return replace(found, evidence={**found.evidence, "field": "instruction"})


def duplicates(elimination: Elimination) -> Filter:
    """Reason `duplicate`: an earlier example has the same words in instruction and input.

    It remembers what it is shown, so the examples have to come in their order.
    """
    seen: dict[str, str] = {}

    def check(example: Example) -> Drop | None:
        text = f"{example.instruction.text}\n{example.input}"
        key = " ".join(unicode_words(text)) or " ".join(text.split())
        if elimination.duplicate and key in seen:
            return Drop(reason="duplicate", evidence={"of": seen[key]})
        seen[key] = example.id
        return None

    return check
