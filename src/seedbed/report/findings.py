"""What to look at in a run: concrete, computed, and each with the section that shows it.

A finding is a function of what was measured; it returns none where there is nothing to say. The
limits from which something is worth a reader's time are here, by name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from seedbed.report.data_findings import openings, repairs, responses, similarity, skills
from seedbed.report.document import WEIGHTS, Finding
from seedbed.report.measures import Measured
from seedbed.report.rows import Row
from seedbed.report.sections.benchmarks import value
from seedbed.report.sections.cost import forecasts
from seedbed.report.sections.steering import moves
from seedbed.report.sections.tuning import held_out
from seedbed.report.sections.yields import SURPLUS, largest_target
from seedbed.report.wording import brief, count, percent, plural, spoken

MANY_DROPS = 0.25
"""Share of dropped items from which a run wastes its money."""

FOND = 0.2
"""Share of the drops for similarity that one text may draw."""

FAR = 1.5
"""Factor between an amount and its forecast's nearer end that is far off."""

REJECTED = 0.1
"""Share of the examples judged by hand from which their rejections are worth a look."""

CUT = 0.02
FALLING = 0.1
ROUND_SIZE = 20
OVERFIT = 1.02

Check = Callable[[Measured], Iterator[Finding]]


def findings(measured: Measured) -> Sequence[Finding]:
    """All of them, what has to be mended first."""
    found = [finding for check in CHECKS for finding in check(measured)]
    return sorted(found, key=lambda finding: WEIGHTS.index(finding.weight))


def _status(measured: Measured) -> Iterator[Finding]:
    manifest = measured.run.manifest
    counts, status = manifest["counts"], manifest["status"]
    kept, wanted = counts["kept"], counts["wanted"]
    if status == "interrupted":
        yield measured.finding(
            "alarm",
            f"The run was interrupted with {count(kept)} examples"
            f"{f' of {count(wanted)} wanted' if wanted else ''}. Run the same command again: it "
            "goes on, and nothing paid is paid again.",
            "cost",
        )
    elif status == "running":
        now = manifest.get("progress", {"kept": 0, "dropped": 0})
        yield measured.finding(
            "alarm",
            f"The run is under way, or was killed: {count(now['kept'])} kept and "
            f"{count(now['dropped'])} dropped when it last wrote. The files are of an earlier "
            "session, where there are any.",
            "cost",
        )
    elif status == "short":
        yield measured.finding(
            "alarm",
            f"The run ended short: {count(counts['reached'])} of {count(wanted or 0)} wanted. "
            "Too much was dropped, or the seeds gave out.",
            "yield",
        )
    if measured.run.rows and len(measured.run.rows) != kept and status != "running":
        yield measured.finding(
            "alarm",
            f"examples.jsonl has {count(len(measured.run.rows))} lines where the manifest says "
            f"{count(kept)}: the file was changed since. This report counts the file.",
            "provenance",
        )


def _drops(measured: Measured) -> Iterator[Finding]:
    reasons = {name: size for name, size in measured.reasons.items() if name != SURPLUS}
    lost = sum(reasons.values())
    whole = len(measured.run.rows) + lost
    if not lost:
        return
    reason, most = next(iter(reasons.items()))
    yield measured.finding(
        "alarm" if lost > MANY_DROPS * whole else "note",
        f"{percent(lost, whole)} of all items were dropped; the commonest reason is "
        f"{spoken(reason)}, {percent(most, lost)} of the drops ({count(most)}).",
        "yield",
    )
    target = largest_target(measured.run.lost)
    similar = measured.reasons.get("too_similar", 0)
    if target and target[1] > 1 and target[1] >= FOND * similar:
        yield measured.finding(
            "look",
            f"{count(target[1])} of {count(similar)} drops for similarity are near-duplicates of "
            f"one text: “{brief(target[0], 90)}”. The teacher is fond of it.",
            "samples",
        )


def _rounds(measured: Measured) -> Iterator[Finding]:
    kept = Counter(row.round for row in measured.run.rows)
    tried = kept + Counter(lost.row.round for lost in measured.run.lost if lost.reason != SURPLUS)
    large = [number for number in sorted(tried) if tried[number] >= ROUND_SIZE]
    if len(large) < 2:
        return
    first, last = (kept[number] / tried[number] for number in (large[0], large[-1]))
    if first - last > FALLING:
        yield measured.finding(
            "look",
            f"The yield falls from {first:.0%} in round {large[0]} to {last:.0%} in round "
            f"{large[-1]}: later rounds cost more for each example.",
            "yield",
        )


