"""WB-Reward: every response held against a reference model's, in one order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from seedbed.evaluate.answers import Answers
from seedbed.evaluate.judge import Judge
from seedbed.evaluate.wild_bench.data import WildBench
from seedbed.evaluate.wild_bench.judging import (
    REWARDS,
    TRUNCATED,
    pairwise_request,
    read_choice,
    shorten,
)
from seedbed.evaluate.wild_bench.scoring import Marked

MARGIN = 500
"""Characters by which the winner may be longer before "slightly better" becomes a tie (K)."""

SEED = 42


@dataclass(frozen=True, slots=True)
class Pair:
    """A response and the reference's to one task; `first` where the judge is shown it first."""

    response: str
    reference: str
    first: bool

    @property
    def skipped(self) -> bool:
        """Whether the leaderboard leaves the pair out: something is empty or was cut."""
        shown = (shorten(self.response), shorten(self.reference))
        return any(not text.strip() or text.endswith(TRUNCATED) for text in shown)


def penalized(reward: float, *, chars: int, reference_chars: int, margin: int = MARGIN) -> float:
    """The student's reward with the length penalty: a slight win that is longer by more than the
    margin is a tie, on either side; a clear win stays. A margin below 0 is no penalty."""
    longer = chars - reference_chars if reward > 0 else reference_chars - chars
    return 0.0 if margin >= 0 and abs(reward) == 0.5 and longer > margin else reward


async def reward_answers(
    bench: WildBench,
    answers: Sequence[Answers],
    judge: Judge,
    *,
    reference: str,
    margin: int = MARGIN,
) -> tuple[Marked, ...]:
    """Have every response compared with a reference's; rewards are in percent.

    A pair that the leaderboard skips gets 0 and is in no category, as there; the judge is not
    asked. The order is the official one: a draw for each task, from `Random(42)`.

    Raises:
        ModelError: the judge could not be asked.
    """
    outputs, random = bench.references[reference], Random(SEED)
    pairs: list[Pair | None] = []
    for task, said in zip(bench.tasks, answers, strict=True):
        first = random.random() < 0.5
        known = said[0] is not None and task.id in outputs
        pairs.append(Pair(said[0].text, outputs[task.id], first) if known and said[0] else None)
    asked = [
        (task, pair)
        for task, pair in zip(bench.tasks, pairs, strict=True)
        if pair is not None and not pair.skipped
    ]
    requests = [
        pairwise_request(bench, task, *_shown(pair.response, pair.reference, pair.first))
        for task, pair in asked
    ]
    choices = [one.value async for one in judge.ask_all(requests, read_choice)]
    decided = dict(zip([task.id for task, _ in asked], choices, strict=True))
    return tuple(
        Marked(
            task=task.id,
            categories=task.categories,
            value=_reward(pair, decided.get(task.id), margin),
            chars=len(pair.response) if pair else 0,
            counted=pair is not None and not pair.skipped,
        )
        for task, pair in zip(bench.tasks, pairs, strict=True)
    )


def _shown(one: str, other: str, first: bool) -> tuple[str, str]:
    return (one, other) if first else (other, one)


def _reward(pair: Pair | None, choice: str | None, margin: int) -> float | None:
    if pair is None:
        return None
    if pair.skipped:
        return 0.0
    if choice is None:
        return None
    reward = REWARDS[choice] if pair.first else -REWARDS[choice]
    return 100 * penalized(
        reward,
        chars=len(pair.response.strip()),
        reference_chars=len(pair.reference.strip()),
        margin=margin,
    )


def reward_of(counts: Mapping[str, int], total: int) -> float:
    """The reward, -1 to 1, of counted outcomes: win_much, win, tie, lose, lose_much."""
    won = counts["win_much"] + 0.5 * counts["win"]
    lost = counts["lose_much"] + 0.5 * counts["lose"]
    return (won - lost) / total
