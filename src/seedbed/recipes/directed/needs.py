"""From held-out losses to shares: exponential weights over what is asked for.

Every arm's loss is measured after every round, also that of arms that were hardly drawn. So this
is not the bandit problem, where only what was drawn is seen and EXP3 has to guess the rest, but
its easier sister with full information; exponential weights (Hedge; Freund and Schapire 1997) with
a discount, because what is worth learning changes, and a floor, because measurements are noisy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import exp, isfinite

from seedbed.errors import ConfigError
from seedbed.recipes.directed.params import Arms, Directing, Need
from seedbed.recipes.skillmix.skillset import SkillSet
from seedbed.records import Example

Losses = Mapping[str, float]
"""The mean held-out loss of each arm; arms of which nothing is known are not in it."""


def arms_of(pool: SkillSet, arms: Arms) -> dict[str, str]:
    """The arm of each skill of the pool.

    Raises:
        ConfigError: the pool's skills stand under no topics.
    """
    if arms == "skill":
        return {skill.name: skill.name for skill in pool.skills}
    if not any(skill.topic for skill in pool.skills):
        raise ConfigError(
            'arms = "topic": the skills of this pool stand under no topics',
            hint='Set arms = "skill" under [directed], or give them topics in skills.json.',
        )
    return {skill.name: skill.topic or skill.name for skill in pool.skills}


def losses_of(
    held_out: Sequence[Example], losses: Sequence[float], arms: Mapping[str, str]
) -> dict[str, float]:
    """The mean loss of each arm over the held-out examples that need a skill of it."""
    found: dict[str, list[float]] = {}
    for example, loss in zip(held_out, losses, strict=True):
        if isfinite(loss):
            for arm in {arms[skill] for skill in example.instruction.origin.skills}:
                found.setdefault(arm, []).append(loss)
    return {arm: sum(values) / len(values) for arm, values in sorted(found.items())}


def shares(history: Sequence[Losses], arms: Sequence[str], how: Directing) -> dict[str, float]:
    """The chance of each arm, after these measurements (the first is of the untrained student).

    With needs n in 0 to 1 after each round, an arm's score is the sum of its needs, each round
    back counting `memory` times as much; its share is (1 - floor) times the softmax of
    rate * score, plus floor over the number of arms. Rounded to nine digits, so that the draws do
    not hang on the last bit of a logarithm.
    """
    scores = dict.fromkeys(arms, 0.0)
    for number in range(len(history)):
        found = needs(history[: number + 1], arms, how.need)
        scores = {arm: how.memory * scores[arm] + found[arm] for arm in arms}
    top = max(scores.values())
    weights = {arm: exp(how.rate * (score - top)) for arm, score in scores.items()}
    total = sum(weights.values())
    return {
        arm: round((1 - how.floor) * weight / total + how.floor / len(arms), 9)
        for arm, weight in weights.items()
    }


def needs(history: Sequence[Losses], arms: Sequence[str], need: Need) -> dict[str, float]:
    """How much each arm is wanted after the last measurement: the most wanted 1, the least 0.

    An arm of which nothing is known is as wanted as the others are on average.
    """
    if need == "none" or (need == "progress" and len(history) < 2):
        return dict.fromkeys(arms, 0.0)
    now = history[-1]
    if need == "loss":
        least = min(now.values(), default=0.0)
        values = {arm: loss - least for arm, loss in now.items()}
    else:
        before = history[-2]
        values = {arm: abs(before[arm] - now[arm]) for arm in now if arm in before}
    most = max(values.values(), default=0.0)
    scaled = {arm: value / most if most else 0.0 for arm, value in values.items()}
    middle = sum(scaled.values()) / len(scaled) if scaled else 0.0
    return {arm: scaled.get(arm, middle) for arm in arms}