def _forecast(measured: Measured) -> Iterator[Finding]:
    if measured.run.manifest["status"] not in ("complete", "short"):
        return
    missed = []
    for stage, name, low, high, actual in forecasts(measured.run.manifest):
        near = high if actual > high else low if actual < low else actual
        if near != actual and near > 0:
            missed.append((abs(actual - near) / near, actual, near, f"{name} of {spoken(stage)}"))
    for share, actual, near, name in sorted(missed, reverse=True)[:2]:
        far = max(actual, near) / max(min(actual, near), 1e-9) > FAR
        yield measured.finding(
            "look" if far else "note",
            f"The forecast missed the {name} by {100 * share:.0f} %: it came out "
            f"{'above' if actual > near else 'below'} the range.",
            "cost",
        )
    if not missed and forecasts(measured.run.manifest):
        yield measured.finding("good", "Every amount came out within its forecast.", "cost")


def _calls(measured: Measured) -> Iterator[Finding]:
    manifest = measured.run.manifest
    for name, stage in manifest["stages"].items():
        cut = stage["finish_reasons"].get("length", 0)
        if cut > CUT * stage["calls"]:
            yield measured.finding(
                "look",
                f"{percent(cut, stage['calls'])} of the calls of {spoken(name)} were cut at the "
                "token limit: raise max_tokens.",
                "cost",
            )
    doubtful = manifest["spend"]["doubtful_calls"]
    if doubtful:
        yield measured.finding(
            "note",
            f"{plural(doubtful, 'call')} were lost on the way and may have been charged, up to "
            f"${manifest['spend']['doubtful_dollars']:.2f}.",
            "cost",
        )


def _training(measured: Measured) -> Iterator[Finding]:
    training = measured.run.training
    if training is None:
        return
    epochs = held_out(training)
    if len(epochs) > 1:
        best = min(epochs, key=lambda row: row[2])
        last = epochs[-1]
        rising = last[2] > OVERFIT * best[2]
        yield measured.finding(
            "look" if rising else "good",
            f"The held-out loss is lowest after epoch {count(best[0])} ({best[2]:.4f})"
            + (f" and rises to {last[2]:.4f} by the last: overfitting." if rising else "."),
            "training",
        )


def _steering(measured: Measured) -> Iterator[Finding]:
    training = measured.run.training
    if training is None or not training.seeds:
        return
    moved = moves(training.seeds)
    yield measured.finding(
        "note",
        f"Training moved the seeds: {count(moved['added'])} added and {count(moved['retired'])} "
        "retired, by what the student showed.",
        "steering",
    )


def _benchmarks(measured: Measured) -> Iterator[Finding]:
    for result in measured.run.results:
        first = result.measurements[0]
        yield measured.finding(
            "note",
            f"{spoken(result.benchmark)}, {spoken(first.metric)} of {brief(result.student, 60)}: "
            f"{value(first)}.",
            "benchmarks",
        )
        if first.n < first.expected_n:
            yield measured.finding(
                "look",
                f"{spoken(result.benchmark)} rests on {count(first.n)} of "
                f"{count(first.expected_n)} items: the others could not be scored.",
                "benchmarks",
            )


def _by_hand(measured: Measured) -> Iterator[Finding]:
    kept = [decision for item, decision in measured.run.decided if isinstance(item, Row)]
    if not kept:
        return
    rejected = sum(1 for decision in kept if decision.verdict == "reject")
    yield measured.finding(
        "look" if rejected > REJECTED * len(kept) else "note",
        f"People rejected {count(rejected)} of the {plural(len(kept), 'example')} that they judged "
        f"({percent(rejected, len(kept))}); {count(len(measured.run.rows) - len(kept))} have not "
        "been looked at.",
        "by-hand",
    )


CHECKS: Sequence[Check] = (
    _status,
    _drops,
    _rounds,
    similarity,
    skills,
    openings,
    responses,
    repairs,
    _forecast,
    _calls,
    _training,
    _steering,
    _benchmarks,
    _by_hand,
)
