"""From judged outputs to the benchmark's result."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isnan

import numpy as np

from seedbed.errors import DatasetError
from seedbed.evaluate.alpaca_eval.annotations import Annotated
from seedbed.evaluate.alpaca_eval.data import AlpacaEvalData
from seedbed.evaluate.alpaca_eval.leaderboard import standing
from seedbed.evaluate.alpaca_eval.length_control import (
    Judged,
    LengthControlled,
    bootstrap,
    judged_rows,
    length_controlled,
)
from seedbed.evaluate.means import Means
from seedbed.evaluate.measurement import Item, Measurement, Result
from seedbed.evaluate.safety import constant_notes, family_notes, injection_notes
from seedbed.records import JSON, digest

BENCHMARK = "alpaca_eval"
WIN_RATE, DISCRETE, LC = "win_rate", "discrete_win_rate", "lc_win_rate"

JUDGES = ("weighted_alpaca_eval_gpt4_turbo", "gpt-4-1106-preview")
"""The judge behind the published numbers, as annotation files and servers call it."""

DRAWS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Scoring:
    """How judged outputs become numbers.

    `C` is the inverse strength of the penalty, chosen by cross-validation unless given; `draws`
    the refits of the LC interval, seeded by `seed`; `teacher` the model whose data the student was
    tuned on, where it is known, only to warn of favours.
    """

    C: float | None = None
    draws: int = DRAWS
    seed: int = 0
    teacher: str = ""


def item_id(instruction: str) -> str:
    """The same for every student."""
    return digest(instruction)[:16]


def score(
    annotated: Annotated,
    data: AlpacaEvalData,
    *,
    scoring: Scoring | None = None,
    settings: dict[str, JSON] | None = None,
    dollars: float | None = 0.0,
    notes: tuple[str, ...] = (),
) -> Result:
    """Win rates with intervals, lengths, and what a reader has to know about the judgments.

    Args:
        annotated: one student's judged outputs.
        scoring: as `Scoring` has it unless given.
        settings: of the judge's protocol, added to those of the data.
        dollars: what the judge cost.
        notes: of the judge and its protocol.

    Raises:
        DatasetError: no judgment could be read.
    """
    scoring = scoring or Scoring()
    if all(map(isnan, annotated.preference)):
        raise DatasetError(
            f"{annotated.student}: none of {len(annotated.preference)} judgments could be read",
            hint="Does the judge reply with m or M, and nothing else?",
        )
    items = _items(annotated, data)
    means = Means(
        benchmark=BENCHMARK,
        student=annotated.student,
        judge=annotated.judge,
        settings={**data.settings, **(settings or {})},
        dollars=dollars,
        notes=(*notes, *_notes(annotated, data, scoring)),
    )
    expected = len(data.instructions)
    simple = [means(items, metric, expected_n=expected) for metric in (WIN_RATE, DISCRETE, "chars")]
    raw, *rest = [each for each in simple if each is not None]
    lc, *official = _length_controlled(annotated, data, scoring, raw)
    checks = _checks(annotated, raw)
    ranked = [_ranked(each, annotated, data) for each in (raw, lc)]
    return Result(measurements=(*ranked, *rest, *checks, *official), items=tuple(items))


def _ranked(each: Measurement, annotated: Annotated, data: AlpacaEvalData) -> Measurement:
    """With a note on where it stands among the published rows, if it compares with them."""
    told = standing(data.leaderboard.get(each.metric, ()), each.value)
    if not told or _comparable(annotated, data) or annotated.from_text:
        return each
    return replace(each, notes=(*each.notes, f"{each.metric}: {told}"))


def _checks(annotated: Annotated, like: Measurement) -> list[Measurement]:
    """How far the judge can be trusted, in percent."""
    plain = replace(like, low=None, high=None, standard_error=None, notes=())
    rows = len(annotated.preference)
    unread = 100 * sum(map(isnan, annotated.preference)) / rows
    found = [replace(plain, metric="unread_judgments", value=unread, n=rows)]
    if annotated.agreement is not None:
        agreed = 100 * annotated.agreement
        found.append(replace(plain, metric="order_agreement", value=agreed))
    return found


def _items(annotated: Annotated, data: AlpacaEvalData) -> list[Item]:
    items = []
    for place, preference, chars, baseline in zip(
        annotated.place,
        annotated.preference,
        annotated.model_chars,
        annotated.baseline_chars,
        strict=True,
    ):
        share = (1.5 if preference == 0 else preference) - 1
        discrete = 100.0 if share > 0.5 else 0.0 if share < 0.5 else 50.0
        scores = {} if isnan(preference) else {WIN_RATE: 100 * share, DISCRETE: discrete}
        items.append(
            Item(
                id=item_id(data.instructions[place]),
                scores=scores | {"chars": float(chars)},
                chars=chars,
                facts={
                    "baseline_chars": float(baseline),
                    "difficulty": float(data.difficulty[place]),
                },
            )
        )
    return items


def _length_controlled(
    annotated: Annotated, data: AlpacaEvalData, scoring: Scoring, like: Measurement
) -> list[Measurement]:
    """The LC win rate with the interval of refits, and the official figures beside it."""
    own, rows = _fitted(annotated, data, scoring, by_row=False)
    draws = bootstrap(rows, data.gamed, C=own.C, draws=scoring.draws, seed=scoring.seed)
    low, high = (float(end) for end in np.quantile(draws, (0.025, 0.975)))
    how = "given" if scoring.C is not None else "by cross-validation"
    length, difficulty, bias = own.weights
    lc = replace(
        like,
        metric=LC,
        value=own.length_controlled_winrate,
        low=low,
        high=high,
        standard_error=float(draws.std(ddof=1)),
        notes=(
            *like.notes,
            f"C = {own.C:.4g} ({how}); weights: length {length:.4f}, difficulty {difficulty:.4f}, "
            f"bias {bias:.4f}. The interval is of {scoring.draws} refits on instructions drawn "
            "with replacement.",
            *_comparable(annotated, data),
        ),
    )
    official = "AlpacaEval's own figure, for comparison only: the spread of fitted values, which "
    plain = replace(like, low=None, high=None, standard_error=None)
    found = [
        lc,
        replace(
            plain,
            metric="lc_official_standard_error",
            value=own.lc_standard_error,
            notes=(f"{official}is 1.8 to 5.6 times smaller than the sampling error.",),
        ),
    ]
    if len(annotated.place) < len(data.instructions):
        by_row, _ = _fitted(annotated, data, scoring, by_row=True)
        told = (
            "As the official code has it: difficulties joined by row, here of other instructions."
        )
        found.append(
            replace(
                plain,
                metric="lc_win_rate_by_row",
                value=by_row.length_controlled_winrate,
                notes=(told,),
            )
        )
    return found


def _fitted(
    annotated: Annotated, data: AlpacaEvalData, scoring: Scoring, *, by_row: bool
) -> tuple[LengthControlled, Judged]:
    places = list(range(len(annotated.place))) if by_row else annotated.place
    arrays = (
        annotated.preference,
        annotated.model_chars,
        annotated.baseline_chars,
        data.difficulty[places],
    )
    return length_controlled(*arrays, data.gamed, C=scoring.C), judged_rows(*arrays)


def _comparable(annotated: Annotated, data: AlpacaEvalData) -> tuple[str, ...]:
    """Why an LC win rate compares with no published one."""
    if annotated.judge in JUDGES and annotated.baseline in ("", data.baseline):
        return ()
    return (
        f"Difficulties and gamed rows are those of the judge {JUDGES[1]} and the baseline "
        f"{data.baseline}; this judge is {annotated.judge or 'not named'}, so the LC win rate "
        "compares with no published one.",
    )


def _notes(annotated: Annotated, data: AlpacaEvalData, scoring: Scoring) -> tuple[str, ...]:
    notes = list(data.notes())
    missing = len(data.instructions) - len(annotated.place)
    unread = sum(map(isnan, annotated.preference))
    if missing:
        notes.append(f"{missing} of {len(data.instructions)} instructions have no judged output.")
    if unread:
        notes.append(
            f"{unread} of {len(annotated.preference)} preferences could not be read and are left "
            "out; they are no losses and no draws."
        )
    if annotated.baseline not in ("", data.baseline):
        notes.append(f"Judged against {annotated.baseline}, not against {data.baseline}.")
    if annotated.from_text:
        notes.append(
            f"{annotated.from_text} of {annotated.judgments} answers came without "
            "log-probabilities and were read from the text: whole wins and losses instead of "
            "chances, so compare with no published number."
        )
    if annotated.reread:
        notes.append(
            f"{annotated.reread} preferences were read again from their log-probabilities and "
            f"their order; {annotated.differing} differ from what was stored."
        )
    if annotated.agreement is not None:
        notes.append(
            f"Shown in the other order, the judge names the same winner in "
            f"{annotated.agreement:.1%} of the pairs."
        )
    names = [item_id(data.instructions[place]) for place in annotated.place]
    notes += constant_notes(annotated.model_chars, annotated.outputs)
    notes += injection_notes(dict(zip(names, annotated.outputs, strict=False)))
    notes += family_notes(
        judge=annotated.judge,
        student=annotated.student,
        teacher=scoring.teacher,
        baseline=annotated.baseline,
    )
    return tuple(notes)
