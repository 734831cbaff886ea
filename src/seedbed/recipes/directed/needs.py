"""From held-out losses to shares: what each arm would give, or still lacks, and how sure that is.

Every arm's loss is measured after every round, also that of arms that were hardly drawn. So this
is not the bandit problem, where only what was drawn is seen and the rest has to be guessed. What
is left to guard against is noise: a few held-out examples say little, so shares only leave the
uniform by as much as the arms differ beyond it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, sqrt
from statistics import mean

from seedbed.errors import ConfigError
from seedbed.recipes.directed.params import Arms, Directing, Need
from seedbed.recipes.skillmix.skillset import SkillSet
from seedbed.records import Example

LEAST_DRAWN = 0.5
"""Of a uniform share: an arm that was drawn less has its progress divided by this all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What is known after a round; the first is of the student before any lesson.

    Args:
        losses: of each held-out example, a token's on average; NaN where it cannot be read.
        drawn: how many of the round's examples need a skill of each arm.
    """

    losses: Sequence[float]
    drawn: Mapping[str, int]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """What the losses of the held-out examples say of the arms.

    Each example needs one skill, so it is of one arm. What counts is the loss of its whole
    response: the mean of a token is lower the longer a response is, whatever is known of it, and
    whether an answer is right hangs on all of its tokens. Length is in characters, which are in
    proportion.

    Args:
        of: the arm of each held-out example.
        lengths: of its response.
    """

    arms: tuple[str, ...]
    of: tuple[str, ...]
    lengths: tuple[int, ...]

    def means(self, losses: Sequence[float]) -> tuple[dict[str, float], float]:
        """What a response loses on average, for each arm, and the standard error of such a mean.

        An arm of which nothing can be read is taken for the mean of the others.
        """
        found: dict[str, list[float]] = {arm: [] for arm in self.arms}
        for arm, loss, length in zip(self.of, losses, self.lengths, strict=True):
            if isfinite(loss):
                found[arm].append(loss * length)
        known = {arm: mean(values) for arm, values in found.items() if values}
        middle = mean(known.values()) if known else 0.0
        apart = [(value - known[arm]) ** 2 for arm, values in found.items() for value in values]
        free = len(apart) - len(known)
        error = sqrt(sum(apart) / free / (len(apart) / len(known))) if free else 0.0
        return {arm: known.get(arm, middle) for arm in self.arms}, error


def scale_of(held_out: Sequence[Example], arms: Mapping[str, str]) -> Scale:
    """How held-out examples of single skills measure the arms of these skills."""
    return Scale(
        arms=tuple(dict.fromkeys(arms.values())),
        of=tuple(arms[one.instruction.origin.skills[0]] for one in held_out),
        lengths=tuple(len(one.response) for one in held_out),
    )


def shares(history: Sequence[Measured], scale: Scale, how: Directing) -> dict[str, float]:
    """The chance of each arm, after these measurements.

    Its need is the mean over the rounds, each round back counting `memory` times as much. Shares
    are in proportion to (need + noise) ** `rate`, where noise is what a need is wrong by: arms
    that differ by less than that get about the same. A `floor` is uniform in any case. Rounded to
    nine digits, so that the draws do not hang on the last bit of a sum.
    """
    arms = scale.arms
    total, noise = dict.fromkeys(arms, 0.0), 0.0
    for number in range(len(history)):
        found, error = needs(history[: number + 1], scale, how.need)
        total = {arm: how.memory * total[arm] + found[arm] for arm in arms}
        noise = how.memory * noise + error
    top = max(total.values()) + noise
    weights = {arm: ((total[arm] + noise) / top if top else 1.0) ** how.rate for arm in arms}
    whole = sum(weights.values())
    return {
        arm: round((1 - how.floor) * weight / whole + how.floor / len(arms), 9)
        for arm, weight in weights.items()
    }


def needs(history: Sequence[Measured], scale: Scale, need: Need) -> tuple[dict[str, float], float]:
    """How much each arm is wanted after the last measurement, 0 or more, and what that errs by."""
    nothing = dict.fromkeys(scale.arms, 0.0), 0.0
    if need == "none" or not history:
        return nothing
    now = history[-1]
    if need == "loss":
        found, error = scale.means(now.losses)
        least = min(found.values())
        return {arm: lost - least for arm, lost in found.items()}, error
    if len(history) < 2:
        return nothing
    before = history[-2]
    drops = [was - loss for was, loss in zip(before.losses, now.losses, strict=True)]
    found, error = scale.means(drops)
    even = sum(now.drawn.values()) / len(scale.arms) or 1.0
    taught = {arm: max(LEAST_DRAWN, now.drawn.get(arm, 0) / even) for arm in scale.arms}
    return {arm: abs(drop) / taught[arm] for arm, drop in found.items()}, error
