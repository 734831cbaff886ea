"""What shapes a run of directed mixes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from seedbed.recipes.skillmix import Params as Mixing

Arms = Literal["topic", "skill"]
"""What is weighed: the topics that skills stand under, or each skill."""

Need = Literal["progress", "loss", "none"]
"""What of the held-out losses a topic or skill is wanted for.

`progress`: how much its loss has moved since the round before, either way, for as often as it was
drawn: what a further example would give. What is known and what cannot be learned both stand
still. `loss`: how far it is above the lowest. `none`: nothing; mixes are uniform, and no student
is asked.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Directing:
    """How needs become shares; see `needs.shares`.

    Args:
        arms, need: see their types.
        rate: shares go with needs to this power; 0 is uniform.
        memory: what a need of the round before still counts, 0 to below 1.
        floor: the part of all draws that is uniform, so that every arm is looked at again.
        held_out_per_arm: held-out examples of single skills that are made for each arm.
    """

    arms: Arms = "topic"
    need: Need = "progress"
    rate: float = 1.0
    memory: float = 0.5
    floor: float = 0.2
    held_out_per_arm: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`mixing` is Instruct-SkillMix's, its `count` the examples kept in all.

    `round` examples are drawn with the same shares; what the student says after round r is known to
    the mixes of round r + `lag` and later. `batch` examples make one training step.
    """

    mixing: Mixing = field(default_factory=Mixing)
    directing: Directing = field(default_factory=Directing)
    round: int = 128
    lag: int = 1
    batch: int = 64

    def of_round(self, count: int) -> Mixing:
        """How so many examples are asked for at once."""
        return replace(self.mixing, count=count, trial=count, recipe="directed")

    def held_out(self, count: int) -> Mixing:
        """How so many single skills are asked for one time each: what fails is not made up for."""
        return replace(self.of_round(count), k=1, rounds=1)
