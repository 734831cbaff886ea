"""From a session's manifest to the facts of its dataset card."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import islice
from pathlib import Path

from seedbed.card import CardFacts
from seedbed.projections import read_examples
from seedbed.session import Outcome


def card_facts(outcome: Outcome, *, settings: Mapping[str, str]) -> CardFacts:
    """What the card of this run may say: all of it from the files that lie beside it."""
    plan, manifest = outcome.plan, outcome.manifest
    counts, spend = manifest["counts"], manifest["spend"]
    prices = [plan.price(stage) for stage in manifest["stages"]]
    return CardFacts(
        name=plan.folder.path.resolve().name,
        recipe=manifest["recipe"],
        teacher=manifest["teacher"],
        judge=manifest["judge"],
        seed=manifest["seed"],
        wanted=counts["kept"] if "instructions" in counts else counts["wanted"] or counts["kept"],
        kept=counts["kept"],
        repaired=counts["repaired"],
        skills=counts.get("skills", 0),
        query_types=counts.get("query_types", 0),
        pool=_pool(plan.folder.skills),
        calls=spend["calls"],
        prompt_tokens=spend["prompt_tokens"],
        completion_tokens=spend["completion_tokens"],
        dollars=None if None in prices else spend["dollars"],
        doubtful_dollars=spend["doubtful_dollars"],
        version=manifest["seedbed"],
        drops=manifest["drops"],
        repairs=manifest["repairs"],
        settings=settings,
        digests={name: value for name, value in manifest["digests"].items() if value},
        examples=list(islice(read_examples(plan.folder.examples), 3)),
    )


def _pool(path: Path) -> str:
    """Where the skills came from, in a few words."""
    if not path.exists():
        return ""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return ""
    match content:
        case {"made_by": {"method": "SDA", "topics": [*topics]}}:
            return f"the teacher, asked under {len(topics)} topics (SDA)"
        case {"made_by": {"method": "SDD", "examples": int(examples)}}:
            return f"a dataset, {examples:,} examples of it (SDD)"
    return "a file that the user gave"
