"""What a student's responses to held-out items come to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from seedbed.evaluate.means import Means
from seedbed.evaluate.measurement import Item, Measurement, Result
from seedbed.evaluate.practice.items import Pair, PracticeItem, pairs_of, seen, skills_in
from seedbed.evaluate.practice.marks import Guesses, commonest, mark
from seedbed.models.practice.world import WORLD_VERSION
from seedbed.records import JSON


def score(
    items: Sequence[PracticeItem],
    responses: Sequence[str | None],
    *,
    student: str,
    trained: Iterable[str] = (),
    settings: Mapping[str, JSON] | None = None,
    truncated: int = 0,
) -> Result:
    """Mark the responses, and split the accuracy in every way that has items.

    Metrics, in percent: `accuracy` (every part of the answer is right), `parts` (share of parts),
    `accuracy_k2`, `accuracy_skill_NAME` (items that need the skill, whatever else they need),
    `accuracy_pairs_seen`, `_partly`, `_unseen` and `accuracy_k2_pairs_seen`, … (k of 2 and more,
    by whether the item's pairs of skills occur in one instruction of `trained`), and what two
    students reach that read nothing: `guess` (the commonest answer of all) and `guess_skill` (the
    commonest answer of the skill that a part ends in).

    Args:
        items: what was asked.
        responses: one for each item, None where there is none (the item is then not counted).
        student: its name.
        trained: the instructions that it was trained on; also where the guesses come from. Without
            them there is no split by pairs, and the guesses come from the items themselves, which
            is the most that guessing can reach.
        settings: for the measurements, beside what is known here.
        truncated: responses that ended at the length limit; for the notes.
    """
    known = list(trained)
    known_skills = [names for names in skills_in(known) if names]
    pairs = frozenset[Pair]().union(*map(pairs_of, known_skills)) if known else None
    guesses = commonest(known if known_skills else [item.instruction for item in items])
    rows = [
        _row(item, response, _splits(item, pairs))
        for item, response in zip(items, responses, strict=True)
    ]
    means = Means(
        benchmark="practice",
        student=student,
        settings={"world": WORLD_VERSION} | dict(settings or {}),
        notes=(f"{truncated:,} responses ended at the length limit",) if truncated else (),
    )
    measured = [means(rows, "parts"), *_accuracies(means, items, rows, pairs)]
    for metric, by_skill in (("guess", False), ("guess_skill", True)):
        guessed = [_guess(item, guesses, metric, by_skill=by_skill) for item in items]
        measured.append(means(guessed, metric, notes=(_GUESS,)))
    return Result(measurements=tuple(one for one in measured if one is not None), items=tuple(rows))


_GUESS = "No student: the commonest answer given to everything that it fits"


def _row(item: PracticeItem, response: str | None, splits: Sequence[str]) -> Item:
    if response is None:
        return Item(id=item.id, scores={}, chars=0)
    marked = mark(item, response)
    scores = dict.fromkeys(splits, 100.0 * marked.right) | {"parts": 100 * marked.parts}
    return Item(id=item.id, scores=scores, chars=len(response))


def _guess(item: PracticeItem, guesses: Guesses, metric: str, *, by_skill: bool) -> Item:
    response = guesses.response(item, by_skill=by_skill)
    right = mark(item, response).right
    return Item(id=item.id, scores={metric: 100.0 * right}, chars=len(response))


def _splits(item: PracticeItem, pairs: frozenset[Pair] | None) -> list[str]:
    """The metrics that an item counts in."""
    names = ["accuracy", f"accuracy_k{item.k}"]
    names += [f"accuracy_skill_{name}" for name in item.skills]
    if pairs is not None and item.pairs:
        kind = seen(item.pairs, pairs)
        names += [f"accuracy_pairs_{kind}", f"accuracy_k{item.k}_pairs_{kind}"]
    return names


def _accuracies(
    means: Means, items: Sequence[PracticeItem], rows: Sequence[Item], pairs: frozenset[Pair] | None
) -> Iterator[Measurement | None]:
    """Each split over the items that belong to it, answered or not."""
    groups: dict[str, list[Item]] = {}
    for item, row in zip(items, rows, strict=True):
        for name in _splits(item, pairs):
            groups.setdefault(name, []).append(row)
    for name in sorted(groups, key=lambda name: (name.startswith("accuracy_skill_"), name)):
        yield means(groups[name], name)
