"""From held-out losses to shares: what each arm would give, or still lacks, and how sure that is.

Every arm's loss is measured after every round, also that of arms that were hardly drawn. So this
is not the bandit problem, where only what was drawn is seen and the rest has to be guessed. What
is left to guard against is noise: a few held-out examples say little, so shares only leave the
uniform by as much as the arms differ beyond it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

from seedbed.errors import ConfigError
from seedbed.recipes.directed.params import Arms, Directing, Need
from seedbed.recipes.skillmix.skillset import SkillSet
from seedbed.records import Example

RIDGE = 1.0
"""So many examples' worth of the mean stands behind each arm before anything is measured."""

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
    """Which arms each held-out example needs, and how long its response is.

    An example of k skills says something of k arms at once. So each arm's part is a least-squares
    fit of all examples, held to the mean by `RIDGE`. What is fitted is the loss of the whole
    response: the mean of a token is lower the longer a response is, whatever is known of it, and
    whether an answer is right hangs on all of its tokens. Length is in characters, which are in
    proportion.
    """

    arms: tuple[str, ...]
    needed: tuple[tuple[float, ...], ...]
    lengths: tuple[int, ...]

    def parts(self, losses: Sequence[float]) -> tuple[dict[str, float], float]:
        """Each arm's part of what responses lose, and the standard error of such a part."""
        import numpy as np

        read = [place for place, loss in enumerate(losses) if isfinite(loss)]
        if not read:
            return dict.fromkeys(self.arms, 0.0), 0.0
        needed = np.array([self.needed[place] for place in read])
        lost = np.array([losses[place] * self.lengths[place] for place in read])
        mean = lost.sum() / needed.sum()
        strength = needed.T @ needed + RIDGE * np.eye(len(self.arms))
        parts = np.linalg.solve(strength, needed.T @ lost + RIDGE * mean)
        error = float(np.sqrt(np.mean((lost - needed @ parts) ** 2) / (needed.sum(axis=0).mean())))
        return dict(zip(self.arms, parts.tolist(), strict=True)), error


def scale_of(held_out: Sequence[Example], arms: Mapping[str, str]) -> Scale:
    """How the held-out examples measure the arms of these skills."""
    names = tuple(dict.fromkeys(arms.values()))
    drawn = [[arms[skill] for skill in one.instruction.origin.skills] for one in held_out]
    return Scale(
        arms=names,
        needed=tuple(tuple(float(each.count(name)) for name in names) for each in drawn),
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
        parts, error = scale.parts(now.losses)
        least = min(parts.values())
        return {arm: part - least for arm, part in parts.items()}, error
    if len(history) < 2:
        return nothing
    before = history[-2]
    drops = [was - loss for was, loss in zip(before.losses, now.losses, strict=True)]
    parts, error = scale.parts(drops)
    even = sum(now.drawn.values()) / len(scale.arms) or 1.0
    taught = {arm: max(LEAST_DRAWN, now.drawn.get(arm, 0) / even) for arm in scale.arms}
    return {arm: abs(part) / taught[arm] for arm, part in parts.items()}, error
