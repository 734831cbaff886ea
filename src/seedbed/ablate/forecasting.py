"""What an ablation will take, before anything is spent."""

from __future__ import annotations

from seedbed.ablate.arms import configured
from seedbed.ablate.study import Study, warm_up_text
from seedbed.config_student import TINY
from seedbed.forecast import Range, total
from seedbed.records import JSON
from seedbed.wiring import wiring_of


def expected(study: Study) -> dict[str, JSON]:
    """Runs, students, and ranges of calls and dollars (None where a price is unknown).

    Runs that come to the same are counted once. What runs of different arms share beyond that
    (skills, say) is counted with each, so the true figures are rather lower.
    """
    table = study.table
    base = study.config.student.base
    texts = {
        configured(study.text, arm, seed=seed, base=base, place=str(study.place))
        for arm in study.arms
        for seed in table.seeds
    }
    if base == TINY:
        texts.add(warm_up_text(study))
    calls, dollars = Range(0, 0), Range(0, 0)
    priced = True
    for text in sorted(texts):
        plan = study.planned(text)
        forecast = wiring_of(plan.config.recipe).forecast(plan)
        calls += total([stage for group in forecast.values() for stage in group]).calls
        cost = plan.dollars(forecast)
        priced = priced and cost is not None
        dollars += cost or Range(0, 0)
    students = sum(len(arms) for arms in study.groups.values())
    return {
        "runs": len(texts),
        "students": students * len(table.seeds) * len(table.match) + (base == TINY),
        "calls": [calls.low, calls.high],
        "dollars": [dollars.low, dollars.high] if priced else None,
    }
