"""What a student's responses to held-out items come to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from seedbed.evaluate.means import Means, result_of
from seedbed.evaluate.measurement import Item, Measurement, Result
from seedbed.evaluate.practice.items import Pair, PracticeItem, pairs_of, seen, skills_in
from seedbed.evaluate.practice.marks import Guesses, commonest, mark
from seedbed.models.practice.examples import make
from seedbed.models.practice.world import WORLD_VERSION
from seedbed.records import JSON
from seedbed.streams import rng


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
    imagined students reach that read nothing: `guess` (the commonest answer of all) and
    `guess_skill` (the commonest answer of the skill that a part ends in).

    Args:
        items: what was asked.
        responses: one for each item, None where there is none (the item is then not counted).
        student: its name.
        trained: the instructions that it was trained on; also where the guesses come from. Without
            them there is no split by pairs, and the guesses come from a draw of the same mixes.
        settings: for the measurements, beside what is known here.
        truncated: responses that ended at the length limit; for the notes.
    """
    known = list(trained)
    known_skills = [names for names in skills_in(known) if names]
    pairs = frozenset[Pair]().union(*map(pairs_of, known_skills)) if known else None
    guesses = commonest(known if known_skills else _others(items))
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
    measured = {one.metric: one for one in _accuracies(means, items, rows, pairs) if one}
    guessed = [
        means([_guess(item, guesses, metric, by_skill=by_skill) for item in items], metric)
        for metric, by_skill in (("guess", False), ("guess_skill", True))
    ]
    skills = [one for name, one in measured.items() if name.startswith(_BY_SKILL)]
    rest = [one for one in measured.values() if one not in skills]
    return result_of([*rest, means(rows, "parts"), *guessed, *skills], rows)


_BY_SKILL = "accuracy_skill_"

_DRAWS = 3
"""Other instructions for each item, where the commonest answers have to be learnt from them."""


def _others(items: Sequence[PracticeItem]) -> list[str]:
    return [
        make(item.skills, "", rng("practice guesses", item.id, draw))[0]
        for item in items
        for draw in range(_DRAWS)
    ]


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
    names += [f"{_BY_SKILL}{name}" for name in item.skills]
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
    for name in sorted(groups):
        yield means(groups[name], name)
