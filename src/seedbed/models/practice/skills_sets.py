"""Skills of choosing: doubles, common members, limits, extremes, parity."""

from __future__ import annotations

from random import Random

from seedbed.models.practice.skill import Parameter, Parameters, PracticeSkill, choice, says
from seedbed.models.practice.values import Value, number, numbers, phrase


def _without_doubles(value: Value, _: Parameters) -> Value | None:
    return Value(value.kind, tuple(dict.fromkeys(value.items)))


def _some_members(rng: Random, value: Value) -> str:
    """Some of the list's own members among others, in ascending order."""
    own = sorted(set(value.ints))
    kept = rng.sample(own, min(len(own), rng.randint(1, 2)))
    others = [rng.randint(1, 20) for _ in range(3)]
    return ", ".join(str(item) for item in sorted({*kept, *others}))


def _common(value: Value, parameters: Parameters) -> Value | None:
    others = {int(item) for item in parameters["list"].split(", ")}
    return numbers(tuple(item for item in value.ints if item in others))


def _a_limit(rng: Random, value: Value) -> str:
    """A limit that some of the numbers pass and some do not, where they differ."""
    return str(rng.choice(sorted(set(value.ints))[:-1] or value.ints))


def _above(value: Value, parameters: Parameters) -> Value | None:
    return numbers(tuple(item for item in value.ints if item > int(parameters["n"])))


def _extreme(value: Value, parameters: Parameters) -> Value | None:
    return number(max(value.ints) if parameters["which"] == "largest" else min(value.ints))


def _parity(value: Value, _: Parameters) -> Value | None:
    return phrase("odd" if value.ints[0] % 2 else "even")


SKILLS: tuple[PracticeSkill, ...] = (
    PracticeSkill(
        name="removing_duplicates",
        topic="logic_and_sets",
        description="keeps the first of each entry of a list",
        phrasings=(
            "remove the duplicates from {it}",
            "keep each entry of {it} only once",
            "drop repeated entries from {it}",
            "list {it} without repeats",
        ),
        accepts=("numbers", "words"),
        gives=None,
        apply=_without_doubles,
        explain=says("Keeping each entry once leaves {after}."),
        recogniser=r"\b(?:remove|delete|without)\b[^.]*\bduplicates?\b",
    ),
    PracticeSkill(
        name="common_members",
        topic="logic_and_sets",
        description="keeps the numbers that are also in a second list",
        phrasings=(
            "keep only the entries of {it} that are also among {list}",
            "find what {it} have in common with {list}",
            "intersect {it} with {list}",
            "pick the entries of {it} that also occur in {list}",
        ),
        accepts=("numbers",),
        gives="numbers",
        apply=_common,
        explain=says("Also among {list}: {after}."),
        parameters={"list": Parameter(_some_members, r"\d+(?:, \d+)*")},
        recogniser=r"\bintersection of (?:the |these |two )*(?:following )?(?:sets|lists|arrays)\b",
    ),
    PracticeSkill(
        name="filtering_by_limit",
        topic="logic_and_sets",
        description="keeps the numbers above a limit",
        phrasings=(
            "keep only the entries of {it} above {n}",
            "remove every entry of {it} that is not above {n}",
            "pick the entries of {it} that are greater than {n}",
            "filter {it} for entries above {n}",
        ),
        accepts=("numbers",),
        gives="numbers",
        apply=_above,
        explain=says("Above {n}: {after}."),
        parameters={"n": Parameter(_a_limit, r"\d{1,6}")},
        recogniser=r"\b(?:numbers|values|elements)\b[^.]*\b(?:greater|larger|less) than\b",
    ),
    PracticeSkill(
        name="finding_extremes",
        topic="logic_and_sets",
        description="finds the largest or the smallest number",
        phrasings=(
            "find the {which} entry in {it}",
            "pick the {which} entry of {it}",
            "choose the {which} of {it}",
            "tell me the {which} entry of {it}",
        ),
        accepts=("numbers",),
        gives="number",
        apply=_extreme,
        explain=says("The {which} of {before} is {after}."),
        parameters={"which": choice("largest", "smallest")},
        recogniser=r"\b(?:larg|small|high|low)est (?:number|value|element)\b",
    ),
    PracticeSkill(
        name="checking_parity",
        topic="logic_and_sets",
        description="says whether a number is even or odd",
        phrasings=(
            "say whether {it} is even or odd",
            "check whether {it} is odd or even",
            "decide if {it} is even or odd",
            "give the parity of {it}, even or odd",
        ),
        accepts=("number",),
        gives="phrase",
        apply=_parity,
        explain=says("Because of its last digit, {before} is {after}."),
        recogniser=r"\b(?:even or odd|odd or even|even numbers?|odd numbers?)\b",
    ),
)
